package import HandoffCore

/// Makes reception ids: UUIDv7 (RFC 9562 §5.7), strictly increasing within one generator.
///
/// The clock's time and the randomness are passed in. When the clock stands still or goes back
/// the last time is kept and the random part counts up (RFC 9562 §6.2, method 2).
package struct ReceptionIDGenerator: Sendable {
  private var milliseconds: UInt64 = 0
  /// The 74 bits behind the time.
  private var tail: UInt128 = 0

  private static let tailBits = 74

  package init() {}

  /// The next id; greater than all before it.
  package mutating func next(
    at now: Timestamp, using random: inout some RandomNumberGenerator
  ) -> ReceptionID {
    let time = UInt64(clamping: now.milliseconds) & 0xffff_ffff_ffff
    if time > milliseconds {
      milliseconds = time
      tail = Self.fresh(&random)
    } else {
      tail += 1 + UInt128(UInt32.random(in: 0...UInt32.max, using: &random))
      if tail >> Self.tailBits != 0 {
        milliseconds += 1
        tail = Self.fresh(&random)
      }
    }
    let version: UInt128 = 7 << 76
    let variant: UInt128 = 0b10 << 62
    let low: UInt128 = tail & ((1 << 62) - 1)
    return ReceptionID(
      rawValue: UInt128(milliseconds) << 80 | version | (tail >> 62) << 64 | variant | low)
  }

  /// Leaves the highest bit clear, so that counting up has room.
  private static func fresh(_ random: inout some RandomNumberGenerator) -> UInt128 {
    let wide = UInt128(random.next() as UInt64) << 64 | UInt128(random.next() as UInt64)
    return wide & ((1 << 73) - 1)
  }
}
