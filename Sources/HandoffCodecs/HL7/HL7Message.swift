import HandoffCore

/// One HL7 v2 message, cut into segments and fields; values are read and unescaped on demand.
///
/// Segments stand in the order they came in, and nothing is made of that order but which
/// segments follow which (``groups(startingWith:)``).
struct HL7Message: Sendable {
  let separators: HL7Separators
  let segments: [HL7Segment]

  /// Reads the bytes of one message: separators, encoding, segments, version.
  init(_ bytes: some Collection<UInt8>, limits: MappingLimits = .init()) throws(MappingError) {
    guard bytes.count <= limits.messageBytesMax else {
      throw MappingError(
        code("hl7.message-too-long"),
        explanation: "the message is longer than the limit messageBytesMax of"
          + " \(limits.messageBytesMax) bytes")
    }
    let trimmed = HL7Header.trimmed(bytes)
    guard trimmed.starts(with: HL7Header.name) else {
      throw MappingError(
        code("hl7.segment-missing"), field: "MSH",
        explanation: "a message begins with its MSH segment", acknowledgement: .reject)
    }
    separators = try HL7Separators(headerOf: trimmed)
    let text = try HL7Encoding.decode(trimmed, separators: separators)
    segments = try Self.split(text, separators: separators, limits: limits)
  }

  /// The first segment of that name.
  func first(_ name: String) -> HL7Segment? { segments.first { $0.name == name } }

  /// All segments of that name, in the order they came in.
  func all(_ name: String) -> [HL7Segment] { segments.filter { $0.name == name } }

  /// Each segment of that name with what follows it, up to the next of that name.
  func groups(startingWith name: String) -> [[HL7Segment]] {
    var groups: [[HL7Segment]] = []
    for segment in segments {
      if segment.name == name {
        groups.append([segment])
      } else if !groups.isEmpty {
        groups[groups.count - 1].append(segment)
      }
    }
    return groups
  }

  /// A value of the first segment of that name.
  func value(_ name: String, _ field: Int, _ component: Int = 1, _ subcomponent: Int = 1) -> String?
  {
    first(name)?.value(field, component, subcomponent)
  }

  private static func split(
    _ text: [UInt8], separators: HL7Separators, limits: MappingLimits
  ) throws(MappingError) -> [HL7Segment] {
    var segments: [HL7Segment] = []
    let lines = text.split { $0 == 0x0D || $0 == 0x0A }
    for line in lines where line.contains(where: { $0 > 0x20 }) {
      guard segments.count < limits.segmentsMax else {
        throw MappingError(
          code("hl7.too-many-segments"),
          explanation: "the message has more than segmentsMax (\(limits.segmentsMax)) segments")
      }
      guard let segment = HL7Segment(line: line, separators: separators) else {
        throw MappingError(
          code("hl7.segment-name"), field: "segment \(segments.count + 1)",
          explanation: "a segment begins with its name, a capital and two capitals or digits,"
            + " and the field separator")
      }
      guard segment.fieldCount <= limits.fieldsMax else {
        throw MappingError(
          code("hl7.too-many-fields"), field: "segment \(segments.count + 1)",
          explanation: "the segment has more than fieldsMax (\(limits.fieldsMax)) fields")
      }
      segments.append(segment)
    }
    return segments
  }
}

/// One segment of a message.
struct HL7Segment: Sendable {
  let name: String
  private let separators: HL7Separators
  /// Fields as they stand, the name being number 0.
  private let fields: [ArraySlice<UInt8>]

  /// `nil` where the line does not begin with a segment name.
  init?(line: ArraySlice<UInt8>, separators: HL7Separators) {
    let name = line.prefix(3)
    guard name.count == 3, let first = name.first,
      (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(first),
      name.allSatisfy({
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0)
          || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
      }),
      line.dropFirst(3).first.map({ $0 == separators.field }) ?? true
    else { return nil }
    self.name = String(decoding: name, as: UTF8.self)
    self.separators = separators
    fields = line.split(separator: separators.field, omittingEmptySubsequences: false)
  }

  /// How many parts the line has, its name among them.
  var fieldCount: Int { fields.count }

  /// The greatest number that a field of the segment has.
  var lastField: Int { isHeader ? fields.count : fields.count - 1 }

  /// The repetitions of a field, empty ones left out.
  ///
  /// Fields are counted as the standard does, MSH-1 being the separator itself.
  func repetitions(_ field: Int) -> [HL7Repetition] {
    let index = isHeader ? field - 1 : field
    guard fields.indices.contains(index), index > 0 else { return [] }
    let parts: [ArraySlice<UInt8>] =
      isHeader && field == 2
      ? [fields[index]]
      : fields[index].split(separator: separators.repetition, omittingEmptySubsequences: true)
    return parts.map { HL7Repetition(bytes: $0, separators: separators) }
  }

  /// A value of the first repetition; `nil` where it is empty or HL7's null (`""`).
  func value(_ field: Int, _ component: Int = 1, _ subcomponent: Int = 1) -> String? {
    repetitions(field).first?.value(component, subcomponent)
  }

  /// Whether the field is HL7's null (`""`): the sender asks to delete what was said before.
  ///
  /// An empty field says nothing, and leaves what was said.
  func isNull(_ field: Int) -> Bool {
    repetitions(field).first.map { Array($0.bytes) == Array("\"\"".utf8) } ?? false
  }

  /// Whether the field holds anything but separators and blanks.
  func hasContent(_ field: Int) -> Bool {
    repetitions(field).contains { repetition in
      repetition.bytes.contains { byte in
        byte > 0x20 && byte != separators.component && byte != separators.subcomponent
      }
    }
  }

  /// Whether its field 1 is the field separator (MSH, FHS, BHS).
  private var isHeader: Bool { name == "MSH" || name == "FHS" || name == "BHS" }
}

/// One repetition of a field.
struct HL7Repetition: Sendable {
  let bytes: ArraySlice<UInt8>
  let separators: HL7Separators

  /// A component or subcomponent, counted from 1, unescaped and without blanks around it.
  func value(_ component: Int, _ subcomponent: Int = 1) -> String? {
    guard let whole = part(component, of: bytes, by: separators.component),
      let text = part(subcomponent, of: whole, by: separators.subcomponent)
    else { return nil }
    let value = HL7Escapes.unescape(text, separators: separators)
    return value.isEmpty || value == "\"\"" ? nil : value
  }

  private func part(
    _ number: Int, of bytes: ArraySlice<UInt8>, by separator: UInt8
  ) -> ArraySlice<UInt8>? {
    let parts = bytes.split(
      separator: separator, maxSplits: number, omittingEmptySubsequences: false)
    return parts.indices.contains(number - 1) ? parts[number - 1] : nil
  }
}
