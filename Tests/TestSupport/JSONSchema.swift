internal import Foundation
internal import Synchronization

/// A JSON Schema (2020-12), as far as the contract's own schemas use the language.
///
/// A keyword that it does not know is a fault of the schema and no annotation: a rule that is not
/// checked here would be one that nobody holds against the code. `jsonschema` (Python) reads the
/// same files in the tests of foreign readers.
public struct JSONSchema: Sendable {
  /// Where a document breaks a schema, without its value.
  public struct Fault: Hashable, Sendable, CustomStringConvertible {
    public var place: String
    public var rule: String
    public var description: String { "\(place): \(rule)" }
  }

  /// A schema that says something this reader does not understand.
  public struct Misuse: Error, CustomStringConvertible {
    public let description: String
  }

  private let documents: [String: JSONTree]
  private let file: String

  /// The schema of `file`, which may refer to other files of its folder.
  public init(_ file: String, documents: [String: JSONTree]) {
    self.file = file
    self.documents = documents
  }

  /// What is wrong with a document; empty where nothing is.
  public func faults(in document: JSONTree) throws -> [Fault] {
    guard let root = documents[file] else { throw Misuse(description: "there is no \(file)") }
    var faults: [Fault] = []
    try check(document, root, "$", file, &faults)
    return faults
  }

  private static let annotations: Set = [
    "$schema", "$id", "$defs", "$comment", "title", "description", "examples", "default",
    "contentEncoding", "format", "then", "else", "x-example-refused",
  ]

  private func check(
    _ value: JSONTree, _ schema: JSONTree, _ place: String, _ file: String,
    _ faults: inout [Fault]
  ) throws {
    func fault(_ rule: String) { faults.append(Fault(place: place, rule: rule)) }
    if case .bool(let allows) = schema {
      if !allows { fault("false") }
      return
    }
    for member in schema.members where !Self.annotations.contains(member.name) {
      let rule = member.value
      switch member.name {
      case "$ref":
        let (target, file) = try resolve(rule.text ?? "", from: file)
        try check(value, target, place, file, &faults)
      case "type": if !isOfType(value, rule) { fault("type") }
      case "const": if value != rule { fault("const") }
      case "enum": if !rule.elements.contains(value) { fault("enum") }
      case "pattern", "minLength", "maxLength":
        if case .string(let text) = value, try !fits(text, member.name, rule) { fault(member.name) }
      case "minimum", "maximum":
        if case .number(let digits) = value, !isWithin(digits, member.name, rule) {
          fault(member.name)
        }
      case "minItems", "maxItems", "items": try checkItems(value, member, place, file, &faults)
      case "properties", "required", "additionalProperties", "minProperties", "propertyNames",
        "dependentRequired":
        try checkMembers(value, member, schema, place, file, &faults)
      case "allOf", "anyOf", "oneOf", "not", "if":
        try checkCombined(value, member, schema, place, file, &faults)
      default: throw Misuse(description: "\(file) says \(member.name) at \(place)")
      }
    }
  }

  private func resolve(
    _ reference: String, from file: String
  ) throws -> (schema: JSONTree, file: String) {
    let parts = reference.split(separator: "#", omittingEmptySubsequences: false)
    let name = parts.first.map { $0.isEmpty ? file : String($0) } ?? file
    guard var target = documents[name] else { throw Misuse(description: "no file \(name)") }
    for step in (parts.count > 1 ? parts[1] : "").split(separator: "/") {
      target = target[String(step)]
    }
    guard target != .null else { throw Misuse(description: "\(file): nothing at \(reference)") }
    return (target, name)
  }

  private func isOfType(_ value: JSONTree, _ rule: JSONTree) -> Bool {
    let names = rule.text.map { [$0] } ?? rule.elements.compactMap(\.text)
    return names.contains { name in
      switch (name, value) {
      case ("null", .null), ("boolean", .bool), ("number", .number), ("string", .string),
        ("array", .array), ("object", .object):
        true
      case ("integer", .number(let digits)): Int64(digits) != nil || UInt64(digits) != nil
      default: false
      }
    }
  }

  private func fits(_ text: String, _ name: String, _ rule: JSONTree) throws -> Bool {
    switch (name, rule) {
    case ("pattern", .string(let pattern)): try Pattern.matches(text, pattern)
    case ("minLength", .number(let count)): text.unicodeScalars.count >= Int(count) ?? 0
    case ("maxLength", .number(let count)): text.unicodeScalars.count <= Int(count) ?? .max
    default: throw Misuse(description: "\(name) is not as it must be")
    }
  }

  private func isWithin(_ digits: String, _ name: String, _ rule: JSONTree) -> Bool {
    guard let number = Double(digits), case .number(let text) = rule, let limit = Double(text)
    else { return false }
    return name == "minimum" ? number >= limit : number <= limit
  }

  private func checkItems(
    _ value: JSONTree, _ member: JSONTree.Member, _ place: String, _ file: String,
    _ faults: inout [Fault]
  ) throws {
    guard case .array(let elements) = value else { return }
    if member.name == "items" {
      for (index, element) in elements.enumerated() {
        try check(element, member.value, "\(place)[\(index)]", file, &faults)
      }
    } else if case .number(let digits) = member.value, let count = Int(digits),
      member.name == "minItems" ? elements.count < count : elements.count > count
    {
      faults.append(Fault(place: place, rule: member.name))
    }
  }

  private func checkMembers(
    _ value: JSONTree, _ member: JSONTree.Member, _ schema: JSONTree, _ place: String,
    _ file: String, _ faults: inout [Fault]
  ) throws {
    guard case .object(let members) = value else { return }
    let names = Set(members.map(\.name))
    switch member.name {
    case "properties":
      for property in member.value.members {
        guard let found = members.first(where: { $0.name == property.name }) else { continue }
        try check(found.value, property.value, "\(place).\(property.name)", file, &faults)
      }
    case "required":
      for name in member.value.elements.compactMap(\.text) where !names.contains(name) {
        faults.append(Fault(place: "\(place).\(name)", rule: "required"))
      }
    case "additionalProperties":
      let known = Set(schema["properties"].members.map(\.name))
      for other in members where !known.contains(other.name) {
        try check(other.value, member.value, "\(place).\(other.name)", file, &faults)
      }
    case "propertyNames":
      for name in names { try check(.string(name), member.value, place, file, &faults) }
    case "dependentRequired":
      for rule in member.value.members where names.contains(rule.name) {
        for name in rule.value.elements.compactMap(\.text) where !names.contains(name) {
          faults.append(Fault(place: "\(place).\(name)", rule: "required"))
        }
      }
    default:
      guard case .number(let digits) = member.value, members.count < Int(digits) ?? 0 else {
        return
      }
      faults.append(Fault(place: place, rule: member.name))
    }
  }

  private func checkCombined(
    _ value: JSONTree, _ member: JSONTree.Member, _ schema: JSONTree, _ place: String,
    _ file: String, _ faults: inout [Fault]
  ) throws {
    func faultsUnder(_ rule: JSONTree) throws -> [Fault] {
      var found: [Fault] = []
      try check(value, rule, place, file, &found)
      return found
    }
    switch member.name {
    case "allOf": for rule in member.value.elements { faults += try faultsUnder(rule) }
    case "not":
      if try faultsUnder(member.value).isEmpty { faults.append(Fault(place: place, rule: "not")) }
    case "if":
      let branch = try faultsUnder(member.value).isEmpty ? schema["then"] : schema["else"]
      if branch != .null { faults += try faultsUnder(branch) }
    default:
      let count = try member.value.elements.filter { try faultsUnder($0).isEmpty }.count
      if count == 0 || (member.name == "oneOf" && count > 1) {
        faults.append(Fault(place: place, rule: member.name))
      }
    }
  }
}

/// Regular expressions, each compiled once.
private enum Pattern {
  private static let compiled = Mutex<[String: NSRegularExpression]>([:])

  static func matches(_ text: String, _ pattern: String) throws -> Bool {
    let known = compiled.withLock { cache in
      let expression = cache[pattern]
      return expression
    }
    let expression = try known ?? NSRegularExpression(pattern: pattern)
    if known == nil { compiled.withLock { $0[pattern] = expression } }
    let range = NSRange(text.startIndex..., in: text)
    return expression.firstMatch(in: text, range: range) != nil
  }
}
