import ArgumentParser
import Foundation
import HandoffCodecs
import HandoffCore
import HandoffSimulation
import KafkaClient

/// `baton simulate run`: events, alerts and the truth into a folder.
struct SimulateRunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Write events, the reconciler's alerts and the truth of a simulated region.",
    discussion: """
      The folder gets events.ndjson (what `baton events export` gives of the topic, without \
      ticks), alerts.ndjson (verdicts as they were said), truth.ndjson (one fault or look-alike a \
      line: which rule should speak, of what, and when it can be known at the earliest), \
      sources.ndjson (what connectors say of themselves), policy.yaml and register.yaml (what it is \
      judged by) and summary.json (counts, score, and what memory held each week).

      Events stream: a year holds no more in memory than what is open at a time.
      """)

  /// Sets of faults that have a name.
  private static let plans: [String: FaultPlan] = [
    "none": .none, "standard": .standard, "dense": .dense,
  ]

  @OptionGroup var output: OutputOptions

  @Option(
    name: .long, help: ArgumentHelp("The same seed gives the same bytes.", valueName: "number"))
  var seed: UInt64 = 1

  @Option(name: .long, help: ArgumentHelp("How long, from the start on.", valueName: "days"))
  var days = 7

  @Option(
    name: .long,
    help: ArgumentHelp(
      "How large, of the region of 1.8 million: 0.01 is some 130 handoffs a working day.",
      valueName: "part"))
  var scale = 0.01

  @Option(
    name: .long,
    help: ArgumentHelp(
      "none, standard, dense, or a file of `fault: rate` lines (`baton simulate faults` prints "
        + "one).", valueName: "set"))
  var faults = "standard"

  @Flag(name: .long, help: "Abort, crash and tear the reconciler's transactions on the way.")
  var rough = false

  @Option(
    name: .long,
    help: ArgumentHelp("First midnight, as a time with its zone.", valueName: "time"))
  var start: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Between two heartbeats of a connector, which has faults of its own; what a silent one kept "
        + "arrives late. 0: connectors say nothing, and silence is judged when it is due.",
      valueName: "minutes"))
  var heartbeat = 15

  @Option(name: .long, help: ArgumentHelp("Partitions of the events topic.", valueName: "count"))
  var partitions: Int32 = 4

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Write the events as messages too, HL7 v2 and FHIR (BaRS), a file for each connector; every one "
        + "is marked as for training.", valueName: "folder"))
  var messages: String?

  @Option(
    name: .customLong("output"), help: ArgumentHelp("Folder to write to.", valueName: "folder"))
  var folder: String

  func validate() throws {
    guard (1...3660).contains(days) else {
      throw ValidationError("--days must be from 1 to 3660.")
    }
    guard scale > 0, scale <= 2 else {
      throw ValidationError("--scale must be above 0, and at most 2.")
    }
    guard heartbeat == 0 || (2...60).contains(heartbeat) else {
      throw ValidationError("--heartbeat must be 0, or from 2 to 60 minutes.")
    }
    guard (1...256).contains(partitions) else {
      throw ValidationError("--partitions must be from 1 to 256.")
    }
  }

  func run() throws {
    let plan = try plan()
    let begin = try start.map(time(named: "--start")) ?? Simulation.defaultStart
    let count = partitions
    let url = try Self.folder(folder)
    let simulation = Simulation(
      seed: seed, days: days, scale: scale, faults: plan, policy: try policy(from: begin, url),
      start: begin,
      placing: Placing(partitionCount: count) {
        KafkaPartitioner.murmur2($0, partitionCount: count)
      }, heartbeat: heartbeat == 0 ? nil : .minutes(Int64(heartbeat)))
    var bus = SimulatedBus(simulation, seed: seed, faults: rough ? .dense : .none)
    var files = try SimulationWriter(url)
    var training = try messages.map { TrainingWriter(try Self.folder($0)) }
    try bus.run { piece in
      try files.take(piece)
      if case .record(let stored) = piece { try training?.take(stored) }
    }
    try training?.close()
    let summary = try files.close(bus)
    let output = Output(output)
    try output.result(summary) {
      SimulationText.summary(summary) + "\n\n"
        + SimulationText.score(summary.score, style: output.style)
    }
  }

  private static func folder(_ path: String) throws -> URL {
    let url = URL(filePath: path)
    do {
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    } catch {
      throw CommandFailure.file(path, doing: "create", error)
    }
    return url
  }

  /// What it is judged by, as files that `baton reconcile` takes.
  private func policy(from begin: Timestamp, _ url: URL) throws -> Policy {
    func write(_ text: String, _ name: String) throws -> [UInt8] {
      do {
        try text.write(to: url.appending(path: name), atomically: true, encoding: .utf8)
      } catch {
        throw CommandFailure.file(name, doing: "write", error)
      }
      return Array(text.utf8)
    }
    let interval = heartbeat == 0 ? nil : Elapsed.minutes(Int64(heartbeat))
    let expected = Simulation.policy(.default, from: begin, heartbeat: interval)
    let bytes = try write(PolicyDocument.render(expected), SimulationFiles.policy)
    var policy = try PolicyDocument(bytes).policy
    guard let register = expected.register else { return policy }
    let codes = try write(RegisterDocument.render(register), SimulationFiles.register)
    policy.register = try RegisterDocument(codes).register
    return policy
  }

  private func plan() throws -> FaultPlan {
    if let plan = Self.plans[faults] { return plan }
    let text: String
    do {
      text = try String(contentsOf: URL(filePath: faults), encoding: .utf8)
    } catch {
      throw CommandFailure.file(faults, doing: "read", error)
    }
    do throws(FaultPlanFaults) {
      return try FaultPlan(text: text)
    } catch {
      throw CommandFailure(
        .badConfiguration, "The faults of \(faults) are refused: \(error).",
        advice: "`baton simulate faults` prints a file with every fault and its rate.")
    }
  }
}

/// `baton simulate faults`: every fault and its rate, as the file that `--faults` takes.
struct SimulateFaultsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "faults", abstract: "Print every fault with its rate, as a file for --faults.")

  @OptionGroup var output: OutputOptions

  func run() throws {
    let rates = Dictionary(
      uniqueKeysWithValues: FaultPlan.standard.rates.map { ($0.key.rawValue, $0.value) })
    try Output(output).result(rates) { String(FaultPlan.standard.text.dropLast()) }
  }
}

/// What a run did, as `summary.json` keeps it.
struct SimulationSummary: Codable {
  var journeys: UInt64
  var events: Int
  var verdicts: Int
  var sourceRecords: Int
  var ticks: Int
  /// Handoffs and look-alikes by fault, whether or not they can be known by the end.
  var faults: [String: Int]
  /// Batches of the reconciler by how they ended.
  var batches: [String: Int]
  var booksBalanced: Bool
  var memory: [SimulatedBus.Sample]
  var score: ScoreReport
}

/// Writes the files of a run as it goes.
struct SimulationWriter {
  private let url: URL
  private let events: NDJSONFile.Writer
  private let alerts: NDJSONFile.Writer
  private let truth: NDJSONFile.Writer
  private let sources: NDJSONFile.Writer
  private var truths: [Truth] = []
  private var raised = RaisedAlerts()
  private var eventCount = 0
  private var verdictCount = 0
  private var sourceCount = 0

  init(_ url: URL) throws {
    self.url = url
    func writer(_ name: String) throws -> NDJSONFile.Writer {
      try NDJSONFile.Writer(url.appending(path: name).path(percentEncoded: false))
    }
    events = try writer(SimulationFiles.events)
    alerts = try writer(SimulationFiles.alerts)
    truth = try writer(SimulationFiles.truth)
    sources = try writer(SimulationFiles.sources)
  }

  mutating func take(_ piece: SimulatedBus.Output) throws {
    switch piece {
    case .record(let stored):
      eventCount += 1
      try events.write(NDJSON.line(stored))
    case .verdict(let verdict, let time):
      raised.take(verdict)
      let place = RecordCoordinates(
        topic: "handoff.alerts.v1", partition: 0, offset: Int64(verdictCount))
      verdictCount += 1
      let stored = StoredRecord(
        record: WireCodec().encode(verdict), coordinates: place, brokerAt: time)
      try alerts.write(NDJSON.line(stored, form: .decoded))
    case .source(let stored):
      sourceCount += 1
      try sources.write(NDJSON.line(stored))
    case .truth(let known):
      truths.append(known)
      try truth.write(Array(try Output.jsonText(TruthLine(known)).utf8))
    }
  }

  func close(_ bus: SimulatedBus) throws -> SimulationSummary {
    for writer in [events, alerts, truth, sources] { try writer.close() }
    let summary = SimulationSummary(
      journeys: bus.simulation.journeyCount, events: eventCount, verdicts: verdictCount,
      sourceRecords: sourceCount, ticks: bus.tickCount,
      faults: Dictionary(
        uniqueKeysWithValues: bus.simulation.faultCounts.map { ($0.key.rawValue, $0.value) }),
      batches: Dictionary(
        uniqueKeysWithValues: bus.outcomes.map { ($0.key.rawValue, $0.value) }),
      booksBalanced: bus.areBooksBalanced, memory: bus.samples,
      score: ScoreReport(Score(truths: truths, alerts: raised.all)))
    let writer = try NDJSONFile.Writer(
      url.appending(path: SimulationFiles.summary).path(percentEncoded: false))
    try writer.write(Array(try Output.jsonText(summary).utf8))
    try writer.close()
    return summary
  }
}
