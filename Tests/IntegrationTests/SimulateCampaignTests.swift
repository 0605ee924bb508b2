import Foundation
import TestSupport
import Testing

@Suite struct `The command baton simulate campaign` {
  private static let size = ["--days", "3", "--scale", "0.001"]

  @Test func `prints what agreed and what was drawn, and ends with 0`() async throws {
    let folder = try TemporaryFolder()
    let least = folder.path("least.ndjson")
    let run = try await BatonExecutable.run(
      ["simulate", "campaign", "--seeds", "0..<2", "--least", least] + Self.size)
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.output.contains("2 of 2 seeds (0..<2) agree"), "\(run.output)")
    #expect(run.output.contains("OF SOURCES") && run.output.contains("2 switches"))
    #expect(!FileManager.default.fileExists(atPath: least))
  }

  @Test func `finds what another policy of the oracle changes, and ends with 1`() async throws {
    let folder = try TemporaryFolder()
    let shown = try await BatonExecutable.run(["policy", "show", "--yaml"])
    let changed = shown.output.replacing(/acknowledge: \d.*/, with: "acknowledge: 6h")
    #expect(changed != shown.output)
    let file = folder.path("oracle.yaml")
    try Data(changed.utf8).write(to: folder.url.appending(path: "oracle.yaml"))
    let least = folder.path("least.ndjson")
    let run = try await BatonExecutable.run(
      [
        "simulate", "campaign", "--seeds", "0..<4", "--oracle-policy", file, "--least", least,
      ] + Self.size)
    #expect(run.status == 1, "\(run.errors)")
    #expect(run.output.contains("A07"), "\(run.output)")
    #expect(run.output.contains("reducer only: A07") || run.output.contains("oracle only: A07"))
    let lines = try String(contentsOf: URL(filePath: least), encoding: .utf8)
      .split(separator: "\n")
    #expect(lines.count == 1)
    #expect(run.output.contains("Its \(lines.count) records are in \(least)."))
    #expect(lines.first?.contains("baton.handoff.v1.HandoffEvent") == true, "\(lines)")
  }

  @Test func `refuses a range that is none, and a policy that is bad`() async throws {
    let range = try await BatonExecutable.run(["simulate", "campaign", "--seeds", "5"])
    #expect(range.status == 64)
    let folder = try TemporaryFolder()
    try Data("version: 0\n".utf8).write(to: folder.url.appending(path: "bad.yaml"))
    let policy = try await BatonExecutable.run([
      "simulate", "campaign", "--seeds", "0..<1", "--oracle-policy", folder.path("bad.yaml"),
    ])
    #expect(policy.status != 0 && policy.status != 1)
    #expect(policy.errors.contains("refused"), "\(policy.errors)")
  }
}
