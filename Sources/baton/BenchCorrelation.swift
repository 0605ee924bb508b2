import Foundation
import HandoffBus
import HandoffCodecs
import HandoffCore

/// The correlation table: what an entry weighs, how fast it is read back and looked up.
///
/// Six ids a person and four a handoff, between a thousand pairs of organisations. Beside it, in
/// the same run, a `Dictionary` that holds the same.
struct CorrelationBench {
  let sizes: BenchSizes

  /// Entries that are made and encoded at a time, outside the measured time.
  private static let chunkCount = 20_000
  private static let lookupCount = 2_000_000

  func run() throws -> [BenchResult] {
    var results: [BenchResult] = []
    for count in sizes.correlations {
      var restoring: [Double] = []
      var lookups: [Double] = []
      var weights: [Double] = []
      for _ in 0..<sizes.runs {
        let once = try measure(count)
        restoring.append(once.restoreSeconds)
        lookups.append(once.lookupsPerSecond)
        weights.append(once.bytesEach)
      }
      let name = count >= 1_000_000 ? "\(count / 1_000_000) M entries" : "\(count) entries"
      results += [
        // The first run begins with memory that nothing has used before: it tells the most.
        BenchResult(
          "correlation, \(name): memory of an entry", "bytes", [weights.max() ?? 0]),
        BenchResult("correlation, \(name): read back from encoded bytes", "seconds", restoring),
        BenchResult("correlation, \(name): looked up, half of them known", "lookups/s", lookups),
      ]
    }
    let count = min(sizes.correlations.first ?? 0, 1_000_000)
    results.append(
      BenchResult(
        "correlation, the same in a Dictionary: memory of an entry", "bytes",
        [try dictionary(count)]))
    return results
  }

  private func measure(
    _ count: Int
  ) throws -> (bytesEach: Double, restoreSeconds: Double, lookupsPerSecond: Double) {
    let before = BenchMeter.residentBytes()
    var table = CorrelationTable(countMax: count)
    var seconds = 0.0
    try eachChunk(count) { chunk in
      let records = chunk.map { $0.protobuf }
      seconds += BenchMeter.seconds(
        try ContinuousClock().measure {
          for record in records { table.restore(try CorrelationEntry(protobuf: record)) }
        })
    }
    guard table.count == count else { throw BenchFault.wrongCount }
    let bytes = Double(max(0, BenchMeter.residentBytes() - before)) / Double(count)
    var found = 0
    let lookups = min(Self.lookupCount, count * 4)
    let time = ContinuousClock().measure {
      for number in 0..<lookups {
        // Far apart, so that no lookup finds its entry in the processor's cache by luck.
        let place = Int(truncatingIfNeeded: Self.mixed(UInt64(number)) % UInt64(2 * count))
        if table[Self.token(place)] != nil { found += 1 }
      }
    }
    guard found > lookups / 4, found < lookups * 3 / 4 else { throw BenchFault.wrongCount }
    return (bytes, seconds, Double(lookups) / BenchMeter.seconds(time))
  }

  private func dictionary(_ count: Int) throws -> Double {
    let before = BenchMeter.residentBytes()
    var table: [Token: CorrelationTable.Known] = [:]
    try eachChunk(count) { chunk in
      for record in chunk.map({ $0.protobuf }) {
        let entry = try CorrelationEntry(protobuf: record)
        table[entry.token] = CorrelationTable.Known(
          patientKey: entry.patientKey, handoffID: entry.handoffID, from: entry.from,
          to: entry.to, kind: entry.kind)
      }
    }
    guard table.count == count else { throw BenchFault.wrongCount }
    return Double(max(0, BenchMeter.residentBytes() - before)) / Double(count)
  }

  private func eachChunk(_ count: Int, _ body: ([CorrelationEntry]) throws -> Void) throws {
    var next = 0
    while next < count {
      let end = min(next + Self.chunkCount, count)
      try body((next..<end).map(Self.entry))
      next = end
    }
  }

  private static func entry(_ number: Int) -> CorrelationEntry {
    let person = token(-1 - number / 6).rawValue
    guard
      let key = PatientKey(
        epoch: 1, hash: Token(rawValue: person).bytes + Token(rawValue: ~person).bytes),
      let from = ODSCode("F\(number / 6 % 37)"), let to = ODSCode("T\(number / 6 % 31)")
    else { preconditionFailure("literals of the bench are valid") }
    var entry = CorrelationEntry(
      token: token(number), patientKey: key,
      handoffID: HandoffID(rawValue: token(-1 - number / 4).rawValue ^ 1),
      eventID: EventID(rawValue: UInt128(number)), from: .ods(from), to: .ods(to))
    entry.kind = .message
    entry.seenDay = 20_000
    return entry
  }

  private static func token(_ number: Int) -> Token {
    let low = mixed(UInt64(bitPattern: Int64(number)))
    return Token(rawValue: UInt128(mixed(low)) << 64 | UInt128(low))
  }

  /// SplitMix64: as evenly spread as the keyed hashes that it stands for.
  private static func mixed(_ number: UInt64) -> UInt64 {
    var value = number &+ 0x9E37_79B9_7F4A_7C15
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }
}
