import Foundation
import HandoffBus
import HandoffCodecs
import HandoffCore
import KafkaClient
import TestSupport
import Testing

private let environment = ProcessInfo.processInfo.environment
private let canRun = TestBroker.isAvailable && BatonExecutable.url != nil
/// Rounds on one broker: a few in every run, a hundred by `deploy/kill-campaign`.
private let roundCount = environment["BATON_KILL_ROUNDS"].flatMap(Int.init) ?? 3
private let seed =
  environment["BATON_SEED"].flatMap(UInt64.init) ?? UInt64.random(in: 0..<1_000_000)

@Suite(.serialized) struct `Reconcilers that come, go and are killed` {
  /// What one round did to the instances.
  private enum Act: String, CaseIterable {
    /// SIGKILL of one, which comes back under its name.
    case kill
    /// SIGKILL of all at the same moment.
    case killAll = "kill all"
    /// SIGTERM of one: it leaves the group, the others take over.
    case leave
    /// One more instance joins.
    case join
    /// A second process under the same name: it fences the first, which lives on as a zombie.
    case usurp
  }

  @Test(.enabled(if: canRun, "\(TestBroker.skipReason), and the built baton"))
  func `say together what the offline run says, nothing missing and nothing extra`() async throws {
    print("seed \(seed): BATON_SEED=\(seed) repeats the events and the acts")
    let bench = try await ReconcilerBench()
    defer { bench.broker.stop() }
    var random = SeededGenerator(seed: seed)
    var journeys = JourneyGenerator(seed: seed)
    var events = journeys.events(count: max(600, roundCount * 60))[...]
    var fleet = Fleet(bench: bench)
    defer { fleet.killAll() }
    try fleet.launch()
    var acts: [Act: Int] = [:]
    var transactions = 0
    for round in 0..<roundCount {
      let share = events.count / (roundCount - round)
      try await bench.publish(Array(events.prefix(share / 2)))
      let before = try await changelogSize(bench)
      try await bench.publish(Array(events.prefix(share).dropFirst(share / 2)))
      events = events.dropFirst(share)
      // Three rounds of four strike a reconciler that is at work.
      if Int.random(in: 0..<4, using: &random) > 0 {
        try await bench.until("a transaction in round \(round)") {
          transactions = try await changelogSize(bench)
          return transactions > before
        }
      }
      let act = fleet.choose(using: &random)
      acts[act, default: 0] += 1
      try fleet.perform(act, using: &random)
    }
    let result = try await finish(bench, &fleet)
    report(rounds: roundCount, acts, result)
  }

  private struct Outcome {
    var events = 0
    var verdicts = 0
    var rules: [Rule] = []
    var missing = 0
    var extra = 0
    var repeated = 0
  }

  /// Lets everybody who ever was in the group end the work, and compares.
  private func finish(_ bench: ReconcilerBench, _ fleet: inout Fleet) async throws -> Outcome {
    try fleet.restartAll()
    for _ in 0..<3 {
      try await bench.judgeAll()
    }
    fleet.killAll()
    try await bench.settle()
    let live = try await bench.verdicts()
    let offline = try await bench.offlineRun()
    let said = Set(CanonicalForm.lines(live))
    let expected = Set(offline.split(separator: "\n").map { String($0) })
    var outcome = Outcome()
    outcome.verdicts = live.count
    outcome.rules = Set(live.map(\.rule)).sorted()
    outcome.missing = expected.subtracting(said).count
    outcome.extra = said.subtracting(expected).count
    outcome.repeated = live.count - said.count
    #expect(CanonicalForm.text(of: live) == offline)
    #expect(outcome.repeated == 0, "a verdict was committed twice")
    #expect(outcome.verdicts > 0)
    return outcome
  }

  private func changelogSize(_ bench: ReconcilerBench) async throws -> Int {
    try await TopicScan(bench.kafka, topic: .reconcilerState).committedEnds()
      .reduce(0) { $0 + Int($1.offset) }
  }

  private func report(rounds: Int, _ acts: [Act: Int], _ outcome: Outcome) {
    let done = Act.allCases.map { "\($0.rawValue) \(acts[$0, default: 0])" }
      .joined(separator: ", ")
    let rules = outcome.rules.map(\.rawValue).joined(separator: " ")
    print(
      """
      CAMPAIGN | \(rounds) | \(seed) | \(done) | \(outcome.verdicts) | \(outcome.missing) \
      | \(outcome.extra) | \(outcome.repeated) | \(rules) |
      """)
  }

  /// The processes of `baton reconcile` on one broker, by the name of their instance.
  private struct Fleet {
    let bench: ReconcilerBench
    private var running: [(name: String, process: Process)] = []
    private static let names = ["one", "two", "three"]

    init(bench: ReconcilerBench) { self.bench = bench }

    /// Starts the first instance whose name is free.
    mutating func launch() throws {
      guard let name = Self.names.first(where: { name in !running.contains { $0.name == name } })
      else { return }
      running.append((name, try bench.launch(instance: name)))
    }

    /// Kills all and starts every instance there ever was: the stand-in for Kafka never takes a
    /// partition from a member that is gone, until it comes back under its name.
    mutating func restartAll() throws {
      killAll()
      for _ in Self.names { try launch() }
    }

    /// An act that the fleet as it stands allows.
    func choose(using random: inout SeededGenerator) -> Act {
      let possible = Act.allCases.filter { act in
        switch act {
        case .kill, .killAll, .usurp: true
        case .leave: running.count > 1
        case .join: running.count < Self.names.count
        }
      }
      return possible.randomElement(using: &random) ?? .kill
    }

    mutating func perform(_ act: Act, using random: inout SeededGenerator) throws {
      // Two under one name fight for it as long as both live.
      for zombie in zombies where zombie.isRunning { bench.kill(zombie) }
      zombies = []
      let index = Int.random(in: 0..<running.count, using: &random)
      switch act {
      case .kill:
        bench.kill(running[index].process)
        running[index].process = try bench.launch(instance: running[index].name)
      case .killAll:
        for member in running { Foundation.kill(member.process.processIdentifier, SIGKILL) }
        for position in running.indices {
          running[position].process.waitUntilExit()
          running[position].process = try bench.launch(instance: running[position].name)
        }
      case .leave:
        let member = running.remove(at: index)
        member.process.terminate()
        member.process.waitUntilExit()
      case .join: try launch()
      case .usurp:
        let zombie = running[index]
        running[index].process = try bench.launch(instance: zombie.name)
        zombies.append(zombie.process)
      }
    }

    private var zombies: [Process] = []

    mutating func killAll() {
      for process in running.map(\.process) + zombies where process.isRunning {
        bench.kill(process)
      }
      running = []
      zombies = []
    }
  }
}
