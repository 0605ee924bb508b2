import ArgumentParser
import Foundation
import HandoffBus
import Logging
import Telemetry
import UnixSignals

/// `baton bench`: what this machine does, in numbers that a stranger can compare.
struct BenchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract:
      "Measure the reducer, its memory, correlation, the pipeline on Kafka, MLLP and a restart.",
    discussion: """
      Every number is the median of its runs, and what is compared is measured in one run: the \
      pipeline with transactions beside a bare loop of librdkafka's own calls that consumes, \
      writes each event again as it is and commits a transaction every 100 ms; deciding beside \
      mere decoding. What both wrote is read back as committed and counted. What needs one core \
      is also told per second of processor time, which other work on the machine changes less.

      A broker of its own is started on a free port where noida-db is there (BATON_NOIDA_DB or \
      PATH); --bootstrap names another, which must not hold topics of ours yet \
      and on which the pipeline runs once. Build with \
      `swift build -c release` before believing any number.
      """)

  /// What can be measured alone.
  enum Part: String, CaseIterable, ExpressibleByArgument {
    case reducer, year, stamp, correlation, mllp, pipeline, latency, restart
  }

  @OptionGroup var output: OutputOptions

  @Option(
    name: .long, parsing: .singleValue,
    help: ArgumentHelp("Only this part; may be given often.", valueName: "part"))
  var part: [Part] = []

  @Flag(name: .long, help: "Small sizes and one run: to see that it works, as CI does.")
  var quick = false

  @Option(name: .long, help: "How often each is measured: 3, or 1 with --quick.")
  var runs: Int?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "An empty broker, host:port, instead of one of its own.", valueName: "brokers"))
  var bootstrap: String?

  func run() async throws {
    Telemetry.bootstrap(level: .critical)
    let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
    try await withThrowingTaskGroup { group in
      group.addTask { await Self.stop(at: signals) }
      defer { group.cancelAll() }
      try await measure()
    }
  }

  private func measure() async throws {
    let sizes = BenchSizes(isQuick: quick, runs: runs)
    let output = Output(output)
    var results: [BenchResult] = []
    for part in part.isEmpty ? Part.allCases : part {
      let measured =
        switch part {
        case .reducer: try ReducerBench(sizes: sizes).run()
        case .year: try YearBench(sizes: sizes).run()
        case .stamp: try StampBench(sizes: sizes).run()
        case .correlation: try CorrelationBench(sizes: sizes).run()
        case .mllp: try await mllp(sizes)
        case .pipeline: try await pipeline(sizes)
        case .latency: try await latency(sizes)
        case .restart: try await restart(sizes)
        }
      for result in measured { output.line(result.line) }
      results += measured
    }
    try output.json(
      BenchReport(isQuick: quick, isDebugBuild: BenchReport.isDebug, results: results))
    if BenchReport.isDebug {
      output.line("\nThis is a debug build: the numbers say nothing about speed.")
    }
  }

  /// Ends at SIGTERM and SIGINT as one is ended that does not listen, and takes its broker along.
  private static func stop(at signals: UnixSignalsSequence) async {
    for await signal in signals {
      BenchBroker.stopRunning()
      Foundation.exit(128 + (signal == .sigint ? SIGINT : SIGTERM))
    }
  }

  private func mllp(_ sizes: BenchSizes) async throws -> [BenchResult] {
    try await MLLPBench(sizes: sizes).run()
  }

  private func pipeline(_ sizes: BenchSizes) async throws -> [BenchResult] {
    if let bootstrap {
      return try await BenchBroker.watching(bootstrap) {
        let bench = PipelineBench(sizes: sizes, bootstrap: bootstrap)
        try await bench.prepare()
        let bare = try await bench.run(.bare)
        return PipelineBench.results(
          of: sizes.events, bare: bare, pipeline: try await bench.run(.pipeline))
      }
    }
    return try await repeated(sizes) {
      var sides: [PipelineBench.Side] = []
      for part in [PipelineBench.Part.bare, .pipeline] {
        let side = try await onBroker { broker in
          let bench = PipelineBench(sizes: sizes, bootstrap: broker.bootstrap, broker: broker)
          try await bench.prepare()
          return try await bench.run(part)
        }
        guard let side else { return nil }
        sides.append(side)
      }
      return PipelineBench.results(of: sizes.events, bare: sides[0], pipeline: sides[1])
    }
  }

  private func latency(_ sizes: BenchSizes) async throws -> [BenchResult] {
    if let bootstrap {
      return try await BenchBroker.watching(bootstrap) {
        try await LatencyBench(sizes: sizes, bootstrap: bootstrap).run()
      }
    }
    return try await repeated(sizes) {
      try await onBroker {
        try await LatencyBench(sizes: sizes, bootstrap: $0.bootstrap).run()
      }
    }
  }

  /// Once: making a million memories takes longer than what is measured.
  private func restart(_ sizes: BenchSizes) async throws -> [BenchResult] {
    if let bootstrap {
      return try await BenchBroker.watching(bootstrap) {
        try await RestartBench(sizes: sizes, bootstrap: bootstrap).run()
      }
    }
    return try await repeated(sizes, runs: 1) {
      try await onBroker {
        try await RestartBench(sizes: sizes, bootstrap: $0.bootstrap).run()
      }
    }
  }

  /// Runs as often as is said and gathers what each gave; nothing where there is no broker.
  private func repeated(
    _ sizes: BenchSizes, runs: Int? = nil, _ body: () async throws -> [BenchResult]?
  ) async throws -> [BenchResult] {
    var results: [BenchResult] = []
    for _ in 0..<(runs ?? sizes.runs) {
      guard let run = try await body() else {
        Progress.line(
          "No broker: what needs one is not measured. Set BATON_NOIDA_DB or give --bootstrap.")
        return []
      }
      results =
        results.isEmpty
        ? run : zip(results, run).map { BenchResult($0.name, $0.unit, $0.runs + $1.runs) }
    }
    return results
  }

  /// Runs on an empty broker of its own; `nil` where there is none.
  private func onBroker<Value>(
    _ body: (BenchBroker) async throws -> Value
  ) async throws -> Value? {
    guard let broker = try await BenchBroker.start() else { return nil }
    let outcome = await Result(catching: {
      try await BenchBroker.watching(broker.bootstrap) { try await body(broker) }
    })
    broker.stop()
    return try outcome.get()
  }
}

/// How much is measured.
struct BenchSizes: Sendable {
  let runs: Int
  /// Distinct people that the reducer holds.
  let persons: Int
  /// Events that go through Kafka.
  let events: Int
  /// Messages sent by MLLP.
  let messages: Int
  /// Handoffs that begin on each of the 365 days.
  let handoffsPerDay: Int
  /// Seconds of 1,000 events each that latency is measured over.
  let latencySeconds: Int
  /// Entries of the correlation table, a table each.
  let correlations: [Int]

  init(isQuick: Bool, runs: Int?) {
    self.runs = max(1, runs ?? (isQuick ? 1 : 3))
    persons = isQuick ? 20_000 : 1_000_000
    events = isQuick ? 2_000 : 200_000
    messages = isQuick ? 500 : 20_000
    handoffsPerDay = isQuick ? 20 : 1_000
    latencySeconds = isQuick ? 3 : 30
    correlations = isQuick ? [20_000] : [1_000_000, 10_000_000]
  }
}

/// One measured thing: its median, and every run it comes from.
struct BenchResult: Encodable, Sendable {
  let name: String
  let unit: String
  let median: Double
  let runs: [Double]

  init(_ name: String, _ unit: String, _ runs: [Double]) {
    self.name = name
    self.unit = unit
    self.runs = runs
    let sorted = runs.sorted()
    median = sorted.isEmpty ? 0 : sorted[sorted.count / 2]
  }

  var line: String {
    let digits = median < 10 ? 2 : 0
    let value = median.formatted(.number.precision(.fractionLength(digits)))
    let pad = String(repeating: " ", count: max(1, 14 - value.count))
    return pad + value + " " + unit.padding(toLength: 16, withPad: " ", startingAt: 0) + name
  }
}

/// What `--json` prints.
private struct BenchReport: Encodable {
  let isQuick: Bool
  let isDebugBuild: Bool
  let results: [BenchResult]

  static var isDebug: Bool {
    #if DEBUG
      true
    #else
      false
    #endif
  }
}
