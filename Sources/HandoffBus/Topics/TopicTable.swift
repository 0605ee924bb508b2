package import HandoffCore

/// The topics of the bus, by name (architecture.md, "The contract on the wire").
package enum Topic: String, CaseIterable, Hashable, Sendable {
  case events = "handoff.events.v1"
  case sources = "handoff.sources.v1"
  case correlation = "handoff.correlation.v1"
  case config = "handoff.config.v1"
  case alerts = "handoff.alerts.v1"
  case reconcilerState = "handoff.reconciler-state.v1"
  case sourceState = "handoff.source-state.v1"
  case commands = "handoff.commands.v1"
  case deadLetters = "handoff.deadletter.v1"
  case access = "handoff.access.v1"
  case checkpoints = "handoff.checkpoints.v1"

  /// The topic's name on the cluster.
  package var name: String { rawValue }
}

/// One row of the topic table: what a topic is for and how the cluster must keep it.
package struct TopicDefinition: Hashable, Sendable {
  /// How many partitions a topic gets.
  package enum Partitions: Hashable, Sendable {
    /// As many as the events topic: what is keyed by person stays in step with it.
    case likeEvents
    case fixed(Int32)
  }

  /// What the cluster may throw away.
  package enum CleanUp: Hashable, Sendable {
    /// Records older than so many days; `nil` is never.
    case delete(afterDays: Int?)
    /// All but the newest record of a key.
    case compact
  }

  package var name: String
  package var partitions: Partitions
  package var cleanUp: CleanUp
  /// Whether the broker stamps the records: where time is an argument of a verdict or a proof.
  package var isStampedByBroker: Bool
  /// What a record's key is, in words.
  package var key: String
  /// What a record is, in words.
  package var holds: String
  package var writers: [BusRole]
  package var readers: [BusRole]
  /// Whether audit keeps a tree over it.
  package var isAudited: Bool
  /// Whether its records carry their writer's stamp (``RecordStamp``).
  package var isStamped: Bool

  /// The topic's settings on the cluster, those that safety rests on included.
  ///
  /// From three copies of a partition on, two must have a record before it counts as written.
  package func config(replication: Int16) -> [String: String] {
    var config = [
      "min.insync.replicas": replication >= 3 ? "2" : "1",
      "unclean.leader.election.enable": "false",
    ]
    config["message.timestamp.type"] = isStampedByBroker ? "LogAppendTime" : "CreateTime"
    switch cleanUp {
    case .compact:
      config["cleanup.policy"] = "compact"
    case .delete(let days):
      config["cleanup.policy"] = "delete"
      config["retention.ms"] = days.map { String($0 * 86_400_000) } ?? "-1"
      config["retention.bytes"] = "-1"
    }
    return config
  }
}

/// The one place that says which topics there are: commands, services, ACLs and the AsyncAPI
/// document read it.
package enum TopicTable {
  /// NHS records of adults are kept for eight years after the last entry (Records Management Code
  /// of Practice): the long retention of everything that may have to be explained.
  package static let daysLong = 8 * 366

  /// Every topic that exists once.
  ///
  /// Those of one organisation come from ``inbox(organisation:)`` and ``outbox(organisation:)``.
  package static let shared: [TopicDefinition] = Topic.allCases.map(definition)

  /// Those, and the topics of each of `organisations`.
  package static func all(organisations: [ODSCode]) -> [TopicDefinition] {
    shared
      + organisations.sorted().flatMap {
        [inbox(organisation: $0.description), outbox(organisation: $0.description)]
      }
  }

  /// Sealed frames of connectors outside the boundary, which only they and ingest may touch.
  package static func inbox(organisation: String) -> TopicDefinition {
    TopicDefinition(
      name: "handoff.inbox.\(organisation.lowercased()).v1", partitions: .fixed(3),
      cleanUp: .delete(afterDays: 7), isStampedByBroker: true, key: "source",
      holds: "sealed frames from connectors outside the boundary", writers: [.connector],
      readers: [.ingest], isAudited: false, isStamped: false)
  }

  /// What is to be told to an organisation's systems.
  package static func outbox(organisation: String) -> TopicDefinition {
    TopicDefinition(
      name: "handoff.outbox.\(organisation.lowercased()).v1", partitions: .fixed(3),
      cleanUp: .delete(afterDays: 7), isStampedByBroker: true,
      key: "HMAC(organisation, patient key)", holds: "sealed notices for an organisation's systems",
      writers: [.ingest], readers: [.connector, .sink], isAudited: false, isStamped: false)
  }

  /// The row of `topic`.
  package static func definition(of topic: Topic) -> TopicDefinition {
    let lookers: [BusRole] = [.audit, .auditor, .operations, .administrator]
    return switch topic {
    case .events:
      row(
        topic, .delete(afterDays: nil), key: "patient key",
        writers: [.ingest, .reconciler, .administrator], readers: [.ingest, .reconciler] + lookers,
        holds: "events; ticks, source states and rules activations on every partition")
    case .sources:
      row(
        topic, .delete(afterDays: daysLong), key: "source id",
        writers: [.ingest, .reconciler, .administrator],
        readers: [.reconciler] + lookers,
        holds: "heartbeats, receptions and refusals of each source; ticks and rules activations")
    case .correlation:
      row(
        topic, .compact, key: "HMAC(system, id)", writers: [.ingest], readers: [.ingest],
        isAudited: false, holds: "the patient key and handoff that an id belongs to")
    case .config:
      row(
        topic, .compact, partitions: .fixed(1), key: "SHA-256",
        writers: [.administrator, .reconciler], readers: [.reconciler] + lookers,
        holds: "the bytes of each policy, register and profile ever in force")
    case .alerts:
      row(
        topic, .delete(afterDays: daysLong), key: "patient key or source id",
        writers: [.reconciler, .audit], readers: [.ingest, .reconciler] + lookers,
        holds: "verdicts: opened, changed, resolved, by revision")
    case .reconcilerState:
      row(
        topic, .compact, key: "patient key, or a reserved key for the partition",
        writers: [.reconciler], readers: [.reconciler, .audit], isAudited: false,
        holds: "the changelog of the reducers")
    case .sourceState:
      row(
        topic, .compact, key: "`source.` or `messages.` and the source id, or `partition`",
        writers: [.reconciler], readers: [.reconciler], isAudited: false,
        holds: "the changelog of the source reducer")
    case .commands:
      row(
        topic, .delete(afterDays: daysLong), key: "alert id", writers: [.operations],
        readers: lookers, isStamped: false,
        holds: "acknowledge, assign, snooze, resolve, replay; who and why")
    case .deadLetters:
      row(
        topic, .delete(afterDays: 60), key: "source id", writers: [.ingest],
        readers: [.ingest] + lookers, holds: "what could not be mapped and why, its payload sealed")
    case .access:
      row(
        topic, .delete(afterDays: daysLong), key: "reader", writers: [.audit, .auditor],
        readers: [.audit, .auditor], isStamped: false, holds: "who read what, when, why")
    case .checkpoints:
      row(
        topic, .compact, partitions: .fixed(1), key: "log origin", writers: [.audit],
        readers: lookers, isAudited: false, isStamped: false, holds: "signed tree heads")
    }
  }

  private static func row(
    _ topic: Topic, _ cleanUp: TopicDefinition.CleanUp,
    partitions: TopicDefinition.Partitions = .likeEvents, key: String, writers: [BusRole],
    readers: [BusRole], isAudited: Bool = true, isStamped: Bool = true, holds: String
  ) -> TopicDefinition {
    TopicDefinition(
      name: topic.name, partitions: partitions, cleanUp: cleanUp,
      isStampedByBroker: cleanUp != .compact, key: key, holds: holds, writers: writers,
      readers: readers, isAudited: isAudited, isStamped: isStamped)
  }
}
