import TestSupport

/// The JSON Schema of each kind of record, made from the `.proto` files: their fields, and what
/// their comments say of them.
///
/// The words that count in a comment: `Mandatory.`, `1 to 9`, `from 1`, `now 1`, `At most 64.`
struct RecordSchemas {
  private let source: ProtoSource

  init(_ source: ProtoSource) { self.source = source }

  /// Where the files are; nothing is to be fetched from there, so that the host does not exist.
  static let base = "https://baton.invalid/handoff/v1/"

  /// What stands in records of its own: every message that no other one holds, and three
  /// that are also kept in a partition's state, or go with a person to another key.
  var records: [ProtoSource.Message] {
    let held = Set(source.messages.flatMap(\.fields).map(\.type))
    return source.messages.filter {
      (!held.contains($0.name)
        || ["SourceState", "RulesActivation", "PersonState"].contains($0.name))
        && $0.name != Self.neverInJSON
    }
  }

  /// What a sealed frame holds: it is written and read by Baton alone, in Protobuf.
  static let neverInJSON = "FrameContent"

  /// What stands on topics: neither what is sealed into a record, nor what ingest alone reads.
  var onTopics: [ProtoSource.Message] {
    records.filter { !["HandoffSubmission", "Notice"].contains($0.name) }
  }

  /// File names and schemas.
  var files: [(name: String, schema: JSONTree)] {
    records.map { (Self.fileName(of: $0.name), schema(of: $0)) }
  }

  /// What a verdict must name, by what it is about.
  private static let subjects: JSONTree = [
    [
      "description": "About a person: the person, and the event that began it.",
      "if": ["not": ["required": ["subject"]]],
      "then": ["required": ["patientKey", "beganWith"]],
    ],
    [
      "description": "About a source: which one.",
      "if": ["required": ["subject"], "properties": ["subject": ["const": "SUBJECT_SOURCE"]]],
      "then": ["required": ["source"]],
    ],
  ]

  /// Every schema of the contract as the code makes it; the files beside it are held equal.
  static func all() throws -> [String: JSONSchema] {
    let made = RecordSchemas(try ProtoSource.contract())
    var documents = Dictionary(uniqueKeysWithValues: made.files.map { ($0.name, $0.schema) })
    documents[LineSchema.fileName] = LineSchema(records: made.records).schema
    return documents.mapValues { _ in documents }.reduce(into: [:]) { all, entry in
      all[entry.key] = JSONSchema(entry.key, documents: entry.value)
    }
  }

  static func fileName(of message: String) -> String {
    var name = ""
    for character in message {
      if character.isUppercase, !name.isEmpty { name += "-" }
      name += character.lowercased()
    }
    return name + ".schema.json"
  }

  private func schema(of message: ProtoSource.Message) -> JSONTree {
    var shapes = Shapes(source: source, isSubmission: message.name == "HandoffSubmission")
    var schema: JSONTree = [
      "$schema": "https://json-schema.org/draft/2020-12/schema",
      "$id": .string(Self.base + Self.fileName(of: message.name)),
      "title": .string("\(ProtoSource.package).\(message.name)"),
    ]
    let body = shapes.object(message)
    for member in body.members { schema[member.name] = member.value }
    if shapes.isSubmission { schema["allOf"] = SubmissionRules.conditions }
    if message.name == "Verdict" { schema["allOf"] = Self.subjects }
    let definitions = shapes.definitions.sorted { $0.key < $1.key }
    if !definitions.isEmpty {
      schema["$defs"] = .object(definitions.map { JSONTree.Member($0.key, $0.value) })
    }
    return schema
  }
}

/// The parts of one schema, and the definitions that they turned out to need.
private struct Shapes {
  let source: ProtoSource
  /// A submission is written by others: it names things in clear, and a misspelt member is refused.
  let isSubmission: Bool
  private(set) var definitions: [String: JSONTree] = [:]

  init(source: ProtoSource, isSubmission: Bool) {
    self.source = source
    self.isSubmission = isSubmission
  }

  mutating func object(_ message: ProtoSource.Message) -> JSONTree {
    var schema: JSONTree = ["description": .string(message.comment), "type": "object"]
    var properties: [JSONTree.Member] = []
    for field in message.fields {
      properties.append(JSONTree.Member(field.jsonName, property(field, in: message)))
    }
    schema["properties"] = .object(properties)
    let mandatory = message.fields.filter(\.isMandatory).map { JSONTree.string($0.jsonName) }
    if !mandatory.isEmpty { schema["required"] = .array(mandatory) }
    let choices = message.fields.filter { $0.oneof != nil }
    if !choices.isEmpty {
      schema["oneOf"] = .array(choices.map { ["required": [.string($0.jsonName)]] })
    }
    if isSubmission { schema["additionalProperties"] = false }
    if isSubmission, let choices = SubmissionRules.parts[message.name] { schema["anyOf"] = choices }
    return schema
  }

  private mutating func property(
    _ field: ProtoSource.Field, in message: ProtoSource.Message
  ) -> JSONTree {
    var element = shape(field, in: message)
    var schema: JSONTree = ["description": .string(field.comment)]
    if field.isRepeated {
      schema["type"] = "array"
      schema["items"] = element
      if let count = field.comment.firstMatch(of: /At most (\d+)\./) {
        schema["maxItems"] = .number(String(count.output.1))
      }
      return schema
    }
    if element["type"] == "integer", let range = field.comment.firstMatch(of: /(\d+) to (\d+)/) {
      element["minimum"] = .number(String(range.output.1))
      element["maximum"] = .number(String(range.output.2))
    } else if element["type"] == "integer",
      let only = field.comment.firstMatch(of: /now (\d+)\b/)
    {
      element["const"] = .number(String(only.output.1))
    } else if element["type"] == "integer",
      let start = field.comment.firstMatch(of: /[Ff]rom (\d+)\b/)
    {
      element["minimum"] = .number(String(start.output.1))
    }
    for member in element.members { schema[member.name] = member.value }
    return schema
  }

  private mutating func shape(
    _ field: ProtoSource.Field, in message: ProtoSource.Message
  ) -> JSONTree {
    switch field.type {
    case "bool": return ["type": "boolean"]
    case "uint32": return ["type": "integer", "minimum": 0, "maximum": 4_294_967_295]
    case "int32": return ["type": "integer", "minimum": 0, "maximum": 2_147_483_647]
    case "uint64", "fixed64": return reference("Unsigned64")
    case "int64", "sfixed64": return reference("Signed64")
    case "google.protobuf.Timestamp": return reference(isSubmission ? "Moment" : "Timestamp")
    case "bytes": return reference(bytes(field))
    case "string":
      // Notices say in clear what submissions do.
      let isClear = message.file == "submission.proto"
      return reference(isClear ? clearText(field, in: message) : text(field, in: message))
    default: break
    }
    if let enumeration = source.enumeration(field.type, in: message.name) {
      let name = enumeration.name.replacing(".", with: "")
      definitions[name] = closedSet(enumeration)
      return ["$ref": .string("#/$defs/\(name)")]
    }
    if let other = source.message(field.type), definitions[other.name] == nil {
      definitions[other.name] = .null  // Taken, before it comes to itself.
      definitions[other.name] = object(other)
    }
    return ["$ref": .string("#/$defs/\(field.type)")]
  }

  /// What a string of a record is, by its name: a code unless it is one of these.
  private func text(_ field: ProtoSource.Field, in message: ProtoSource.Message) -> String {
    if field.comment.contains("its ODS code") { return "ODSCode" }
    switch (message.name, field.name) {
    case ("NoticeReference", _), ("EventNotice", "message_id"): return "Text"
    case (_, "organisation"), (_, "spoken_by"), (_, "from"), (_, "to"), (_, "assigner"),
      (_, "accepted_by"), (_, "cc"), (_, "said_by"), (_, "successor"),
      ("Carriage", "organisations"):
      return "Organisation"
    case (_, "kind"), (_, "priority"): return "Slug"
    case (_, "topic"): return "TopicName"
    case (_, "field"): return "FieldName"
    case (_, "key_day"): return "Day"
    default: return "Code"
    }
  }

  private func bytes(_ field: ProtoSource.Field) -> String {
    if field.name.hasPrefix("sealed_") || field.name == "ciphertext" { return "Sealed" }
    if field.name == "old_versions" { return "Versions" }
    return field.comment.contains("32 bytes") || field.name.hasSuffix("hash")
      ? "Hash" : "Identifier"
  }

  /// What a string of a submission is.
  private func clearText(_ field: ProtoSource.Field, in message: ProtoSource.Message) -> String {
    switch (message.name, field.name) {
    case ("HandoffSubmission", "type"): "SubmittedType"
    case ("HandoffSubmission", "speaker"): "Speaker"
    case (_, "kind"), (_, "priority"): "Slug"
    case (_, "need_code"), (_, "reason"), (_, "outcome"), (_, "role"),
      ("SubmittedReference", "system"):
      "Code"
    case (_, "ods_code"): "ODSCode"
    case (_, "open_referral_service_id"): "UUID"
    case (_, "nhs_number"): "NHSNumber"
    default: "Text"
    }
  }

  private mutating func reference(_ name: String) -> JSONTree {
    definitions[name] = WireShapes.all[name]
    return ["$ref": .string("#/$defs/\(name)")]
  }

  private func closedSet(_ enumeration: ProtoSource.Enumeration) -> JSONTree {
    let values = enumeration.values.filter { $0.number != 0 }
    return [
      "description": .string(enumeration.comment), "type": "string",
      "oneOf": .array(
        values.map { ["const": .string($0.name), "description": .string($0.comment)] }),
    ]
  }
}
