import HandoffCore

/// Reads the members of one JSON object by the names of proto3 JSON, and says where they stand.
///
/// Every name read is noted, so that a misspelt one is found instead of silently left out.
struct SubmissionReader {
  let path: String
  private let members: [String: JSONValue]
  private var read: Set<String> = []
  private let context: MappingContext

  init(_ json: JSONValue, path: String, context: MappingContext) throws(MappingError) {
    guard case .object(let members) = json else {
      throw Self.wrong(path, "an object is expected here")
    }
    self.members = members
    self.path = path
    self.context = context
  }

  /// A member by its lowerCamelCase name, or as the schema spells it.
  private mutating func member(_ name: String) -> (JSONValue, String)? {
    let snake = name.reduce(into: "") { text, character in
      text += character.isUppercase ? "_" + character.lowercased() : String(character)
    }
    read.formUnion([name, snake])
    guard let value = members[name] ?? members[snake], value != .null else { return nil }
    return (value, "\(path).\(name)")
  }

  mutating func text(_ name: String) throws(MappingError) -> String? {
    guard let (value, place) = member(name) else { return nil }
    guard case .string(let text) = value else {
      throw Self.wrong(place, "a string is expected here")
    }
    guard text.utf8.count <= context.limits.identifierMax else {
      throw Self.wrong(
        place, "the text is longer than identifierMax (\(context.limits.identifierMax)) bytes")
    }
    return text.isEmpty ? nil : text
  }

  mutating func code(_ name: String) throws(MappingError) -> Code? {
    guard let text = try text(name) else { return nil }
    guard let code = Code(text) else {
      throw Self.wrong(
        "\(path).\(name)", "a code is 1 to 64 of letters, digits and . _ : / - and no text")
    }
    return code
  }

  mutating func slug<Value>(
    _ name: String, _ make: (String) -> Value?
  ) throws(MappingError) -> Value? {
    guard let text = try text(name) else { return nil }
    guard let value = make(text) else {
      throw Self.wrong("\(path).\(name)", "1 to 40 lower-case letters, digits and hyphens")
    }
    return value
  }

  mutating func time(_ name: String) throws(MappingError) -> ISOTime? {
    guard let text = try text(name) else { return nil }
    guard let time = ISOTime(text, localTime: context.localTime) else {
      throw Self.wrong("\(path).\(name)", "a time is YYYY-MM-DDThh:mm:ss with a zone")
    }
    return time
  }

  mutating func flag(_ name: String) throws(MappingError) -> Bool? {
    guard let (value, place) = member(name) else { return nil }
    guard case .bool(let flag) = value else {
      throw Self.wrong(place, "true or false is expected here")
    }
    return flag
  }

  /// A whole number, as proto3 JSON writes it: 64-bit ones may be strings.
  mutating func number(_ name: String) throws(MappingError) -> UInt64? {
    guard let (value, place) = member(name) else { return nil }
    switch value {
    case .number(let text), .string(let text):
      guard let number = UInt64(text) else {
        throw Self.wrong(place, "a whole number is expected here")
      }
      return number
    case .null, .bool, .array, .object: throw Self.wrong(place, "a whole number is expected here")
    }
  }

  mutating func object<Value>(
    _ name: String, _ make: (inout SubmissionReader) throws(MappingError) -> Value
  ) throws(MappingError) -> Value? {
    guard let (value, place) = member(name) else { return nil }
    return try Self.whole(value, place, context, make)
  }

  mutating func objects<Value>(
    _ name: String, _ make: (inout SubmissionReader) throws(MappingError) -> Value
  ) throws(MappingError) -> [Value] {
    guard let (value, place) = member(name) else { return [] }
    guard case .array(let elements) = value else {
      throw Self.wrong(place, "an array is expected here")
    }
    var result: [Value] = []
    for (index, element) in elements.enumerated() {
      result.append(try Self.whole(element, "\(place)[\(index)]", context, make))
    }
    return result
  }

  /// Reads an object to its end: a member that nobody asked for is refused.
  static func whole<Value>(
    _ json: JSONValue, _ path: String, _ context: MappingContext,
    _ make: (inout SubmissionReader) throws(MappingError) -> Value
  ) throws(MappingError) -> Value {
    var reader = try SubmissionReader(json, path: path, context: context)
    let value = try make(&reader)
    guard Set(reader.members.keys).isSubset(of: reader.read) else {
      // The name itself is the sender's text and may be anything.
      throw MappingError(
        HandoffCodecs.code("submission.unknown-field"), field: path,
        explanation: "the object has a member that the schema does not know; check its spelling")
    }
    return value
  }

  /// The member is needed here.
  func missing(_ name: String, _ explanation: String) -> MappingError {
    MappingError(
      HandoffCodecs.code("submission.field-missing"), field: "\(path).\(name)",
      explanation: explanation)
  }

  static func wrong(_ place: String, _ explanation: String) -> MappingError {
    MappingError(
      HandoffCodecs.code("submission.field-invalid"), field: place, explanation: explanation)
  }
}
