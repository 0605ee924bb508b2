import Foundation
import HandoffBus
import KafkaClient
import TestSupport
import Testing

private let canRun = TestBroker.isAvailable && !TestBroker.isExternal && BatonExecutable.url != nil

/// What `baton doctor` sees on a bus, beside what it sees on its own machine.
@Suite(.enabled(if: canRun, "\(TestBroker.skipReason) of the tests' own, and the built baton"))
struct `The doctor on a bus` {
  private struct Finding: Decodable {
    var check, level, says: String
    var advice: String?
  }

  private let broker: TestBroker
  private let folder: TemporaryFolder
  private var bootstrap: String { broker.bootstrapServers.joined(separator: ",") }

  init() throws {
    broker = try TestBroker.start()
    folder = try TemporaryFolder()
  }

  private func baton(_ arguments: String...) async throws -> BatonExecutable.Result {
    try await BatonExecutable.run(arguments + ["--bootstrap", bootstrap])
  }

  /// What is amiss, on topics with as many partitions as are asked for, or as there are.
  private func amiss(
    data: String = "data", configured: Int? = nil
  ) async throws -> [Finding] {
    let run = try await BatonExecutable.run(
      ["doctor", "--json", "--data", folder.path(data), "--bootstrap", bootstrap],
      environment: configured.map { ["BATON_PARTITIONS": "\($0)"] } ?? [:])
    return try JSONDecoder().decode([Finding].self, from: Data(run.output.utf8))
      .filter { $0.level != "ok" }
  }

  @Test func `topics that fit each other are well, however many partitions they have`()
    async throws
  {
    #expect(try await baton("topics", "apply", "--partitions", "3").status == 0)
    let well = try await baton("doctor", "--data", folder.path("data"))
    #expect(well.status == 0, "\(well.output)")
    #expect(well.output.contains("ok    topics: all there, 3 partitions"))
    // The plan asks for as many too, where nobody says otherwise.
    #expect(try await baton("topics", "plan").output.contains("as the table wants them"))
    // One line, and no failure: what is there holds.
    let other = try await amiss(configured: 5).filter { $0.check.hasPrefix("topics") }
    #expect(other.map(\.level) == ["warn"])
    #expect(other.first?.says.contains("5") == true && other.first?.says.contains("3") == true)
  }

  @Test func `a topic out of step with the events is a failure, and no other is`() async throws {
    let admin = try KafkaAdmin(KafkaConfiguration(bootstrapServers: broker.bootstrapServers))
    _ = try await admin.createTopics(
      [(Topic.events, 3), (.alerts, 2)].map {
        KafkaAdmin.TopicSpecification(name: $0.name, partitions: $1, replication: 1)
      })
    await admin.close()
    let found = try await amiss()
    let apart = found.filter { $0.says.contains("has 2 partitions") }
    #expect(apart.map(\.check) == [Topic.alerts.name])
    #expect(apart.first?.level == "fail")
    #expect(apart.first?.says.contains("must have 3 like handoff.events.v1") == true)
  }
}
