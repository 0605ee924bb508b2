/// Swift source with comments and the insides of string literals blanked out.
///
/// Line breaks stay, so that a line number here is one in the file. Raw identifiers (between
/// backticks) are blanked too: a test's name is a sentence and no code.
struct SwiftText {
  let lines: [String]

  init(_ text: String) {
    var scanner = Scanner(Array(text))
    lines = scanner.blanked().split(separator: "\n", omittingEmptySubsequences: false)
      .map { String($0) }
  }

  /// The declared functions and initialisers that have a body, and how many lines each takes.
  var functions: [(line: Int, count: Int)] {
    let characters = Array(lines.joined(separator: "\n"))
    var result: [(Int, Int)] = []
    var line = 1
    for index in characters.indices {
      if characters[index] == "\n" { line += 1 }
      guard let start = Self.declarationEnd(characters, at: index),
        let count = Self.lineCount(characters, from: start)
      else { continue }
      result.append((line, count))
    }
    return result
  }

  /// Where the keyword of a function declaration that stands at `index` ends.
  private static func declarationEnd(_ text: [Character], at index: Int) -> Int? {
    if index > 0 {
      let before = text[index - 1]
      guard before == " " || before == "\n" else { return nil }
    }
    for keyword in ["func ", "init(", "init?(", "init<", "deinit "] {
      let end = index + keyword.count
      if end <= text.count, String(text[index..<end]) == keyword {
        return keyword.hasSuffix("(") || keyword.hasSuffix("<") ? end - 1 : end
      }
    }
    return nil
  }

  /// Lines from the declaration to its closing brace; `nil` where there is no body.
  private static func lineCount(_ text: [Character], from start: Int) -> Int? {
    var parentheses = 0
    var braces = 0
    var count = 1
    for index in start..<text.count {
      switch text[index] {
      case "(", "[": parentheses += 1
      case ")", "]": parentheses -= 1
      case "\n":
        count += 1
        // A requirement of a protocol ends with its line; a body's brace may stand lower only
        // after a line that says there is more to come.
        if braces == 0, parentheses == 0, isNewDeclaration(text, after: index) { return nil }
      case "{" where parentheses == 0 || braces > 0: braces += 1
      case "}" where braces > 0:
        braces -= 1
        if braces == 0, parentheses == 0 { return count }
      case "}" where parentheses == 0: return nil
      default: break
      }
    }
    return nil
  }

  private static func isNewDeclaration(_ text: [Character], after index: Int) -> Bool {
    let next = text[(index + 1)...].drop { $0 == " " }
    let word = String(next.prefix { $0 != " " && $0 != "\n" && $0 != "(" })
    return ["func", "var", "let", "static", "init", "mutating", "associatedtype", "@", "}", "case"]
      .contains(word) || word.isEmpty
  }
}

/// Walks through source text and keeps what is code.
private struct Scanner {
  private let text: [Character]
  private var index = 0
  private var result = ""

  init(_ text: [Character]) { self.text = text }

  mutating func blanked() -> String {
    while index < text.count {
      if has("//") {
        skip(until: "\n")
      } else if has("/*") {
        blockComment()
      } else if let hashes = rawStringStart() {
        string(hashes: hashes)
      } else if text[index] == "`" {
        keep()
        skip(until: "`")
        if index < text.count { keep() }
      } else {
        keep()
      }
    }
    return result
  }

  private func has(_ prefix: String) -> Bool {
    index + prefix.count <= text.count && text[index..<(index + prefix.count)].elementsEqual(prefix)
  }

  private mutating func keep() {
    result.append(text[index])
    index += 1
  }

  /// Passes over one character, of which only a line break is kept.
  private mutating func blank(_ count: Int = 1) {
    for _ in 0..<count where index < text.count {
      result.append(text[index] == "\n" ? "\n" : " ")
      index += 1
    }
  }

  private mutating func skip(until end: Character) {
    while index < text.count, text[index] != end { blank() }
  }

  private mutating func blockComment() {
    var depth = 0
    repeat {
      if has("/*") {
        depth += 1
        blank(2)
      } else if has("*/") {
        depth -= 1
        blank(2)
      } else {
        blank()
      }
    } while depth > 0 && index < text.count
  }

  /// How many number signs open the string literal that starts here; `nil`: none starts.
  private func rawStringStart() -> Int? {
    var at = index
    while at < text.count, text[at] == "#" { at += 1 }
    return at < text.count && text[at] == "\"" ? at - index : nil
  }

  private mutating func string(hashes: Int) {
    blank(hashes)
    let quote = has("\"\"\"") ? "\"\"\"" : "\""
    let end = quote + String(repeating: "#", count: hashes)
    let escape = "\\" + String(repeating: "#", count: hashes)
    blank(quote.count)
    while index < text.count, !has(end) {
      if has(escape + "(") {
        blank(escape.count + 1)
        interpolation()
      } else if has(escape) {
        blank(escape.count + 1)
      } else {
        blank()
      }
    }
    blank(end.count)
  }

  /// Blanks an interpolation, in which strings may be nested.
  private mutating func interpolation() {
    var depth = 1
    while index < text.count, depth > 0 {
      if let hashes = rawStringStart() {
        string(hashes: hashes)
        continue
      }
      if text[index] == "(" { depth += 1 }
      if text[index] == ")" { depth -= 1 }
      blank()
    }
  }
}
