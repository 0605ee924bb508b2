import HandoffCore

/// A moment as FHIR `dateTime` and `instant`, RFC 3339 and proto3 JSON write it.
///
/// Dates may be cut short as FHIR allows; a time of day needs minutes and a zone, or it is read as
/// the connector's local time.
struct ISOTime: Hashable, Sendable {
  var timestamp: Timestamp
  /// No zone was given, and the local time occurred twice that night (A19).
  var isDoubtful: Bool

  /// `nil` where the text is no such moment.
  init?(_ text: String, localTime: MappingContext.LocalTime) {
    let bytes = Array(text.utf8)
    let dateEnd = bytes.firstIndex { $0 == UInt8(ascii: "T") || $0 == UInt8(ascii: "t") }
    let date = bytes[..<(dateEnd ?? bytes.endIndex)].split(
      separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    guard (1...3).contains(date.count), date[0].count == 4,
      date.dropFirst().allSatisfy({ $0.count == 2 })
    else { return nil }
    var values: [Int] = []
    for part in date {
      guard let value = Self.number(part) else { return nil }
      values.append(value)
    }
    while values.count < 3 { values.append(1) }
    var clock = Clock()
    if let dateEnd {
      guard date.count == 3, let read = Clock(bytes[(dateEnd + 1)...]) else { return nil }
      clock = read
    }
    guard
      let local = LocalDateTime(
        year: values[0], month: values[1], day: values[2], hour: clock.hour,
        minute: clock.minute, second: clock.second, nanosecond: clock.nanosecond)
    else { return nil }
    if let zone = clock.zone {
      timestamp = local.timestamp(offsetMinutes: zone)
      isDoubtful = false
    } else {
      (timestamp, isDoubtful) = local.resolved(in: localTime)
      if dateEnd == nil { isDoubtful = false }
    }
  }

  /// `hh:mm[:ss[.fraction]][Z|±hh:mm]`.
  private struct Clock {
    var hour = 0
    var minute = 0
    var second = 0
    var nanosecond = 0
    /// Minutes east of UTC.
    var zone: Int?

    init() {}

    init?(_ text: ArraySlice<UInt8>) {
      var digits = text
      if let last = text.last, last == UInt8(ascii: "Z") || last == UInt8(ascii: "z") {
        zone = 0
        digits = text.dropLast()
      } else if let sign = text.lastIndex(where: { $0 == 0x2B || $0 == 0x2D }) {
        let parts = text[(sign + 1)...].split(
          separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.count == 2 }),
          let hours = ISOTime.number(parts[0]), hours <= 14,
          let minutes = ISOTime.number(parts[1]), minutes < 60
        else { return nil }
        zone = (text[sign] == 0x2D ? -1 : 1) * (hours * 60 + minutes)
        digits = text[..<sign]
      }
      let fractions = digits.split(
        separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
      let parts = (fractions.first ?? []).split(
        separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
      guard fractions.count <= 2, (2...3).contains(parts.count),
        parts.allSatisfy({ $0.count == 2 }), let hour = ISOTime.number(parts[0]),
        let minute = ISOTime.number(parts[1])
      else { return nil }
      self.hour = hour
      self.minute = minute
      if parts.count == 3 {
        guard let second = ISOTime.number(parts[2]) else { return nil }
        self.second = second
      }
      if fractions.count == 2 {
        let fraction = fractions[1].prefix(9)
        guard parts.count == 3, fractions[1].allSatisfy({ (0x30...0x39).contains($0) }),
          var value = ISOTime.number(fraction)
        else { return nil }
        for _ in fraction.count..<9 { value *= 10 }
        nanosecond = value
      }
    }
  }

  private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
    guard !digits.isEmpty, digits.count <= 9, digits.allSatisfy({ (0x30...0x39).contains($0) })
    else { return nil }
    return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
  }
}
