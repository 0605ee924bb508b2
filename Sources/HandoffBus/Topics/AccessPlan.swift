package import HandoffCore
package import KafkaClient

/// One thing to do, or to tell, so that a cluster has the access control of the table.
package enum AccessStep: Hashable, Sendable {
  case add(KafkaAcl)
  /// An entry of one of our principals that the table does not have: it may do more than its role.
  case remove(KafkaAcl)
  /// An entry that librdkafka cannot write; `kafka-acls` can.
  case byHand(KafkaAcl)
  /// Somebody else may touch what is ours; left alone, for it is not ours to take away.
  case strange(KafkaAcl)
  /// The cluster has no access control, or does not tell; nothing is refused by it.
  case missing(String)

  /// Whether it is something that `topics apply` does.
  package var isChange: Bool {
    switch self {
    case .add, .remove: true
    case .byHand, .strange, .missing: false
    }
  }
}

/// The difference between the access that the table asks for and that of a cluster.
package struct AccessPlan: Hashable, Sendable {
  package var steps: [AccessStep]

  /// `present` is what the cluster has; `nil` where it has no access control, because of `reason`.
  package init(wanted: [KafkaAcl], present: [KafkaAcl]?, reason: String = "") {
    guard let present else {
      steps = [.missing(reason)]
      return
    }
    let (have, want) = (Set(present), Set(wanted))
    let ours = Set(wanted.map(\.principal))
    let missing = want.subtracting(have)
    steps = missing.filter(\.isWritable).sorted().map(AccessStep.add)
    steps += have.subtracting(want).filter { ours.contains($0.principal) }.sorted()
      .map(AccessStep.remove)
    steps += missing.filter { !$0.isWritable }.sorted().map(AccessStep.byHand)
    steps += have.filter { Self.isStrange($0, ours) }.sorted().map(AccessStep.strange)
  }

  package var changes: [AccessStep] { steps.filter(\.isChange) }

  private static func isStrange(_ acl: KafkaAcl, _ ours: Set<String>) -> Bool {
    guard acl.permission == .allow, !ours.contains(acl.principal) else { return false }
    return switch (acl.resource, acl.pattern) {
    case (.topic, .literal): acl.name == "*" || acl.name.hasPrefix("handoff.")
    case (.topic, .prefixed): acl.name.hasPrefix("handoff.") || "handoff.".hasPrefix(acl.name)
    case (.group, _): acl.name.hasPrefix("baton-") || acl.name == "*"
    case (.cluster, _): [.all, .alter, .alterConfigs].contains(acl.operation)
    case (.transactionalID, _): acl.name.hasPrefix("baton-") || acl.name == "*"
    }
  }
}

extension KafkaAcl {
  /// The same for Kafka's own tool: what is to be typed where librdkafka cannot write the entry.
  package var command: String {
    let resources: [Resource: String] = [
      .topic: "--topic", .group: "--group", .cluster: "--cluster",
      .transactionalID: "--transactional-id",
    ]
    let names: [Operation: String] = [
      .all: "All", .read: "Read", .write: "Write", .create: "Create", .delete: "Delete",
      .alter: "Alter", .describe: "Describe", .clusterAction: "ClusterAction",
      .describeConfigs: "DescribeConfigs", .alterConfigs: "AlterConfigs",
      .idempotentWrite: "IdempotentWrite",
    ]
    let place = resource == .cluster ? "" : " '\(name)'"
    return "kafka-acls --add --\(permission.rawValue)-principal '\(principal)' "
      + "--operation \(names[operation] ?? operation.rawValue) \(resources[resource] ?? "")\(place) "
      + "--resource-pattern-type \(pattern.rawValue)"
  }
}

/// Compares a cluster's access control with the table, and brings it there.
package struct AccessAdministrator: Sendable {
  private let kafka: KafkaConfiguration
  private let wanted: [KafkaAcl]

  package init(_ kafka: KafkaConfiguration, organisations: [ODSCode], access: AccessConfiguration) {
    self.kafka = kafka
    wanted = AccessTable.acls(organisations: organisations, access: access)
  }

  /// Asks the cluster and says what differs.
  ///
  /// A cluster without access control is an answer, and no failure.
  package func plan(within timeout: Duration = .seconds(10)) async throws(KafkaError) -> AccessPlan
  {
    let admin = try KafkaAdmin(kafka)
    let result: Result<[KafkaAcl], KafkaError>
    do throws(KafkaError) {
      result = .success(try await admin.acls(within: timeout))
    } catch {
      result = .failure(error)
    }
    await admin.close()
    switch result {
    case .success(let present): return AccessPlan(wanted: wanted, present: present)
    case .failure(let error):
      guard Self.means(error.code) else { throw error }
      return AccessPlan(wanted: wanted, present: nil, reason: error.code.name)
    }
  }

  /// Makes the changes of `plan`: first what is missing, then what is too much.
  package func apply(_ plan: AccessPlan) async throws(KafkaError) {
    var (added, removed): ([KafkaAcl], [KafkaAcl]) = ([], [])
    for step in plan.steps {
      switch step {
      case .add(let acl): added.append(acl)
      case .remove(let acl): removed.append(acl)
      case .byHand, .strange, .missing: break
      }
    }
    guard !added.isEmpty || !removed.isEmpty else { return }
    let admin = try KafkaAdmin(kafka)
    do throws(KafkaError) {
      try await admin.createAcls(added)
      try await admin.deleteAcls(removed)
    } catch {
      await admin.close()
      throw error
    }
    await admin.close()
  }

  /// The codes by which a cluster says that it has none, or a stand-in that it knows none.
  private static func means(_ code: KafkaError.Code) -> Bool {
    [.securityDisabled, .unsupportedFeature, .unsupportedVersion].contains(code)
  }
}
