import ArgumentParser
import HandoffBus
import KafkaClient

/// `baton topics`: the topics of the bus as the table wants them.
struct TopicsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "topics",
    abstract: "Compare the cluster's topics with the table, and create or mend them.",
    discussion: """
      The table in the program says which topics there are, how many partitions they have, what \
      may be thrown away, whose clock stamps the records, and who may read and write them. `plan` \
      shows the difference and changes nothing; `apply` creates and mends. Access is looked at \
      where the configuration has a section access; organisations come from its boundary.

      The number of partitions is chosen once. It is never changed afterwards, because a person's \
      records would move to another partition and lose their order: `apply` refuses, and the way \
      up is a new version of the topic.
      """,
    subcommands: [Plan.self, Apply.self, AsyncAPIDocument.self],
    defaultSubcommand: Plan.self
  )

  struct Options: ParsableArguments {
    @OptionGroup var settings: SettingsOptions
    @OptionGroup var output: OutputOptions

    @Option(
      name: .long,
      help: ArgumentHelp(
        "Partitions of every topic keyed by person; also BATON_PARTITIONS. Default: as many as the "
          + "events topic has, and 24 where there is none.", valueName: "count"))
    var partitions: Int?

    /// Plans against the configured cluster and hands both on.
    func withPlan(
      _ body: (TopicsPlan, Output) async throws -> Void
    ) async throws {
      var (configuration, bootstrap) = try settings.loadWithBroker()
      if let partitions {
        guard (1...1000).contains(partitions) else {
          throw CommandFailure(.usage, "--partitions must be a whole number from 1 to 1000.")
        }
        configuration.topics.partitions = partitions
      }
      let sizes = TopicSizes(configuration.topics)
      try await reachingKafka(bootstrap) {
        let plan = try TopicsPlan(configuration, sizes: sizes)
        let outcome = await Result(catching: {
          try await body(try await plan.made(), Output(output))
        })
        await plan.close()
        try outcome.get()
      }
    }
  }

  struct Plan: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Show what differs; change nothing. Exit code 1 where something is refused.")

    @OptionGroup var options: Options

    func run() async throws {
      try await options.withPlan { plan, output in
        try report(plan, verb: "would", output)
        if plan.topics.isRefused { throw refusal() }
      }
    }
  }

  struct Apply: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Create what is missing and mend settings; nothing where something is refused.")

    @OptionGroup var options: Options

    func run() async throws {
      try await options.withPlan { plan, output in
        guard !plan.topics.isRefused else {
          try report(plan, verb: "would", output)
          throw refusal()
        }
        try await plan.apply()
        try report(plan, verb: "did", output)
      }
    }
  }
}

/// What differs in topics and, where it is configured, in access.
struct TopicsPlan {
  private let topicAdministrator: TopicAdministrator
  private let accessAdministrator: AccessAdministrator?
  private let table: [TopicDefinition]
  private let sizes: TopicSizes
  private(set) var topics = TopicPlan(table: [], sizes: TopicSizes(), cluster: [])
  private(set) var access: AccessPlan?

  init(_ configuration: BatonConfiguration, sizes: TopicSizes) throws {
    let kafka = KafkaConfiguration(configuration, client: "topics")
    let organisations = configuration.boundary.organisations.map(\.code)
    topicAdministrator = try TopicAdministrator(kafka)
    accessAdministrator = configuration.access.map {
      AccessAdministrator(kafka, organisations: organisations, access: $0)
    }
    table = TopicTable.all(organisations: organisations)
    self.sizes = sizes
  }

  func made() async throws -> TopicsPlan {
    var plan = self
    plan.topics = try await topicAdministrator.plan(table: table, sizes: sizes)
    plan.access = try await accessAdministrator?.plan()
    return plan
  }

  /// Topics first: an entry about a topic that is not there protects nothing yet.
  func apply() async throws {
    try await topicAdministrator.apply(topics)
    if let access { try await accessAdministrator?.apply(access) }
  }

  func close() async { await topicAdministrator.close() }
}

/// One step of access as `--json` prints it.
private struct AccessRow: Encodable {
  var step: String
  var entry: String?
  var command: String?
  var reason: String?

  init(_ step: AccessStep) {
    switch step {
    case .add(let acl): (self.step, entry) = ("add", acl.description)
    case .remove(let acl): (self.step, entry) = ("remove", acl.description)
    case .byHand(let acl):
      (self.step, entry, command) = ("by-hand", acl.description, acl.command)
    case .strange(let acl): (self.step, entry) = ("strange", acl.description)
    case .missing(let reason): (self.step, self.reason) = ("missing", reason)
    }
  }

  func sentence(_ style: Style) -> String {
    switch step {
    case "add": "\(style.green("+")) \(entry ?? "")"
    case "remove": "\(style.red("-")) \(entry ?? "")"
    case "by-hand":
      "\(style.yellow("?")) \(entry ?? ""): librdkafka cannot write or see it; run:\n"
        + "    \(command ?? "")"
    case "strange": "\(style.yellow("!")) \(entry ?? ""): not in the table; left alone"
    default:
      "\(style.red("✗")) this cluster has no access control (\(reason ?? "")): forged records are "
        + "recognised by their stamps, not refused"
    }
  }
}

/// One step as `--json` prints it.
private struct StepRow: Encodable {
  var step: String
  var topic: String
  var partitions: Int32?
  var replication: Int16?
  var wanted: Int32?
  var settings: [String: String]?
  var before: [String: String]?

  init(_ step: TopicStep) {
    topic = step.topic
    switch step {
    case .create(_, let partitions, let replication, let config):
      self.step = "create"
      self.partitions = partitions
      self.replication = replication
      settings = config
    case .alter(_, let changes):
      self.step = "alter"
      settings = Dictionary(uniqueKeysWithValues: changes.map { ($0.name, $0.to) })
      before = Dictionary(uniqueKeysWithValues: changes.map { ($0.name, $0.from) })
    case .refuseResize(_, let has, let wanted):
      self.step = "refuse"
      partitions = has
      self.wanted = wanted
    case .unsupported(_, let names):
      self.step = "unsupported"
      settings = Dictionary(uniqueKeysWithValues: names.map { ($0, "") })
    case .unknown: self.step = "unknown"
    }
  }

  /// The step in words.
  func sentence(_ style: Style) -> String {
    switch step {
    case "create":
      let count = partitions.map { "\($0) partition\($0 == 1 ? "" : "s")" } ?? ""
      let stamp =
        settings?["message.timestamp.type"] == "LogAppendTime" ? ", stamped by the broker" : ""
      let kept = settings?["cleanup.policy"] == "compact" ? "compacted" : retention
      return "\(style.green("+")) \(topic): \(count), \(kept)\(stamp)"
    case "alter":
      let changes = (settings ?? [:]).sorted(by: <)
        .map { "\($0.key) \(before?[$0.key] ?? "?") → \($0.value)" }
      return "\(style.yellow("~")) \(topic): \(changes.joined(separator: ", "))"
    case "refuse":
      return "\(style.red("✗")) \(topic): has \(partitions ?? 0) partitions, "
        + "must have \(wanted ?? 0); never changed"
    case "unsupported":
      let names = (settings ?? [:]).keys.sorted().joined(separator: ", ")
      return "\(style.yellow("?")) \(topic): this broker does not tell \(names)"
    default:
      return "\(style.dim("·")) \(topic): not in the table; left alone"
    }
  }

  private var retention: String {
    guard let text = settings?["retention.ms"], let milliseconds = Int(text), milliseconds >= 0
    else { return "kept for ever" }
    return "kept \(milliseconds / 86_400_000) days"
  }
}

private func report(_ plan: TopicsPlan, verb: String, _ output: Output) throws {
  let rows = plan.topics.steps.map(StepRow.init)
  let access = plan.access?.steps.map(AccessRow.init)
  struct Report: Encodable {
    var applied: Bool
    var refused: Bool
    var steps: [StepRow]
    var access: [AccessRow]?
  }
  try output.json(
    Report(
      applied: verb == "did", refused: plan.topics.isRefused, steps: rows, access: access))
  for row in rows { output.line(row.sentence(output.style)) }
  for row in access ?? [] { output.line(row.sentence(output.style)) }
  guard !plan.topics.isRefused else { return }
  let count = plan.topics.changes.count + (plan.access?.changes.count ?? 0)
  guard count > 0 else {
    let what = access == nil ? "The topics are" : "Topics and access are"
    return output.line("\(what) as the table wants them.")
  }
  let changes = count == 1 ? "1 change" : "\(count) changes"
  output.line("\(verb == "did" ? "Made" : "To make"): \(changes).")
}

private func refusal() -> CommandFailure {
  CommandFailure(
    .found, "Topics have another number of partitions than they must have; nothing was changed.",
    advice: "Set topics.partitions (or --partitions) to what the events topic has, or leave it "
      + "out; to grow, move to a new version of the topic.")
}

/// Runs `body`, and says of a broker that cannot be reached what to do about it.
func reachingKafka(_ bootstrap: String, _ body: () async throws -> Void) async throws {
  do {
    try await body()
  } catch let error as KafkaError {
    throw CommandFailure(error, at: bootstrap)
  }
}

extension CommandFailure {
  /// What an error of Kafka means to whoever gave a command.
  init(_ error: KafkaError, at bootstrap: String) {
    let isAway = [.transport, .allBrokersDown].contains(error.code)
    self.init(
      .unavailable,
      isAway
        ? "No broker answers at \(bootstrap)."
        : "Kafka at \(bootstrap) did not do what was asked: \(error.message)",
      advice: "See that the broker runs and can be reached; `baton doctor` looks closer.")
  }
}
