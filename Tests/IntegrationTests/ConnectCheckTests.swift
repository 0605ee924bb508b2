import Foundation
import TestSupport
import Testing

@Suite struct `baton connect check` {
  private static let request =
    "MSH|^~\\&|PAS|RTH|CASE|RNU|20261123090000+0000||REF^I12|M1|P|2.5\r"
    + "PID|1||9990500002^^^NHS^NH||ROE^JANE\rRF1|P|R|Med||O|R-100^RTH\rNTE|1||note\r"
  private static let broken =
    "MSH|^~\\&|PAS|RTH|CASE|RNU|20261123090000+0000||ADT^A01|M2|P|2.5\r"

  private func folder(samples: [String: String]) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for name in ["a", "b"] {
      try Data("name: \(name)\nclass: mllp-source\nlisten: 0\nspeaks-for: any\n".utf8)
        .write(to: folder.url.appending(path: "\(name).yaml"))
    }
    let below = folder.url.appending(path: "samples/below")
    try FileManager.default.createDirectory(at: below, withIntermediateDirectories: true)
    for (name, text) in samples {
      try Data(text.utf8).write(to: folder.url.appending(path: "samples/\(name)"))
    }
    return folder
  }

  @Test func `several connectors and a folder of samples are shown field by field`() async throws {
    let folder = try folder(samples: ["1.hl7": Self.request, "below/2.hl7": Self.request])
    let run = try await BatonExecutable.run([
      "connect", "check", folder.path("a.yaml"), folder.path("b.yaml"), "--sample",
      folder.path("samples"),
    ])
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.output.contains("Connector a") && run.output.contains("Connector b"))
    #expect(run.output.contains("below/2.hl7"))
    #expect(run.output.contains("lost on the way: RF1-1, RF1-5, NTE-3"))
    #expect(run.output.contains("answer by mllp: AA"))
    #expect(run.output.contains("RF1-6") && !run.output.contains("ROE"))
  }

  @Test func `JSON holds events, provenance, what is lost and the answer; refusals end with 1`()
    async throws
  {
    let folder = try folder(samples: ["1.hl7": Self.request, "2.hl7": Self.broken])
    let run = try await BatonExecutable.run([
      "connect", "check", folder.path("a.yaml"), "--json", "--sample", folder.path("samples"),
    ])
    #expect(run.status == 1)
    struct Report: Decodable {
      struct Event: Decodable {
        let type: String
        let provenance: [String: String]
      }
      struct Answer: Decodable { let rail, code: String }
      struct Message: Decodable {
        let outcome: String
        let field: String?
        let events: [Event]
        let lost: [String]
        let answer: Answer
      }
      struct Sample: Decodable { let messages: [Message] }
      struct Connector: Decodable { let samples: [Sample] }
      let connectors: [Connector]
    }
    let report = try JSONDecoder().decode(Report.self, from: Data(run.output.utf8))
    let messages = report.connectors.flatMap(\.samples).flatMap(\.messages)
    #expect(messages.map(\.outcome) == ["events", "refused"])
    #expect(messages[0].events[0].provenance["handoff"] == "RF1-6")
    #expect(messages[0].lost.contains("NTE-3") && messages[0].answer.code == "AA")
    #expect(messages[1].field == "PID" && messages[1].answer.code == "AE")
  }

  @Test func `requests without a kind are a note until their code is in the file`() async throws {
    let folder = try folder(samples: ["1.hl7": Self.request])
    let command = ["connect", "check", folder.path("a.yaml"), "--sample", folder.path("samples")]
    let without = try await BatonExecutable.run(command)
    #expect(without.status == 0, "\(without.errors)")
    #expect(without.output.contains("note: 1 of 1 request has no kind"))
    let file = "name: a\nclass: mllp-source\nlisten: 0\nspeaks-for: any\n"
    try Data((file + "kinds: {Med: gp-hospital}\n").utf8)
      .write(to: folder.url.appending(path: "a.yaml"))
    let with = try await BatonExecutable.run(command)
    #expect(with.status == 0 && !with.output.contains("note:"), "\(with.output)")
  }

  @Test func `a folder that is not there is a note on a good file`() async throws {
    let folder = try TemporaryFolder()
    try Data("name: a\nclass: drop-folder-source\ndirectory: incoming\nspeaks-for: any\n".utf8)
      .write(to: folder.url.appending(path: "a.yaml"))
    let run = try await BatonExecutable.run(["connect", "check", folder.path("a.yaml")])
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.output.contains("incoming does not exist here"))
    try FileManager.default.createDirectory(
      at: folder.url.appending(path: "incoming"), withIntermediateDirectories: true)
    let there = try await BatonExecutable.run(["connect", "check", folder.path("a.yaml")])
    #expect(there.status == 0 && !there.output.contains("note:"))
  }

  @Test func `samples and connectors that are not there end with their own codes`() async throws {
    let folder = try folder(samples: [:])
    let noSample = try await BatonExecutable.run([
      "connect", "check", folder.path("a.yaml"), "--sample", folder.path("nothing"),
    ])
    #expect(noSample.status == 66)
    let noConnector = try await BatonExecutable.run([
      "connect", "check", folder.path("samples"), "--sample", folder.path("a.yaml"),
    ])
    #expect(noConnector.status == 66)
    let none = try await BatonExecutable.run(["connect", "check", folder.path("nothing.yaml")])
    #expect(none.status == 66)
    try Data("name: a\n".utf8).write(to: folder.url.appending(path: "bad.yaml"))
    let bad = try await BatonExecutable.run(["connect", "check", folder.path("bad.yaml")])
    #expect(bad.status == 78)
  }
}
