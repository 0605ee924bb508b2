/// What a cluster says of one of its topics.
package struct TopicDescription: Hashable, Sendable {
  package var name: String
  package var partitions: Int32
  /// The topic's settings as far as the broker lists them.
  package var config: [String: String]

  package init(name: String, partitions: Int32, config: [String: String]) {
    self.name = name
    self.partitions = partitions
    self.config = config
  }
}

/// How large the topics are made.
package struct TopicSizes: Hashable, Sendable {
  /// Partitions of everything keyed by person; fixed at creation, so it is chosen once.
  package var partitions: Int32
  /// Copies of each partition, at most the number of brokers.
  package var replication: Int16
  /// Whether somebody chose ``partitions``; if not, an events topic that is there says how many.
  package var isChosen: Bool

  package init(partitions: Int32? = nil, replication: Int16 = 3) {
    self.partitions = partitions ?? Int32(BatonConfiguration.Topics.partitionsDefault)
    self.replication = replication
    isChosen = partitions != nil
  }

  /// As a configuration has them.
  package init(_ topics: BatonConfiguration.Topics) {
    self.init(
      partitions: topics.partitions.map(Int32.init), replication: Int16(topics.replication))
  }

  /// These sizes on a cluster whose events topic, if it has one, is `events`.
  func settled(by events: TopicDescription?) -> TopicSizes {
    guard !isChosen, let events else { return self }
    var sizes = self
    sizes.partitions = events.partitions
    return sizes
  }

  /// The partitions that `definition` is created with.
  package func partitions(of definition: TopicDefinition) -> Int32 {
    switch definition.partitions {
    case .likeEvents: partitions
    case .fixed(let count): count
    }
  }
}

/// One thing to do, or to refuse, so that a cluster has the topics of the table.
package enum TopicStep: Hashable, Sendable {
  case create(name: String, partitions: Int32, replication: Int16, config: [String: String])
  /// Settings that differ, as they are and as they must be.
  case alter(name: String, changes: [ConfigChange])
  /// The topic has another number of partitions: never changed, because a person's records would
  /// move to another partition and their order would be lost.
  ///
  /// The way up is a new topic version.
  case refuseResize(name: String, has: Int32, wanted: Int32)
  /// The broker does not know these settings, so nobody can say that they hold.
  case unsupported(name: String, settings: [String])
  /// A topic in our name space that the table does not have; left alone.
  case unknown(name: String)

  /// One setting of a topic.
  package struct ConfigChange: Hashable, Sendable {
    package var name: String
    package var from: String
    package var to: String

    package init(name: String, from: String, to: String) {
      self.name = name
      self.from = from
      self.to = to
    }
  }

  /// Whether it is something that `topics apply` does.
  package var isChange: Bool {
    switch self {
    case .create, .alter: true
    case .refuseResize, .unsupported, .unknown: false
    }
  }

  /// The topic it is about.
  package var topic: String {
    switch self {
    case .create(let name, _, _, _), .alter(let name, _), .refuseResize(let name, _, _),
      .unsupported(let name, _), .unknown(let name):
      name
    }
  }
}

/// The difference between the topic table and a cluster: steps in the order of the table, what is
/// merely there last.
package struct TopicPlan: Hashable, Sendable {
  package var steps: [TopicStep]
  /// How many partitions everything keyed by person has to have.
  package let partitions: Int32

  /// Compares `table` with what the cluster has.
  package init(
    table: [TopicDefinition], sizes: TopicSizes, cluster: [TopicDescription]
  ) {
    let present = Dictionary(cluster.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    let sizes = sizes.settled(by: present[Topic.events.name])
    partitions = sizes.partitions
    steps = table.flatMap { definition in
      guard let topic = present[definition.name] else {
        return [
          TopicStep.create(
            name: definition.name, partitions: sizes.partitions(of: definition),
            replication: sizes.replication,
            config: definition.config(replication: sizes.replication))
        ]
      }
      return Self.differences(of: topic, from: definition, sizes: sizes)
    }
    let known = Set(table.map(\.name))
    steps += present.keys.filter { isOurs($0) && !known.contains($0) }.sorted()
      .map(TopicStep.unknown)
  }

  /// Whether something has to be refused, so that the cluster cannot be brought to the table.
  package var isRefused: Bool {
    steps.contains {
      if case .refuseResize = $0 { true } else { false }
    }
  }

  /// What `topics apply` would do.
  package var changes: [TopicStep] { steps.filter(\.isChange) }

  private static func differences(
    of topic: TopicDescription, from definition: TopicDefinition, sizes: TopicSizes
  ) -> [TopicStep] {
    var steps: [TopicStep] = []
    let wanted = sizes.partitions(of: definition)
    if topic.partitions != wanted {
      steps.append(.refuseResize(name: topic.name, has: topic.partitions, wanted: wanted))
    }
    var changes: [TopicStep.ConfigChange] = []
    var unsupported: [String] = []
    for (name, value) in definition.config(replication: sizes.replication).sorted(by: <) {
      guard let has = topic.config[name] else {
        unsupported.append(name)
        continue
      }
      if has != value { changes.append(.init(name: name, from: has, to: value)) }
    }
    if !changes.isEmpty { steps.append(.alter(name: topic.name, changes: changes)) }
    if !unsupported.isEmpty {
      steps.append(.unsupported(name: topic.name, settings: unsupported))
    }
    return steps
  }
}

/// Whether a topic of this name is one of the bus's, known or not.
private func isOurs(_ name: String) -> Bool {
  name.hasPrefix("handoff.") && !isOfOneOrganisation(name)
}

/// Inboxes and outboxes come and go with organisations; they are not in the shared table.
private func isOfOneOrganisation(_ name: String) -> Bool {
  name.hasPrefix("handoff.inbox.") || name.hasPrefix("handoff.outbox.")
}
