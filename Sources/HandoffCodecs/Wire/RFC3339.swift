package import HandoffCore

/// Moments as people and CloudEvents write them (RFC 3339), without a calendar library.
///
/// A platform's date formatter rounds to milliseconds; deadlines keep a sender's nanoseconds.
package enum RFC3339 {
  /// The moment in UTC with 0, 3, 6 or 9 decimals, as proto3 JSON writes it.
  package static func text(_ timestamp: Timestamp) -> String {
    let second: Int64 = 1_000_000_000
    let seconds = floorDivide(timestamp.nanoseconds, second)
    let nanos = timestamp.nanoseconds &- seconds &* second
    let day = floorDivide(seconds, 86_400)
    let time = seconds - day * 86_400
    var text =
      CivilDate(dayNumber: Int32(day)).description
      + "T\(digits(time / 3600, 2)):\(digits(time / 60 % 60, 2)):\(digits(time % 60, 2))"
    if nanos != 0 {
      if nanos % 1_000_000 == 0 {
        text += "." + digits(nanos / 1_000_000, 3)
      } else if nanos % 1_000 == 0 {
        text += "." + digits(nanos / 1_000, 6)
      } else {
        text += "." + digits(nanos, 9)
      }
    }
    return text + "Z"
  }

  /// Reads `2026-11-23T09:30:00.5Z` or an offset such as `+01:00`; `nil` for anything else, for a
  /// moment without a zone, and outside the years 1678 to 2262.
  package static func parse(_ text: some StringProtocol) -> Timestamp? {
    let bytes = Array(text.utf8.prefix(64))
    guard bytes.count >= 20, bytes[10] | 0x20 == UInt8(ascii: "t"), bytes[13] == UInt8(ascii: ":"),
      bytes[16] == UInt8(ascii: ":"),
      let date = CivilDate(String(decoding: bytes[0..<10], as: UTF8.self)),
      let hour = number(bytes[11..<13]), let minute = number(bytes[14..<16]),
      let second = number(bytes[17..<19]), hour < 24, minute < 60, second < 60
    else { return nil }

    var rest = bytes[19...]
    var nanos: Int64 = 0
    if rest.first == UInt8(ascii: ".") {
      let fraction = rest.dropFirst().prefix { (0x30...0x39).contains($0) }
      guard (1...9).contains(fraction.count), let value = number(fraction) else { return nil }
      nanos = (fraction.count..<9).reduce(value) { value, _ in value * 10 }
      rest = rest[fraction.endIndex...]
    }
    guard let offset = offset(rest) else { return nil }
    let seconds = Int64(date.dayNumber) * 86_400 + hour * 3600 + minute * 60 + second - offset
    // Saturation would turn a year 9999 into another moment: outside the range there is none.
    guard (-9_223_372_036...9_223_372_035).contains(seconds) else { return nil }
    return Timestamp(nanoseconds: seconds * 1_000_000_000 + nanos)
  }

  private static func offset(_ bytes: ArraySlice<UInt8>) -> Int64? {
    guard let sign = bytes.first else { return nil }
    let rest = bytes.dropFirst()
    if sign | 0x20 == UInt8(ascii: "z") { return rest.isEmpty ? 0 : nil }
    let isWest = sign == UInt8(ascii: "-")
    guard isWest || sign == UInt8(ascii: "+"), rest.count == 5,
      rest[rest.startIndex + 2] == UInt8(ascii: ":"),
      let hours = number(rest.prefix(2)), let minutes = number(rest.suffix(2)),
      hours < 24, minutes < 60
    else { return nil }
    return (hours * 3600 + minutes * 60) * (isWest ? -1 : 1)
  }

  private static func number(_ bytes: ArraySlice<UInt8>) -> Int64? {
    var value: Int64 = 0
    for byte in bytes {
      guard (0x30...0x39).contains(byte) else { return nil }
      value = value * 10 + Int64(byte - 0x30)
    }
    return value
  }

  private static func digits(_ value: Int64, _ count: Int) -> String {
    let text = String(value)
    return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
  }

  private static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
  }
}
