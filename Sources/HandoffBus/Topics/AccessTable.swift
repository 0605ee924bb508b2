package import HandoffCore
package import KafkaClient

/// Who is who on the cluster: the principal of each role, and of each organisation's connectors.
///
/// ```yaml
/// access:
///   principals:                    # default: User:baton-<role>, User:baton-<org>-connector
///     ingest: User:CN=baton-ingest
///     connector-RTH: User:CN=rth-connector
/// ```
package struct AccessConfiguration: Hashable, Sendable {
  /// Principals that are not the default, by `role` or `role-ORG`.
  package var principals: [String: String] = [:]

  package init() {}

  /// The principal of a role of the bus itself.
  package func principal(of role: BusRole) -> String {
    principals[role.rawValue] ?? "User:baton-\(role.rawValue)"
  }

  /// The principal of a role within one organisation.
  package func principal(of role: BusRole, in organisation: ODSCode) -> String {
    principals["\(role.rawValue)-\(organisation)"]
      ?? "User:baton-\(organisation.description.lowercased())-\(role.rawValue)"
  }
}

/// The access control that the topic table asks for: nothing is allowed that is not in it.
package enum AccessTable {
  /// The consumer group in whose name librdkafka reads given partitions; nobody joins it.
  package static let readerGroup = "kafka-client-reader"

  /// What a group or transactional id of one organisation begins with.
  package static func prefix(of organisation: ODSCode) -> String {
    "baton-org-\(organisation.description.lowercased())-"
  }

  /// What the groups and transactional ids of a role begin with.
  package static func prefix(of role: BusRole) -> String { "baton-\(role.rawValue)" }

  /// Every entry, in one order.
  package static func acls(
    organisations: [ODSCode], access: AccessConfiguration = AccessConfiguration()
  ) -> [KafkaAcl] {
    var acls: Set<KafkaAcl> = []
    for role in BusRole.allCases where !role.isOfOneOrganisation {
      acls.formUnion(shared(role, access.principal(of: role), organisations))
    }
    for organisation in organisations {
      for role in BusRole.allCases where role.isOfOneOrganisation {
        acls.formUnion(
          own(role, of: organisation, access.principal(of: role, in: organisation)))
      }
    }
    return acls.sorted()
  }

  private static func shared(
    _ role: BusRole, _ principal: String, _ organisations: [ODSCode]
  ) -> [KafkaAcl] {
    let topics = TopicTable.all(organisations: organisations)
    var acls = topics.flatMap { topic(role, $0, principal) }
    let isReading = acls.contains { $0.operation == .read }
    let isWriting = acls.contains { $0.operation == .write }
    if isReading {
      acls.append(KafkaAcl(.group, readerGroup, principal: principal, .read))
      acls.append(
        KafkaAcl(.group, prefix(of: role), pattern: .prefixed, principal: principal, .read))
    }
    if isWriting {
      acls.append(
        KafkaAcl(.cluster, KafkaAcl.clusterName, principal: principal, .idempotentWrite))
    }
    switch role {
    case .ingest, .reconciler:
      // They alone write in transactions.
      for operation in [KafkaAcl.Operation.write, .describe] {
        acls.append(
          KafkaAcl(
            .transactionalID, prefix(of: role), pattern: .prefixed, principal: principal, operation)
        )
      }
    case .administrator:
      for operation in [KafkaAcl.Operation.create, .alter, .alterConfigs, .describeConfigs] {
        acls.append(
          KafkaAcl(.topic, "handoff.", pattern: .prefixed, principal: principal, operation))
      }
      for operation in [KafkaAcl.Operation.alter, .describe] {
        acls.append(KafkaAcl(.cluster, KafkaAcl.clusterName, principal: principal, operation))
      }
    case .connector, .sink, .audit, .auditor, .operations: break
    }
    return acls
  }

  /// One organisation's principals: its own two topics, and names of its own for groups.
  private static func own(
    _ role: BusRole, of organisation: ODSCode, _ principal: String
  ) -> [KafkaAcl] {
    let name = organisation.description
    let topics = [TopicTable.inbox(organisation: name), TopicTable.outbox(organisation: name)]
    var acls = topics.flatMap { topic(role, $0, principal) }
    acls.append(
      KafkaAcl(.group, prefix(of: organisation), pattern: .prefixed, principal: principal, .read))
    if acls.contains(where: { $0.operation == .write }) {
      acls.append(
        KafkaAcl(.cluster, KafkaAcl.clusterName, principal: principal, .idempotentWrite))
    }
    return acls
  }

  /// Reading and writing imply describing; settings are for those who look after the bus.
  private static func topic(
    _ role: BusRole, _ topic: TopicDefinition, _ principal: String
  ) -> [KafkaAcl] {
    var acls: [KafkaAcl] = []
    if topic.readers.contains(role) {
      acls.append(KafkaAcl(.topic, topic.name, principal: principal, .read))
    }
    if topic.writers.contains(role) {
      acls.append(KafkaAcl(.topic, topic.name, principal: principal, .write))
    }
    return acls
  }
}
