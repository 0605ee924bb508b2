internal import Foundation

/// The `.proto` files of the contract with their comments, as far as this package uses the language.
///
/// `protoc` and `buf` judge the files; this reads what they say to people, so that JSON Schemas and
/// pages can be made of them on any machine.
public struct ProtoSource: Sendable {
  public struct Field: Sendable {
    public var name: String
    public var number: Int
    /// As it is written: `string`, `Party`, `google.protobuf.Timestamp`.
    public var type: String
    public var isRepeated: Bool
    /// Whether its absence can be told from its default.
    public var isOptional: Bool
    /// The group of which exactly one is there.
    public var oneof: String?
    public var comment: String

    /// The member's name in proto3 JSON.
    public var jsonName: String {
      var name = ""
      var isUpper = false
      for character in self.name {
        if character == "_" {
          isUpper = true
        } else {
          name += isUpper ? character.uppercased() : String(character)
          isUpper = false
        }
      }
      return name
    }

    /// What must be there, by the word of its comment.
    public var isMandatory: Bool { comment.contains("Mandatory.") }
  }

  public struct Message: Sendable {
    public var name: String
    public var file: String
    public var comment: String
    public var fields: [Field] = []
  }

  public struct Value: Sendable {
    public var name: String
    public var number: Int
    public var comment: String
  }

  public struct Enumeration: Sendable {
    /// `Severity`, or `Verdict.Action` where it stands inside a message.
    public var name: String
    public var file: String
    public var comment: String
    public var values: [Value] = []
  }

  /// A line that this reader does not understand.
  public struct Unreadable: Error, CustomStringConvertible {
    public let description: String
  }

  public private(set) var messages: [Message] = []
  public private(set) var enumerations: [Enumeration] = []
  /// What each file says before its first line.
  public private(set) var files: [(name: String, comment: String)] = []

  /// Where names are from.
  public static let package = "baton.handoff.v1"

  /// The contract as it stands in `Schemas`.
  public static func contract() throws -> ProtoSource {
    let folder = PackageRoot.url.appending(path: "Schemas/baton/handoff/v1")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path()).sorted()
    var source = ProtoSource()
    for name in names where name.hasSuffix(".proto") {
      let text = String(decoding: try Data(contentsOf: folder.appending(path: name)), as: UTF8.self)
      try source.read(text, file: name)
    }
    return source
  }

  public func message(_ name: String) -> Message? { messages.first { $0.name == name } }

  /// The enumeration that a field of `message` means by `type`.
  public func enumeration(_ type: String, in message: String) -> Enumeration? {
    enumerations.first { $0.name == "\(message).\(type)" }
      ?? enumerations.first { $0.name == type }
  }

  // MARK: Reading

  private enum Block { case message(Int), enumeration(Int), oneof(String) }

  private mutating func read(_ text: String, file: String) throws {
    var blocks: [Block] = []
    var comment: [String] = []
    var isHead = true
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      let line = line.trimmingCharacters(in: .whitespaces)
      if line.hasPrefix("//") {
        comment.append(String(line.dropFirst(line.hasPrefix("// ") ? 3 : 2)))
        continue
      }
      let said = Self.prose(comment)
      comment = []
      if isHead {
        files.append((file, said))
        isHead = false
      }
      if line.isEmpty || line.hasPrefix("syntax") || line.hasPrefix("package")
        || line.hasPrefix("import") || line.hasPrefix("reserved") || line.hasPrefix("option ")
      {
        continue
      }
      if line == "}" {
        _ = blocks.popLast()
      } else if let block = open(line, said, file, in: blocks) {
        if !line.hasSuffix("}") { blocks.append(block) }
      } else if !member(line, said, in: blocks) {
        throw Unreadable(description: "\(file): \(line)")
      }
    }
  }

  /// A line that begins a message, an enumeration or a choice.
  private mutating func open(
    _ line: String, _ comment: String, _ file: String, in blocks: [Block]
  ) -> Block? {
    let words = line.split(separator: " ").map { String($0) }
    guard words.count >= 3, words[2].hasPrefix("{") else { return nil }
    switch words[0] {
    case "message":
      messages.append(Message(name: words[1], file: file, comment: comment))
      return .message(messages.count - 1)
    case "enum":
      var name = words[1]
      if case .message(let index)? = blocks.last { name = "\(messages[index].name).\(name)" }
      enumerations.append(Enumeration(name: name, file: file, comment: comment))
      return .enumeration(enumerations.count - 1)
    case "oneof": return .oneof(words[1])
    default: return nil
    }
  }

  /// A field or a value.
  private mutating func member(_ line: String, _ comment: String, in blocks: [Block]) -> Bool {
    guard let equals = line.lastIndex(of: "="),
      let number = Int(
        line[line.index(after: equals)...].trimmingCharacters(
          in: CharacterSet(charactersIn: " ;")))
    else { return false }
    var words = line[..<equals].split(separator: " ").map { String($0) }
    if case .enumeration(let index)? = blocks.last, words.count == 1 {
      enumerations[index].values.append(Value(name: words[0], number: number, comment: comment))
      return true
    }
    var label: String?
    if let first = words.first, ["repeated", "optional"].contains(first) {
      label = words.removeFirst()
    }
    guard words.count == 2 else { return false }
    var oneof: String?
    var owner: Int?
    for block in blocks {
      if case .message(let index) = block { owner = index }
      if case .oneof(let name) = block { oneof = name }
    }
    guard let owner else { return false }
    messages[owner].fields.append(
      Field(
        name: words[1], number: number, type: words[0], isRepeated: label == "repeated",
        isOptional: label == "optional", oneof: oneof, comment: comment))
    return true
  }

  /// Lines of a comment as paragraphs, each on one line; list items stay lines of their own.
  private static func prose(_ lines: [String]) -> String {
    var paragraphs: [String] = []
    var isNew = true
    for line in lines {
      if line.isEmpty {
        isNew = true
      } else if isNew || line.hasPrefix("- ") {
        paragraphs.append(line)
        isNew = false
      } else {
        paragraphs[paragraphs.count - 1] += " " + line.trimmingCharacters(in: .whitespaces)
      }
    }
    return paragraphs.joined(separator: "\n\n")
  }
}
