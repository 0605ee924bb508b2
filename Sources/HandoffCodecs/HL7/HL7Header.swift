import HandoffCore

/// The MSH segment, read as leniently as it takes to answer even a message that is refused.
struct HL7Header: Sendable {
  static let name = Array("MSH".utf8)

  let separators: HL7Separators
  private let segment: HL7Segment

  /// `nil` where there is no MSH segment whose separators can be read.
  init?(_ bytes: some Collection<UInt8>) {
    let trimmed = Self.trimmed(bytes)
    guard trimmed.starts(with: Self.name),
      let separators = try? HL7Separators(headerOf: trimmed)
    else { return nil }
    let line = trimmed.prefix { $0 != 0x0D && $0 != 0x0A }
    guard let segment = HL7Segment(line: line, separators: separators) else { return nil }
    self.separators = separators
    self.segment = segment
  }

  /// MSH-10.
  var controlID: String? { segment.value(10) }
  /// MSH-9 as `REF^I12`.
  var messageType: String? {
    guard let type = segment.value(9, 1) else { return nil }
    return segment.value(9, 2).map { "\(type)^\($0)" } ?? type
  }
  /// MSH-13.
  var sequence: UInt64? { segment.value(13).flatMap { UInt64($0) } }
  var isAcknowledgement: Bool { segment.value(9, 1) == "ACK" }
  /// MSH-12.
  var version: String? { segment.value(12) }
  /// MSH-15, when an accept acknowledgement is wanted; set in enhanced mode only.
  var acceptCondition: String? { segment.value(15)?.uppercased() }
  /// MSH-16, the same for the application acknowledgement.
  var applicationCondition: String? { segment.value(16)?.uppercased() }

  /// A field exactly as it is written, escapes and all.
  func raw(_ field: Int) -> [UInt8] {
    segment.repetitions(field).first.map { Array($0.bytes) } ?? []
  }

  /// The bytes without a byte order mark, and without blanks and framing before MSH.
  static func trimmed(_ bytes: some Collection<UInt8>) -> [UInt8] {
    var rest = bytes[...]
    if rest.starts(with: [0xEF, 0xBB, 0xBF]) { rest = rest.dropFirst(3) }
    return Array(rest.drop { $0 <= 0x20 })
  }
}

extension FrameMapper {
  /// The sequence number of a message (MSH-13), also of one that cannot be read any further.
  package static func sequence(of bytes: [UInt8]) -> UInt64? { HL7Header(bytes)?.sequence }
}
