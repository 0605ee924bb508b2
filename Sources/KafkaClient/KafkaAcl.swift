/// One entry of Kafka's access control: who may, or must not, do what with which resource.
public struct KafkaAcl: Hashable, Sendable {
  /// What kind of thing is guarded.
  public enum Resource: String, CaseIterable, Hashable, Sendable {
    case topic
    case group
    /// The cluster itself; its name is always ``KafkaAcl/clusterName``.
    case cluster
    /// librdkafka 2.0.2 has no number for it: such an entry can be judged, not written.
    case transactionalID
  }

  /// How the name of the entry is compared with that of the resource.
  public enum Pattern: String, CaseIterable, Hashable, Sendable {
    /// Equal, or `*` for all.
    case literal
    /// Begins like it.
    case prefixed
  }

  /// What is done (KIP-11 and its successors).
  public enum Operation: String, CaseIterable, Hashable, Sendable {
    case all, read, write, create, delete, alter, describe
    case clusterAction, describeConfigs, alterConfigs, idempotentWrite
  }

  public enum Permission: String, CaseIterable, Hashable, Sendable { case deny, allow }

  public static let clusterName = "kafka-cluster"
  /// Stands for every principal of Kafka's own type.
  public static let everyone = "User:*"

  public var resource: Resource
  public var name: String
  public var pattern: Pattern
  /// Such as `User:baton-ingest`.
  public var principal: String
  /// An address, or `*` for all.
  public var host: String
  public var operation: Operation
  public var permission: Permission

  public init(
    _ resource: Resource, _ name: String, pattern: Pattern = .literal, principal: String,
    host: String = "*", _ operation: Operation, permission: Permission = .allow
  ) {
    self.resource = resource
    self.name = name
    self.pattern = pattern
    self.principal = principal
    self.host = host
    self.operation = operation
    self.permission = permission
  }
}

extension KafkaAcl: CustomStringConvertible {
  public var description: String {
    let star = pattern == .prefixed ? "…" : ""
    let from = host == "*" ? "" : " from \(host)"
    return "\(principal) \(permission == .allow ? "may" : "must not") \(operation.rawValue) "
      + "\(resource.rawValue) \(name)\(star)\(from)"
  }
}

extension KafkaAcl: Comparable {
  private var order: [String] {
    [
      principal, resource.rawValue, name, pattern.rawValue, operation.rawValue, host,
      permission.rawValue,
    ]
  }

  public static func < (left: Self, right: Self) -> Bool {
    left.order.lexicographicallyPrecedes(right.order)
  }
}
