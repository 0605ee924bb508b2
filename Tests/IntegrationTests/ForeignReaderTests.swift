import Foundation
import TestSupport
import Testing

/// Programs that share no line with Baton read what it publishes: kcat, confluent-kafka with classes
/// generated from the .proto files, jsonschema and cloudevents (Tests/Readers/read_topics.py).
@Suite(
  .enabled(
    if: TestBroker.isAvailable && !TestBroker.isExternal && ForeignReaders.isAvailable,
    "needs a noida-db of its own, kcat, and BATON_READERS: run deploy/setup"))
struct `Readers that are not ours` {
  /// A morning of a council and a hospital: requests, a repeat, an answer, and one broken message.
  private func messages(in folder: URL) throws {
    func write(_ name: String, _ text: String) throws {
      try Data(text.utf8).write(to: folder.appending(path: name))
    }
    func line(_ id: String, _ members: String) -> String {
      #"{"specversion":"1.0","id":"\#(id)","source":"/council","#
        + #""type":"baton.handoff.v1.HandoffSubmission","data":{\#(members)}}"# + "\n"
    }
    func request(_ number: Int) -> String {
      line(
        "request-\(number)",
        #""type":"HandoffRequested","person":{"localIds":[{"assigner":"RTH","value":"p\#(number)"}]},"#
          + #""handoff":{"system":"UBRN","value":"u\#(number)"},"from":{"odsCode":"RTH"},"#
          + #""to":{"odsCode":"X10"},"kind":"hospital-council","priority":"urgent","#
          + #""occurredAt":"2026-11-23T09:0\#(number):00Z""#)
    }
    try write("requests.ndjson", (1...5).map(request).joined())
    try write("again.ndjson", request(1))
    try write(
      "then-the-answer.ndjson",
      line(
        "answer-2",
        #""type":"Rejected","answers":{"value":"request-2"},"reason":"no-capacity","#
          + #""occurredAt":"2026-11-23T10:00:00Z""#))
    try write("broken.hl7", "MSH|^~\\&|broken\r")
  }

  @Test func `read events, alerts, sources and dead letters as the contract says`() async throws {
    let broker = try TestBroker.start()
    defer { broker.stop() }
    let (inbox, folder) = (try TemporaryFolder(), try TemporaryFolder())
    try messages(in: inbox.url)
    let bootstrap = broker.bootstrapServers.joined(separator: ",")
    let environment = [
      "BATON_BOOTSTRAP": bootstrap, "BATON_DATA": folder.path("data"), "BATON_PARTITIONS": "3",
    ]
    let up = try await BatonExecutable.run(
      ["up", "--messages", inbox.path("."), "--exit-when-idle"], environment: environment)
    #expect(up.status == 0, "\(up.errors)")
    let export = try await BatonExecutable.run(
      ["events", "export", "--decoded"], environment: environment)
    #expect(export.status == 0, "\(export.errors)")
    let lines = folder.url.appending(path: "events.ndjson")
    try Data(export.output.utf8).write(to: lines)

    let run = try await ForeignReaders.run(
      "read_topics.py",
      [bootstrap, PackageRoot.url.appending(path: "Schemas").path(), lines.path()])
    #expect(run.status == 0, "\(run.output)\(run.errors)")
    let summary = try #require(run.output.split(separator: "\n").last)
    let read = try JSONDecoder().decode([String: [String: Int]].self, from: Data(summary.utf8))
    #expect(read["handoff.events.v1"]?["HandoffEvent"] == 7)
    #expect(read["handoff.deadletter.v1"] == ["DeadLetter": 1])
    #expect((read["handoff.alerts.v1"]?["Verdict"] ?? 0) >= 1)
    #expect((read["handoff.sources.v1"]?["SourceRecord"] ?? 0) >= 7)
    let decoded = export.output.split(separator: "\n").count
    #expect(read["lines"] == ["decoded": decoded] && decoded >= 7)
  }

  @Test func `are told by a schema of what is wrong, as Baton's own readers tell`() async throws {
    // The script that finds nothing wrong must be one that can find something.
    let run = try await ForeignReaders.run(
      "check_schemas.py", [PackageRoot.url.appending(path: "Schemas").path()])
    #expect(run.status == 0, "\(run.output)\(run.errors)")
    #expect(run.output.contains("refused"))
  }
}

/// Python with the packages that `deploy/setup` installs.
enum ForeignReaders {
  struct Result {
    var status: Int32
    var output: String
    var errors: String
  }

  /// Where they are imported from; `nil` where they are not installed.
  private static let packages: String? = {
    let candidates = [
      ProcessInfo.processInfo.environment["BATON_READERS"],
      PackageRoot.url.appending(path: ".baton/tools/readers").path(percentEncoded: false),
    ]
    return candidates.compactMap { $0 }.first {
      FileManager.default.fileExists(atPath: $0 + "/confluent_kafka")
    }
  }()

  static let isAvailable =
    packages != nil
    && ["python3", "kcat"].allSatisfy { name in
      (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
        FileManager.default.isExecutableFile(atPath: "\($0)/\(name)")
      }
    }

  /// Runs one of the scripts in Tests/Readers to its end.
  static func run(_ script: String, _ arguments: [String]) async throws -> Result {
    let folder = try TemporaryFolder()
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    let path = PackageRoot.url.appending(path: "Tests/Readers/\(script)").path(
      percentEncoded: false)
    process.arguments = ["python3", path] + arguments
    var environment = ProcessInfo.processInfo.environment
    environment["PYTHONPATH"] = packages
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    process.environment = environment
    process.standardInput = FileHandle.nullDevice
    let (output, errors) = (folder.url.appending(path: "out"), folder.url.appending(path: "err"))
    for url in [output, errors] { try Data().write(to: url) }
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = try FileHandle(forWritingTo: errors)
    try await BatonExecutable.finish(process)
    return Result(
      status: process.terminationStatus, output: try String(contentsOf: output, encoding: .utf8),
      errors: try String(contentsOf: errors, encoding: .utf8))
  }
}
