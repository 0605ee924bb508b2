package import KafkaClient

/// Judges requests as Kafka's authorizer does, so that what a set of entries allows can be proved
/// without a cluster (org.apache.kafka.metadata.authorizer.StandardAuthorizer, KIP-290).
///
/// Denied unless allowed; an entry that denies wins over every entry that allows. Superusers and
/// `allow.everyone.if.no.acl.found` are settings of the broker, and no part of it.
package struct AccessEvaluator: Sendable {
  private let acls: [KafkaAcl]

  package init(_ acls: [KafkaAcl]) { self.acls = acls }

  /// Whether `principal` at `host` may do `operation` with the resource of this very name.
  package func allows(
    _ principal: String, _ operation: KafkaAcl.Operation, _ resource: KafkaAcl.Resource,
    _ name: String, from host: String = "192.0.2.1"
  ) -> Bool {
    let matching = acls.filter { acl in
      acl.resource == resource && Self.matches(acl, name)
        && [principal, KafkaAcl.everyone].contains(acl.principal)
        && [host, "*"].contains(acl.host)
    }
    let denied = matching.contains {
      $0.permission == .deny && ($0.operation == operation || $0.operation == .all)
    }
    return !denied
      && matching.contains {
        $0.permission == .allow && Self.isImplied(operation, by: $0.operation)
      }
  }

  private static func matches(_ acl: KafkaAcl, _ name: String) -> Bool {
    switch acl.pattern {
    case .literal: acl.name == name || acl.name == "*"
    case .prefixed: name.hasPrefix(acl.name)
    }
  }

  /// Allowing to read, write, delete or alter allows to describe; a denial implies nothing.
  private static func isImplied(
    _ operation: KafkaAcl.Operation, by allowed: KafkaAcl.Operation
  ) -> Bool {
    if allowed == operation || allowed == .all { return true }
    return switch operation {
    case .describe: [.read, .write, .delete, .alter].contains(allowed)
    case .describeConfigs: allowed == .alterConfigs
    case .all, .read, .write, .create, .delete, .alter, .clusterAction, .alterConfigs,
      .idempotentWrite:
      false
    }
  }
}
