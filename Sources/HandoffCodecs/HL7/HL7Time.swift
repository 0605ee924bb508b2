package import HandoffCore

/// A moment as HL7 v2 writes it: `YYYY[MM[DD[HH[MM[SS[.S[S[S[S]]]]]]]]][+/-ZZZZ]`.
struct HL7Time: Hashable, Sendable {
  var timestamp: Timestamp
  /// No zone was given, and the local time occurred twice that night (A19).
  var isDoubtful: Bool
  /// Digits of the date and time given, 4 (a year) to 14 (seconds).
  var precision: Int

  /// Reads a DTM or TS; `nil` where it is neither.
  init?(_ text: String, localTime: MappingContext.LocalTime) {
    let bytes = Array(text.utf8)
    guard let zoneStart = bytes.firstIndex(where: { $0 == 0x2B || $0 == 0x2D }) else {
      self.init(digits: bytes[...], zone: nil, localTime: localTime)
      return
    }
    guard let minutes = Self.offset(bytes[zoneStart...]) else { return nil }
    self.init(digits: bytes[..<zoneStart], zone: minutes, localTime: localTime)
  }

  private init?(digits: ArraySlice<UInt8>, zone: Int?, localTime: MappingContext.LocalTime) {
    let parts = digits.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), let whole = parts.first,
      [4, 6, 8, 10, 12, 14].contains(whole.count)
    else { return nil }
    var values = [0, 1, 1, 0, 0, 0]
    var rest = whole
    for index in values.indices where !rest.isEmpty {
      let width = index == 0 ? 4 : 2
      guard let value = Self.number(rest.prefix(width)) else { return nil }
      values[index] = value
      rest = rest.dropFirst(width)
    }
    var nanoseconds = 0
    if parts.count == 2 {
      guard whole.count == 14, (1...9).contains(parts[1].count),
        let fraction = Self.number(parts[1])
      else { return nil }
      nanoseconds = fraction
      for _ in parts[1].count..<9 { nanoseconds *= 10 }
    }
    guard
      let local = LocalDateTime(
        year: values[0], month: values[1], day: values[2], hour: values[3], minute: values[4],
        second: values[5], nanosecond: nanoseconds)
    else { return nil }
    precision = whole.count
    if let zone {
      timestamp = local.timestamp(offsetMinutes: zone)
      isDoubtful = false
    } else {
      (timestamp, isDoubtful) = local.resolved(in: localTime)
      // A date alone is no time of day, so there is no doubt which hour is meant.
      if whole.count < 10 { isDoubtful = false }
    }
  }

  private static func offset(_ zone: ArraySlice<UInt8>) -> Int? {
    let digits = zone.dropFirst()
    guard digits.count == 4, let hours = number(digits.prefix(2)), hours <= 14,
      let minutes = number(digits.suffix(2)), minutes < 60
    else { return nil }
    return (zone.first == 0x2D ? -1 : 1) * (hours * 60 + minutes)
  }

  private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
    guard !digits.isEmpty, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
  }
}

extension Timestamp {
  /// The moment in UTC as HL7 v2 writes it, to the second.
  package var hl7Text: String {
    let seconds = nanoseconds.flooredQuotient(by: 1_000_000_000)
    let days = seconds.flooredQuotient(by: 86_400)
    let time = seconds - days * 86_400
    let date = CivilDate(dayNumber: Int32(days)).components
    func padded(_ value: Int64, _ width: Int) -> String {
      let text = String(value)
      return String(repeating: "0", count: max(0, width - text.count)) + text
    }
    return padded(Int64(date.year), 4) + padded(Int64(date.month), 2) + padded(Int64(date.day), 2)
      + padded(time / 3600, 2)
      + padded(time / 60 % 60, 2) + padded(time % 60, 2) + "+0000"
  }
}

extension Int64 {
  fileprivate func flooredQuotient(by divisor: Int64) -> Int64 {
    let quotient = self / divisor
    return self % divisor < 0 ? quotient - 1 : quotient
  }
}
