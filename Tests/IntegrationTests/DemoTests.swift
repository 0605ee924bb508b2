import Foundation
import TestSupport
import Testing

/// Runs of the built program, as `deploy/demo` makes them, on a broker of the test's own.
@Suite(
  .enabled(
    if: TestBroker.isAvailable && !TestBroker.isExternal, "needs a noida-db of its own"))
struct `The whole bus in one process` {
  private struct AlertRow: Decodable {
    let rule, action: String
    /// `nil` where an alert is about a source or the bus.
    let patientKey: String?
    let latenessSeconds: Double?
  }

  @Test func `the demo finds what was lost and doubled, and proves its answer`() async throws {
    let broker = try TestBroker.start()
    defer { broker.stop() }
    let folder = try TemporaryFolder()
    let policy = PackageRoot.url.appending(path: "deploy/demo-data/policy.yaml")
    let environment = [
      "BATON_BOOTSTRAP": broker.bootstrapServers.joined(separator: ","),
      "BATON_DATA": folder.path("data"), "BATON_POLICY": policy.path(percentEncoded: false),
    ]
    let demo = try await BatonExecutable.run(
      ["up", "--demo", "--exit-when-idle"], environment: environment)
    #expect(demo.status == 0, "\(demo.errors)")

    let list = try await BatonExecutable.run(
      ["alerts", "list", "--json"], environment: environment)
    let alerts = try list.output.split(separator: "\n").map {
      try JSONDecoder().decode(AlertRow.self, from: Data($0.utf8))
    }.filter { $0.patientKey != nil }
    #expect(Set(alerts.map(\.rule)) == ["A01", "A03", "A07", "A08", "A11", "A14"])
    #expect(alerts.filter { $0.rule == "A01" }.count == 1)
    let late = try #require(alerts.first { $0.rule == "A07" && $0.action == "resolved" })
    #expect((late.latenessSeconds ?? 0) > 0)

    let proof = folder.path("proof.json")
    let proved = try await BatonExecutable.run(
      ["audit", "prove", "--person", late.patientKey ?? "", "--output", proof],
      environment: environment)
    #expect(proved.status == 0, "\(proved.errors)")
    let key = folder.path("data/checkpoint.pub")
    let verify = ["audit", "verify", "--bundle", proof, "--key", key]
    #expect(try await BatonExecutable.run(verify).status == 0)

    // The answer with one of its records changed is no answer.
    let text = try String(contentsOfFile: proof, encoding: .utf8)
    let changed = text.replacing("\"offset\":", with: "\"offset\":1", maxReplacements: 1)
    #expect(changed != text)
    try Data(changed.utf8).write(to: URL(filePath: proof))
    #expect(try await BatonExecutable.run(verify).status != 0)
  }

  @Test(
    .enabled(if: PackageRoot.hasSamples, "needs the sample messages beside the package"))
  func `every message of the samples becomes something, and the counts add up`() async throws {
    let broker = try TestBroker.start()
    defer { broker.stop() }
    let folder = try TemporaryFolder()
    let run = try await BatonExecutable.run(
      [
        "up", "--messages", PackageRoot.samples.path(percentEncoded: false), "--exit-when-idle",
      ],
      environment: [
        "BATON_BOOTSTRAP": broker.bootstrapServers.joined(separator: ","),
        "BATON_DATA": folder.path("data"),
      ])
    #expect(run.status == 0, "\(run.errors)")
    let total = try #require(
      run.output.split(separator: "\n").first { $0.hasPrefix("all ") })
    #expect(total.hasSuffix("yes"))
    let numbers = total.split(separator: " ").compactMap { Int($0) }
    #expect(numbers.count == 6 && numbers[0] > 100)
    #expect(numbers[0] == numbers[1] + numbers[3] + numbers[4] + numbers[5])
  }

  @Test(
    .enabled(if: PackageRoot.hasSamples, "needs the sample messages beside the package"))
  func `nothing of a person is in what the bus prints, stores, publishes and exports`()
    async throws
  {
    let broker = try TestBroker.start()
    defer { broker.stop() }
    let (inbox, folder) = (try TemporaryFolder(), try TemporaryFolder())
    var canaries = Canaries()
    for file in try canaries.samples() {
      let url = inbox.url.appending(path: file.name)
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(file.bytes).write(to: url)
    }
    let environment = [
      "BATON_BOOTSTRAP": broker.bootstrapServers.joined(separator: ","),
      "BATON_DATA": folder.path("data"),
    ]
    var seen: [(place: String, data: Data)] = []
    for command in [
      ["up", "--messages", inbox.path("."), "--exit-when-idle"], ["events", "export"],
      ["events", "export", "--decoded"], ["alerts", "list", "--json"], ["alerts", "list"],
      ["audit", "query", "--json"],
    ] {
      let run = try await BatonExecutable.run(command, environment: environment)
      #expect(run.status == 0, "\(run.errors)")
      #expect(!run.output.isEmpty)
      seen.append(("output of \(command)", Data(run.output.utf8)))
      seen.append(("errors of \(command)", Data(run.errors.utf8)))
    }
    let data = URL(filePath: folder.path("data"))
    for name in try FileManager.default.subpathsOfDirectory(atPath: data.path()) {
      let content = try? Data(contentsOf: data.appending(path: name))
      if let content { seen.append(("file \(name)", content)) }
    }
    #expect(seen.contains { $0.place.contains("audit") && $0.place.hasPrefix("file") })
    let search = canaries.search()
    for (place, data) in seen {
      let found = Canaries.leaks(in: data, search)
      if !found.isEmpty { Issue.record("\(found) in \(place)") }
    }
  }
}
