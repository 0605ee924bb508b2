import Foundation
import TestSupport
import Testing

/// What `deploy/mutants`, which is too long for every run, and its page could lose unseen.
@Suite struct `Mutants of the reducers` {
  @Test func `that are listed as equivalent are still in the code`() throws {
    let path = "Sources/HandoffCore/HandoffCore.docc/Mutants.md"
    let document = try #require(SourceTree.documents.first { $0.path == path })
    let rows = document.lines.compactMap {
      $0.wholeMatch(of: /- `([^`]+)` [a-z ]+: `(.+?)` → `(.+?)`: .+/)
    }
    #expect(!rows.isEmpty && rows.count == document.lines.count { $0.contains("` → `") })
    for row in rows {
      let file = SourceTree.sources.first { $0.path == "Sources/HandoffCore/\(row.output.1)" }
      #expect(file?.text.contains(row.output.2) == true, "\(row.output.1): \(row.output.2)")
    }
  }

  @Test func `are found in more than a thousand places`() async throws {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    let script = PackageRoot.url.appending(path: "deploy/mutants")
    process.arguments = ["python3", script.path(percentEncoded: false), "--list"]
    let output = Pipe()
    process.standardOutput = output
    try await BatonExecutable.finish(process)
    let text = String(
      decoding: try #require(try output.fileHandleForReading.readToEnd()), as: UTF8.self)
    let count = try #require(text.split(separator: " ").first.flatMap { Int($0) })
    #expect(count > 1_000)
    for kind in ["effect dropped", "guard dropped", "branch removed", "cell of the table"] {
      #expect(text.contains(kind))
    }
  }
}
