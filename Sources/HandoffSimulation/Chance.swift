package import HandoffCore

/// What is left to chance: the same numbers from the same seed on every machine (SplitMix64).
///
/// Nothing here takes a logarithm or a root: the mathematics library differs between machines in
/// the last bit, and the same seed must give the same bytes.
package struct Chance: Sendable {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  /// A generator of its own for each thing that `parts` name, so that one more draw here moves
  /// nothing there.
  package init(seed: UInt64, _ parts: UInt64...) {
    var mixed = Chance(seed: seed)
    for part in parts {
      mixed.state ^= part &* 0xd6e8_feb8_6659_fd93
      mixed.state = mixed.next()
    }
    state = mixed.state
  }

  package mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// From 0 up to, and without, 1.
  package mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// From 0 up to, and without, `count`.
  package mutating func below(_ count: Int) -> Int { Int(next() % UInt64(max(1, count))) }

  package mutating func happens(_ probability: Double) -> Bool { unit() < probability }

  package mutating func pick<Element>(_ choices: [Element]) -> Element {
    choices[below(choices.count)]
  }

  /// A length between two, in whole milliseconds.
  package mutating func span(_ low: Elapsed, _ high: Elapsed) -> Elapsed {
    let (least, most) = (low.nanoseconds / 1_000_000, high.nanoseconds / 1_000_000)
    guard most > least else { return low }
    return Elapsed(nanoseconds: (least + Int64(next() % UInt64(most - least))) * 1_000_000)
  }

  /// A moment part of the way from `start` to `end`, in whole milliseconds.
  package mutating func moment(
    from start: Timestamp, to end: Timestamp, between low: Double, and high: Double
  ) -> Timestamp {
    let share = low + unit() * (high - low)
    let length = max(0, end.since(start).nanoseconds / 1_000_000)
    let part = Int64(Double(length) * share)
    return start.advanced(by: Elapsed(nanoseconds: part * 1_000_000))
  }
}
