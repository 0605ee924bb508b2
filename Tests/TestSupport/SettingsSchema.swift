internal import Foundation

/// The JSON Schema of a configuration file, and the check that its reader says the same.
///
/// The schema is written by hand, because readers are code; what holds it equal is that every
/// setting carries `examples` that both must take and `x-refused` values that both must refuse, and
/// that the names in it are those which the reader's source spells.
public struct SettingsSchema: Sendable {
  public let fileName: String
  private let tree: JSONTree

  public init(
    _ fileName: String, title: String, description: String, _ body: JSONTree
  ) {
    self.fileName = fileName
    var tree: JSONTree = [
      "$schema": "https://json-schema.org/draft/2020-12/schema",
      "$id": .string("https://baton.invalid/handoff/v1/" + fileName), "title": .string(title),
      "description": .string(description),
    ]
    for member in body.members { tree[member.name] = member.value }
    self.tree = tree
  }

  /// A setting: what it is for, its rules, values that are taken and values that are refused.
  public static func setting(
    _ description: String, _ rules: JSONTree, examples: [JSONTree], refused: [JSONTree] = []
  ) -> JSONTree {
    var setting: JSONTree = ["description": .string(description)]
    for rule in rules.members { setting[rule.name] = rule.value }
    setting["examples"] = .array(examples)
    setting["x-refused"] = .array(refused)
    return setting
  }

  /// A group of settings; a name that is none of them is refused.
  public static func group(
    _ description: String, _ settings: JSONTree, required: [JSONTree] = []
  ) -> JSONTree {
    var group: JSONTree = [
      "description": .string(description), "type": "object", "properties": settings,
      "additionalProperties": false,
    ]
    if !required.isEmpty { group["required"] = .array(required) }
    return group
  }

  /// The file as it is committed.
  public var text: String { Self.published(tree).pretty }

  /// Without what only tests need.
  private static func published(_ tree: JSONTree) -> JSONTree {
    switch tree {
    case .object(let members):
      .object(
        members.filter { $0.name != "x-refused" }.map {
          JSONTree.Member($0.name, published($0.value))
        })
    case .array(let elements): .array(elements.map { published($0) })
    default: tree
    }
  }

  /// What the schema says is wrong with a document.
  public func faults(in document: JSONTree) throws -> [JSONSchema.Fault] {
    try JSONSchema(fileName, documents: [fileName: Self.published(tree)]).faults(in: document)
  }

  /// Every name in it, at whatever depth.
  public var names: Set<String> {
    var names: Set<String> = []
    func walk(_ schema: JSONTree) {
      guard case .object = schema else { return }
      for property in schema["properties"].members {
        names.insert(property.name)
        walk(property.value)
      }
      for part in ["items", "additionalProperties"] { walk(schema[part]) }
      for choice in schema["oneOf"].elements { walk(choice) }
    }
    walk(tree)
    return names
  }

  /// Everything about which schema and reader differ, in words, or that is described badly.
  ///
  /// One thing at a time is done to `base`, a document that both take; `reads` says whether the
  /// reader takes a document, which it is given as YAML.
  public func differences(base: JSONTree, reads: (String) -> Bool) throws -> [String] {
    var found: [String] = []
    func judge(_ document: JSONTree, _ what: String, isGood: Bool) throws {
      let faults = try faults(in: document)
      if faults.isEmpty != isGood { found.append("\(what): the schema differs, \(faults)") }
      if reads(document.compact) != isGood { found.append("\(what): the reader differs") }
    }
    func walk(_ schema: JSONTree, _ path: [String]) throws {
      let place = path.joined(separator: ".")
      if schema["additionalProperties"] == false {
        try judge(
          set("no-such-setting", at: path + ["no-such-setting"], in: base), "\(place).unknown",
          isGood: false)
      }
      for name in schema["required"].elements.compactMap(\.text) {
        try judge(removing(path + [name], from: base), "\(place) without \(name)", isGood: false)
      }
      for property in schema["properties"].members {
        let path = path + [property.name]
        let name = path.joined(separator: ".")
        if property.value["description"] == .null { found.append("\(name): not described") }
        for value in property.value["examples"].elements {
          try judge(set(value, at: path, in: base), "\(name) is \(value.compact)", isGood: true)
        }
        for value in property.value["x-refused"].elements {
          try judge(set(value, at: path, in: base), "\(name) is \(value.compact)", isGood: false)
        }
        try walk(property.value, path)
        try walk(property.value["items"], path + ["0"])
      }
    }
    try judge(base, "the base", isGood: true)
    try walk(tree, [])
    return found
  }

  private func set(_ value: JSONTree, at path: [String], in tree: JSONTree) -> JSONTree {
    guard let name = path.first else { return value }
    let rest = Array(path.dropFirst())
    if name == "0" {
      let first = set(value, at: rest, in: tree.elements.first ?? .object([]))
      return .array([first] + tree.elements.dropFirst())
    }
    var tree = tree
    if case .object = tree {} else { tree = .object([]) }
    tree[name] = set(value, at: rest, in: tree[name])
    return tree
  }

  private func removing(_ path: [String], from tree: JSONTree) -> JSONTree {
    guard path.count > 1 else { return tree.without(path.first ?? "") }
    let rest = Array(path.dropFirst())
    if path[0] == "0" {
      guard let first = tree.elements.first else { return tree }
      return .array([removing(rest, from: first)] + tree.elements.dropFirst())
    }
    var tree = tree
    tree[path[0]] = removing(rest, from: tree[path[0]])
    return tree
  }

  /// The words in quotes that stand behind one of `patterns` in source files: the settings that a
  /// reader knows.
  public static func names(_ pattern: String, in files: [String]) throws -> Set<String> {
    let place = try NSRegularExpression(pattern: pattern)
    let word = try NSRegularExpression(pattern: #""([A-Za-z][A-Za-z0-9.-]*)""#)
    var names: Set<String> = []
    for file in files {
      let text = try GoldenFile.read(file)
      for match in place.matches(in: text, range: NSRange(text.startIndex..., in: text)) {
        for name in word.matches(in: text, range: match.range) {
          guard let range = Range(name.range(at: 1), in: text) else { continue }
          names.insert(String(text[range]))
        }
      }
    }
    return names
  }
}
