import HandoffBus
import HandoffCore
import Testing

struct SourceVoicesTests {
  /// Heartbeats a minute apart, of a source each, with the total of frames that they say.
  private func doubled(_ said: (source: String, total: UInt64)...) throws -> [String] {
    var voices = SourceVoices()
    for (index, beat) in said.enumerated() {
      voices.hear(try heartbeat(beat.source, beat.total, minute: index))
    }
    return voices.doubled.map(\.description)
  }

  private func heartbeat(_ source: String, _ total: UInt64, minute: Int) throws -> SourceHeartbeat {
    SourceHeartbeat(
      source: try #require(Code(source)),
      at: Timestamp(milliseconds: 1_700_000_000_000).advanced(by: .minutes(Int64(minute))),
      completeUpTo: nil, lastSequence: nil, framesTotal: total, eventsTotal: 0, refusalsTotal: 0)
  }

  @Test func `two totals in turn are two processes, and those of other names are not`() throws {
    #expect(
      try doubled(
        ("pas", 40), ("lab", 7), ("pas", 3), ("lab", 7), ("pas", 41), ("lab", 8), ("pas", 3),
        ("pas", 41), ("pas", 4)) == ["pas"])
  }

  @Test func `one that beats twice as often as the other hides neither`() throws {
    #expect(
      try doubled(
        ("pas", 40), ("pas", 3), ("pas", 3), ("pas", 41), ("pas", 4), ("pas", 5), ("pas", 41))
        == ["pas"])
  }

  @Test func `one that counts, or begins anew once, is one process`() throws {
    #expect(try doubled(("pas", 1), ("pas", 1), ("pas", 2), ("pas", 9)).isEmpty)
    #expect(try doubled(("pas", 3), ("pas", 0), ("pas", 1), ("pas", 3), ("pas", 4)).isEmpty)
  }

  @Test func `an old word that comes late is no other voice`() throws {
    var voices = SourceVoices()
    for (total, minute): (UInt64, Int) in [(5, 5), (4, 4), (6, 6), (5, 5), (7, 7), (6, 6), (8, 8)] {
      voices.hear(try heartbeat("pas", total, minute: minute))
    }
    #expect(voices.doubled.isEmpty)
  }
}
