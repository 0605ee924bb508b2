import HandoffBus
import HandoffCore
import KafkaClient
import TestSupport
import Testing

/// What Kafka's authorizer would say, by the documentation of KIP-11 and KIP-290.
struct AccessEvaluatorTests {
  private let reader = "User:reader"

  @Test func `nothing is allowed that no entry allows`() {
    #expect(!AccessEvaluator([]).allows(reader, .read, .topic, "a"))
    let acls = [KafkaAcl(.topic, "a", principal: reader, .read)]
    #expect(AccessEvaluator(acls).allows(reader, .read, .topic, "a"))
    #expect(!AccessEvaluator(acls).allows(reader, .write, .topic, "a"))
    #expect(!AccessEvaluator(acls).allows(reader, .read, .group, "a"))
    #expect(!AccessEvaluator(acls).allows("User:other", .read, .topic, "a"))
    #expect(!AccessEvaluator(acls).allows(reader, .read, .topic, "ab"))
  }

  @Test func `a denial wins over every permission, however wide`() {
    let acls = [
      KafkaAcl(.topic, "*", principal: KafkaAcl.everyone, .all),
      KafkaAcl(.topic, "secret.", pattern: .prefixed, principal: reader, .read, permission: .deny),
    ]
    let evaluator = AccessEvaluator(acls)
    #expect(evaluator.allows(reader, .read, .topic, "open"))
    #expect(!evaluator.allows(reader, .read, .topic, "secret.one"))
    #expect(evaluator.allows("User:other", .read, .topic, "secret.one"))
    // A denial of reading denies no describing; a denial of all does.
    #expect(evaluator.allows(reader, .describe, .topic, "secret.one"))
    let all = [
      acls[0], KafkaAcl(.topic, "secret.one", principal: reader, .all, permission: .deny),
    ]
    #expect(!AccessEvaluator(all).allows(reader, .describe, .topic, "secret.one"))
  }

  @Test func `prefixes, the wildcard and hosts match as Kafka matches them`() {
    let acls = [
      KafkaAcl(.group, "own-", pattern: .prefixed, principal: reader, .read),
      KafkaAcl(.topic, "*", principal: reader, host: "192.0.2.7", .write),
      // A prefixed star is a name that begins with a star, and no wildcard.
      KafkaAcl(.cluster, "*", pattern: .prefixed, principal: reader, .alter),
    ]
    let evaluator = AccessEvaluator(acls)
    #expect(evaluator.allows(reader, .read, .group, "own-1"))
    #expect(!evaluator.allows(reader, .read, .group, "own"))
    #expect(evaluator.allows(reader, .write, .topic, "any", from: "192.0.2.7"))
    #expect(!evaluator.allows(reader, .write, .topic, "any", from: "192.0.2.8"))
    #expect(!evaluator.allows(reader, .alter, .cluster, KafkaAcl.clusterName))
  }

  @Test func `reading, writing, deleting and altering let one describe, and settings too`() {
    for operation in [KafkaAcl.Operation.read, .write, .delete, .alter] {
      let evaluator = AccessEvaluator([KafkaAcl(.topic, "a", principal: reader, operation)])
      #expect(evaluator.allows(reader, .describe, .topic, "a"))
      #expect(!evaluator.allows(reader, .describeConfigs, .topic, "a"))
    }
    let evaluator = AccessEvaluator([KafkaAcl(.topic, "a", principal: reader, .alterConfigs)])
    #expect(evaluator.allows(reader, .describeConfigs, .topic, "a"))
    #expect(!evaluator.allows(reader, .describe, .topic, "a"))
  }
}

/// What the entries that `baton topics apply` writes allow, whole.
struct AccessTableTests {
  /// Two of them begin alike, which a prefix must not confuse.
  private let organisations: [ODSCode]
  private let evaluator: AccessEvaluator
  private let acls: [KafkaAcl]
  private let access = AccessConfiguration()

  init() throws {
    organisations = try ["RTH", "RT", "RXQ", "A81001"].map { try #require(ODSCode($0)) }
    acls = AccessTable.acls(organisations: organisations)
    evaluator = AccessEvaluator(acls)
  }

  private func inbox(_ organisation: ODSCode) -> String {
    TopicTable.inbox(organisation: organisation.description).name
  }

  private func outbox(_ organisation: ODSCode) -> String {
    TopicTable.outbox(organisation: organisation.description).name
  }

  @Test func `a connector touches its own inbox and outbox, and nothing else in the cluster`() {
    let topics =
      TopicTable.all(organisations: organisations).map(\.name) + [
        "handoff.inbox.zzz.v1", "handoff.events.v2", "__consumer_offsets", "orders",
      ]
    for organisation in organisations {
      let principal = access.principal(of: .connector, in: organisation)
      for topic in topics {
        for operation in KafkaAcl.Operation.allCases {
          let isOwn =
            (topic == inbox(organisation) && [.write, .describe].contains(operation))
            || (topic == outbox(organisation) && [.read, .describe].contains(operation))
          #expect(
            evaluator.allows(principal, operation, .topic, topic) == isOwn,
            "\(principal) \(operation) \(topic)")
        }
      }
    }
  }

  @Test func `a connector joins no other's group and takes no transactional id of another`() {
    let prefixes = organisations.map(AccessTable.prefix)
    let names = prefixes.map { $0 + "x" } + ["baton-reconciler", "baton-ingest-0", "baton-audit"]
    for (organisation, own) in zip(organisations, prefixes) {
      let principal = access.principal(of: .connector, in: organisation)
      for name in names {
        #expect(evaluator.allows(principal, .read, .group, name) == name.hasPrefix(own))
        #expect(!evaluator.allows(principal, .write, .transactionalID, name))
      }
      for operation in KafkaAcl.Operation.allCases {
        #expect(
          evaluator.allows(principal, operation, .cluster, KafkaAcl.clusterName)
            == (operation == .idempotentWrite))
      }
    }
  }

  @Test func `no principal but ingest, reconciler and administrator writes an event or a tick`() {
    let events = Topic.events.name
    for role in BusRole.allCases {
      let principals =
        role.isOfOneOrganisation
        ? organisations.map { access.principal(of: role, in: $0) } : [access.principal(of: role)]
      let mayWrite = [BusRole.ingest, .reconciler, .administrator].contains(role)
      for principal in principals {
        #expect(evaluator.allows(principal, .write, .topic, events) == mayWrite, "\(principal)")
      }
    }
  }

  @Test func `every role writes and reads what the table says, and no more`() {
    for definition in TopicTable.all(organisations: organisations) {
      for role in BusRole.allCases where !role.isOfOneOrganisation {
        let principal = access.principal(of: role)
        #expect(
          evaluator.allows(principal, .write, .topic, definition.name)
            == definition.writers.contains(role), "\(role) \(definition.name)")
        #expect(
          evaluator.allows(principal, .read, .topic, definition.name)
            == definition.readers.contains(role), "\(role) \(definition.name)")
        #expect(!evaluator.allows(principal, .delete, .topic, definition.name))
        #expect(
          evaluator.allows(principal, .alterConfigs, .topic, definition.name)
            == (role == .administrator))
      }
    }
  }

  @Test func `sinks, operators and auditors do no more than their role`() {
    for organisation in organisations {
      let sink = access.principal(of: .sink, in: organisation)
      #expect(evaluator.allows(sink, .read, .topic, outbox(organisation)))
      #expect(!evaluator.allows(sink, .write, .topic, inbox(organisation)))
      #expect(!evaluator.allows(sink, .idempotentWrite, .cluster, KafkaAcl.clusterName))
      for other in organisations where other != organisation {
        #expect(!evaluator.allows(sink, .describe, .topic, outbox(other)))
      }
    }
    let writes: [BusRole: Set<String>] = [
      .operations: [Topic.commands.name], .auditor: [Topic.access.name],
    ]
    for (role, allowed) in writes {
      let principal = access.principal(of: role)
      for topic in TopicTable.all(organisations: organisations) {
        #expect(
          evaluator.allows(principal, .write, .topic, topic.name) == allowed.contains(topic.name))
        let isPrivate =
          topic.name.contains("box.")
          || [Topic.correlation.name, Topic.reconcilerState.name].contains(topic.name)
        if isPrivate { #expect(!evaluator.allows(principal, .read, .topic, topic.name)) }
      }
      #expect(!evaluator.allows(principal, .alter, .cluster, KafkaAcl.clusterName))
    }
  }

  @Test func `nobody is allowed by a wildcard, and nobody is denied`() {
    #expect(acls.allSatisfy { $0.permission == .allow && $0.name != "*" })
    #expect(acls.allSatisfy { $0.principal != KafkaAcl.everyone && $0.operation != .all })
    #expect(Set(acls).count == acls.count)
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `an organisation that joins lets nobody before it do anything more`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let letters = Array("ABR0")
    let codes = Set(
      (0..<6).map { _ in
        String(
          (0..<Int.random(in: 1...3, using: &random)).map { _ in
            letters[Int.random(in: 0..<4, using: &random)]
          })
      }
    ).compactMap { ODSCode($0) }.sorted()
    let without = AccessTable.acls(organisations: Array(codes.dropLast()))
    let with = AccessTable.acls(organisations: codes)
    let last = try #require(codes.last)
    let added = Set(with).subtracting(without)
    #expect(Set(without).isSubset(of: with))
    let newcomers = BusRole.allCases.filter(\.isOfOneOrganisation)
      .map { access.principal(of: $0, in: last) }
    let topics = Set([inbox(last), outbox(last)])
    for acl in added {
      let isItsOwn = newcomers.contains(acl.principal)
      let isOurs = acl.principal == access.principal(of: .ingest) && topics.contains(acl.name)
      #expect(isItsOwn || isOurs, "\(acl)")
    }
  }
}

struct AccessPlanTests {
  private let wanted: [KafkaAcl]

  init() throws { wanted = AccessTable.acls(organisations: [try #require(ODSCode("RTH"))]) }

  @Test func `an empty cluster gets every entry that can be written, and is told of the others`() {
    let plan = AccessPlan(wanted: wanted, present: [])
    let added = plan.steps.compactMap { if case .add(let acl) = $0 { acl } else { nil } }
    let byHand = plan.steps.compactMap { if case .byHand(let acl) = $0 { acl } else { nil } }
    #expect(Set(added + byHand) == Set(wanted))
    #expect(byHand.allSatisfy { $0.resource == .transactionalID } && byHand.count == 4)
    #expect(plan.changes.count == added.count)
    #expect(byHand.allSatisfy { $0.command.contains("--transactional-id 'baton-") })
  }

  @Test func `what our principals may do beyond the table is taken away, a stranger's is told`() {
    let excess = KafkaAcl(
      .topic, Topic.events.name, principal: "User:baton-rth-connector", .write)
    let stranger = KafkaAcl(.topic, "hand", pattern: .prefixed, principal: "User:eve", .read)
    let other = KafkaAcl(.topic, "orders", principal: "User:shop", .read)
    let present = wanted.filter(\.isWritable) + [excess, stranger, other]
    let plan = AccessPlan(wanted: wanted, present: present)
    #expect(plan.changes == [.remove(excess)])
    #expect(plan.steps.contains(.strange(stranger)))
    #expect(!plan.steps.contains(.strange(other)))
  }

  @Test func `a cluster without access control is named, and nothing is changed`() {
    let plan = AccessPlan(wanted: wanted, present: nil, reason: "SECURITY_DISABLED")
    #expect(plan.steps == [.missing("SECURITY_DISABLED")])
    #expect(plan.changes.isEmpty)
  }
}
