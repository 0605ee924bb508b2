import Foundation
import TestSupport
import Testing

@Suite struct `Documents say what is so` {
  @Test func `each invariant names a test that is there`() throws {
    let path = "Sources/HandoffCore/HandoffCore.docc/Invariants.md"
    let document = try #require(SourceTree.documents.first { $0.path == path })
    let names = Set(
      SourceTree.tests.flatMap { file in
        file.text.matches(of: /func `([^`]+)`/).map { String($0.output.1) }
      })
    let entries = document.text.components(separatedBy: "\n## ").dropFirst()
    #expect(entries.count >= 5)
    for entry in entries {
      let title = entry.prefix { $0 != "\n" }
      let paragraphs = entry.components(separatedBy: "\n\n")
      let guards = paragraphs.filter { $0.hasPrefix("Guarded by") }
        .flatMap { $0.matches(of: /`([^`]+)`/).map { String($0.output.1) } }
      #expect(!guards.isEmpty, "\(title) names no test")
      for name in guards {
        #expect(names.contains(name), "\(title): there is no test `\(name)`")
      }
    }
  }

  @Test func `each threat names a control and tests that are there`() throws {
    let path = "Sources/HandoffCore/HandoffCore.docc/TrustBoundary.md"
    let document = try #require(SourceTree.documents.first { $0.path == path })
    let names = Set(
      SourceTree.tests.flatMap { file in
        file.text.matches(of: /func `([^`]+)`/).map { String($0.output.1) }
      })
    let rows = document.lines.filter { $0.hasPrefix("| ") }
      .map { $0.split(separator: "|").map { $0.trimmingPrefix(" ") } }
      .filter { $0.count == 4 && "STRIDE".contains($0[0].prefix(1)) && $0[0].hasSuffix(" ") }
    #expect(Set(rows.map { $0[0].prefix(1) }) == ["S", "T", "R", "I", "D", "E"])
    for row in rows {
      let tests = row[3].matches(of: /`([^`]+)`/).map { String($0.output.1) }
      #expect(!row[2].isEmpty && !tests.isEmpty, "\(row[1])")
      for name in tests {
        #expect(names.contains(name), "\(row[1]): there is no test `\(name)`")
      }
    }
  }

  @Test func `each rule of the catalogue has tests for what it says, its guard, healing and order`()
    throws
  {
    let path = "Sources/HandoffCore/HandoffCore.docc/Clauses.md"
    let document = try #require(SourceTree.documents.first { $0.path == path })
    let names = Set(
      SourceTree.tests.flatMap { file in
        file.text.matches(of: /func `([^`]+)`/).map { String($0.output.1) }
      })
    var parts: [String: Set<String>] = [:]
    for row in document.lines where row.hasPrefix("| A") {
      let cells = row.split(separator: "|").map { String($0.trimmingPrefix(" ")) }
      guard cells.count == 4 else {
        Issue.record("four cells are a row: \(row)")
        continue
      }
      parts[String(cells[0].prefix(3)), default: []].insert(
        String(cells[1].prefix { $0 != " " && $0 != ":" }))
      let tests = cells[3].matches(of: /`([^`]+)`/).map { String($0.output.1) }
      #expect(!tests.isEmpty, "\(row) names no test")
      for name in tests { #expect(names.contains(name), "\(cells[0]): there is no test `\(name)`") }
    }
    let rules = (1...27).map { $0 < 10 ? "A0\($0)" : "A\($0)" }
    #expect(Set(parts.keys) == Set(rules))
    for rule in rules {
      let missing = Set(["speaks", "guard", "heals", "order"]).subtracting(parts[rule, default: []])
      #expect(missing.isEmpty, "\(rule) has no row for \(missing.sorted())")
    }
  }

  @Test func `every command in the documents is one that baton has`() async throws {
    let help = try await BatonExecutable.run(["--experimental-dump-help"])
    let tool = try JSONDecoder().decode(HelpDump.self, from: Data(help.output.utf8))
    for file in SourceTree.documents + SourceTree.scripts {
      for line in CommandLines(file).all {
        if let fault = tool.command.fault(in: line) {
          Issue.record("\(file): `baton \(line.joined(separator: " "))`: \(fault)")
        }
      }
    }
  }

  @Test func `a command that baton does not have is seen`() {
    let plan = HelpDump.Command(commandName: "plan", subcommands: nil, arguments: nil)
    let topics = HelpDump.Command(commandName: "topics", subcommands: [plan], arguments: nil)
    let root = HelpDump.Command(commandName: "baton", subcommands: [topics], arguments: nil)
    #expect(root.fault(in: ["topics", "plan"]) == nil)
    #expect(root.fault(in: ["topics", "grow"]) == "there is no command grow")
    #expect(root.fault(in: ["topics", "plan", "--hard"]) == "there is no option --hard")
  }
}

/// What a document shows as commands of ours: in code blocks and between backticks.
private struct CommandLines {
  var all: [[String]] = []

  init(_ file: SourceFile) {
    let isScript = !file.path.hasSuffix(".md")
    var isInBlock = isScript
    for line in file.lines {
      if !isScript, line.hasPrefix("```") {
        isInBlock.toggle()
      } else if isInBlock {
        let code = line.prefix { $0 != "#" }
        take(String(code))
      } else {
        line.matches(of: /`([^`]+)`/).forEach { take(String($0.output.1)) }
      }
    }
  }

  private mutating func take(_ code: String) {
    let words = code.split(separator: " ").map { String($0) }
    guard
      let start = words.firstIndex(where: {
        $0 == "baton" || $0.hasSuffix("/baton") || $0 == "\"$baton\""
      }),
      words[..<start].allSatisfy({ $0 == "$" || $0.contains("=") || $0 == "exec" })
    else { return }
    let end: Set = ["|", "||", "&&", ";", ">", "2>&1", "&", "\\", "…"]
    let arguments = words[(start + 1)...].prefix { !end.contains($0) && !$0.hasPrefix(">") }
    if !arguments.isEmpty { all.append(Array(arguments)) }
  }
}

/// What `--experimental-dump-help` of the argument parser prints.
private struct HelpDump: Decodable {
  let command: Command

  struct Command: Decodable {
    let commandName: String
    let subcommands: [Command]?
    let arguments: [Argument]?

    struct Argument: Decodable {
      let names: [Name]?

      struct Name: Decodable {
        let name: String
      }
    }

    /// What is wrong with a command line; `nil`: nothing.
    func fault(in words: [String]) -> String? {
      var command = self
      var isDescending = true
      for word in words {
        if word.contains("$") {
          return nil  // A script's variable: nobody knows what it holds.
        } else if word.hasPrefix("-") {
          let name = word.drop { $0 == "-" }.prefix { $0 != "=" }
          let isKnown =
            command.arguments?.contains { $0.names?.contains { $0.name == name } ?? false } ?? false
          if !isKnown, !["help", "h", "version"].contains(name) {
            return "there is no option \(word)"
          }
          isDescending = false
        } else if isDescending, let list = command.subcommands, !list.isEmpty {
          guard let next = list.first(where: { $0.commandName == word }) else {
            return "there is no command \(word)"
          }
          command = next
        }
      }
      return nil
    }
  }
}
