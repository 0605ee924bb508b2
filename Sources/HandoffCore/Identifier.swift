/// A 128-bit identifier: ids of two kinds never compare, mix or convert by accident.
///
/// All ids on the wire are UUIDs or truncated keyed hashes of that width, so that an open handoff
/// costs few bytes and nothing of a sender's own id can be read from them.
public struct Identifier<Kind>: BitwiseCopyable, Hashable, Comparable, Sendable {
  /// The value, most significant byte first when written as bytes or text.
  public let rawValue: UInt128

  public init(rawValue: UInt128) {
    self.rawValue = rawValue
  }

  /// Reads sixteen bytes, most significant first; `nil` for any other count.
  public init?(bytes: some Sequence<UInt8>) {
    var value: UInt128 = 0
    var count = 0
    for byte in bytes {
      guard count < 16 else { return nil }
      value = value << 8 | UInt128(byte)
      count += 1
    }
    guard count == 16 else { return nil }
    rawValue = value
  }

  /// Reads thirty-two hexadecimal digits, with or without the four hyphens of a UUID.
  public init?(_ text: some StringProtocol) {
    var value: UInt128 = 0
    var digits = 0
    for byte in text.utf8 {
      if byte == UInt8(ascii: "-") { continue }
      guard digits < 32, let digit = hexadecimalDigit(byte) else { return nil }
      value = value << 4 | UInt128(digit)
      digits += 1
    }
    guard digits == 32 else { return nil }
    rawValue = value
  }

  /// The sixteen bytes, most significant first.
  public var bytes: [UInt8] {
    (0..<16).map { UInt8(truncatingIfNeeded: rawValue >> (8 * (15 - UInt128($0)))) }
  }

  public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

// What a reducer keeps of ids that it compares and never says (decision 0126).

extension Identifier<ReceptionKind> {
  /// The low 32 bits.
  var tail: UInt32 { UInt32(truncatingIfNeeded: rawValue) }

  /// The id that has nothing but these.
  init(tail: UInt32) { self.init(rawValue: UInt128(tail)) }

  /// When our connector took the arrival in, to the millisecond (RFC 9562 §5.7); `nil` where the id is
  /// no UUIDv7, as of an arrival whose key was changed.
  package var receivedAt: Timestamp? {
    guard rawValue >> 76 & 0xf == 7, rawValue >> 62 & 0b11 == 0b10 else { return nil }
    return Timestamp(milliseconds: Int64(rawValue >> 80))
  }
}

extension Identifier<TokenKind> {
  /// The bits of ``tail``.
  package static var tailMask: UInt64 { 0xffff_ffff_ffff }

  /// The low 48 bits.
  var tail: UInt64 { UInt64(truncatingIfNeeded: rawValue) & Self.tailMask }

  /// The id that has nothing but these.
  init(tail: UInt64) { self.init(rawValue: UInt128(tail)) }
}

extension Identifier: CustomStringConvertible {
  /// Thirty-two lower-case hexadecimal digits.
  public var description: String { hexadecimal(rawValue) }

  /// The same in the form of RFC 9562: 8-4-4-4-12.
  public var uuidString: String {
    let digits = Array(hexadecimal(bytes).utf8)
    let groups = [digits[0..<8], digits[8..<12], digits[12..<16], digits[16..<20], digits[20..<32]]
    return groups.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "-")
  }
}

/// What an ``EventID`` names: one thing a source said, the same again for the same bytes sent again.
public enum EventKind {}
/// What a ``ReceptionID`` names: one arrival at a connector.
public enum ReceptionKind {}
/// What a ``HandoffID`` names: the business thing that must close.
public enum HandoffIdentity {}
/// What a ``Token`` names: somebody's business id, seen only through a keyed hash.
public enum TokenKind {}
/// What an ``AlertID`` names: one episode of one rule about one subject.
public enum AlertKind {}
/// What a ``RecordHashPrefix`` names: the stored bytes of one record.
public enum RecordHashKind {}

/// Deterministic from what the source sent, under a keyed hash (UUIDv8, RFC 9562 §5.8).
public typealias EventID = Identifier<EventKind>
/// Given once to each arrival, before anything else (UUIDv7, RFC 9562 §5.7).
public typealias ReceptionID = Identifier<ReceptionKind>
/// HMAC token of the sender's id for the handoff (HMAC-SHA-256-128).
public typealias HandoffID = Identifier<HandoffIdentity>
/// HMAC token of any other business id (HMAC-SHA-256-128).
public typealias Token = Identifier<TokenKind>
/// Keyed hash of rule, subject and the event that began the episode.
public typealias AlertID = Identifier<AlertKind>
/// The leftmost 128 bits of a ``RecordHash`` (NIST SP 800-107 §5.1): what a reducer keeps of each record
/// that it may have to name as evidence (decision 0155).
public typealias RecordHashPrefix = Identifier<RecordHashKind>

/// Lower-case hexadecimal digits of `bytes`.
public func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
  let digits = Array("0123456789abcdef".utf8)
  var text: [UInt8] = []
  for byte in bytes {
    text.append(digits[Int(byte >> 4)])
    text.append(digits[Int(byte & 15)])
  }
  return String(decoding: text, as: UTF8.self)
}

/// Thirty-two lower-case hexadecimal digits.
func hexadecimal(_ value: UInt128) -> String {
  unsafe String(unsafeUninitializedCapacity: 32) { buffer in
    for part in 0..<4 {
      let word = UInt32(truncatingIfNeeded: value >> UInt128(96 - 32 * part))
      let digits = word.hexadecimalDigits
      for index in 0..<8 {
        unsafe buffer[8 * part + index] = UInt8(
          truncatingIfNeeded: digits >> UInt64(56 - 8 * index))
      }
    }
    return 32
  }
}

extension UInt32 {
  /// Eight lower-case hexadecimal digits, the first in the most significant byte.
  package var hexadecimalDigits: UInt64 {
    // A nibble to each byte.
    var spread = UInt64(self)
    spread = (spread << 16 | spread) & 0x0000_ffff_0000_ffff
    spread = (spread << 8 | spread) & 0x00ff_00ff_00ff_00ff
    spread = (spread << 4 | spread) & 0x0f0f_0f0f_0f0f_0f0f
    // One in each byte whose digit is a letter; letters stand 0x27 behind the digits.
    let letters = (spread + 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
    return spread + 0x3030_3030_3030_3030 + letters * 0x27
  }
}

/// The value of one hexadecimal digit of either case.
func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
  case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
  case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
  default: nil
  }
}
