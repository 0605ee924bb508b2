import Foundation
import HandoffBus
import KafkaClient

/// Looks at the cluster: whether it answers, its topics, the settings safety rests on, its clock.
struct ClusterDoctor {
  let configuration: BatonConfiguration

  static let patience: Duration = .seconds(10)

  func findings() async -> [Finding] {
    do {
      return [try await broker()] + (try await topics()) + (try await access())
        + (await sources()) + (try await clock())
    } catch let error as KafkaError {
      return [
        .fail(
          "broker", "no answer from \(configuration.kafka.bootstrap ?? ""): \(error.message)",
          "See that the broker runs, that the address is right, and that nothing is in between.")
      ]
    } catch {
      return [.fail("broker", "the check itself failed", "Report this as a fault of Baton.")]
    }
  }

  private func broker() async throws -> Finding {
    let admin = try KafkaAdmin(KafkaConfiguration(configuration, client: "doctor"))
    let result = await Result(catching: { try await admin.cluster(within: Self.patience) })
    await admin.close()
    let count = try result.get().brokerCount
    guard count >= 3 else {
      return .warn(
        "broker", "\(count) broker\(count == 1 ? "" : "s"): one that fails stops or loses the bus",
        "Well for looking around; in service run three or more with replication 3.")
    }
    return .ok("broker", "\(count) brokers")
  }

  private func topics() async throws -> [Finding] {
    let administrator = try TopicAdministrator(KafkaConfiguration(configuration, client: "doctor"))
    // What is there is never changed: the question is whether it fits together.
    var sizes = TopicSizes(configuration.topics)
    sizes.isChosen = false
    let table = TopicTable.all(organisations: configuration.boundary.organisations.map(\.code))
    let result = await Result(catching: {
      try await administrator.plan(table: table, sizes: sizes)
    })
    await administrator.close()
    let plan = try result.get()
    let missing = plan.steps.filter { if case .create = $0 { true } else { false } }.count
    var findings = plan.steps.compactMap { finding($0, likeEvents: plan.partitions) }
    if let chosen = configuration.topics.partitions, chosen != plan.partitions {
      findings.append(
        .warn(
          "topics.partitions", "\(chosen) are configured, the topics have \(plan.partitions)",
          "Set it to \(plan.partitions): partitions are never added, order would be lost, and "
            + "`baton topics apply` refuses."))
    }
    if missing > 0 {
      findings.append(
        .warn("topics", "\(missing) are not there yet", "Run: baton topics apply"))
    }
    guard findings.isEmpty else { return findings }
    let each = counted(Int(plan.partitions), "partition", "partitions")
    return [.ok("topics", "all there, \(each), with the settings that safety rests on")]
  }

  private func finding(_ step: TopicStep, likeEvents: Int32) -> Finding? {
    switch step {
    case .alter(let name, let changes):
      .fail(
        name, changes.map { "\($0.name) is \($0.from), must be \($0.to)" }.joined(separator: "; "),
        "Run: baton topics apply")
    case .refuseResize(let name, let has, let wanted):
      .fail(
        name,
        "has \(counted(Int(has), "partition", "partitions")), must have \(wanted)"
          + (wanted == likeEvents ? " like \(Topic.events.name)" : ""),
        "Records that belong together lie apart. Partitions are never added, order would be lost: "
          + "delete the topic while it is empty, else move to a new version of it.")
    case .unsupported(let name, let settings):
      .warn(
        name, "this broker does not tell \(settings.joined(separator: ", "))",
        "Check them by other means; no broker that hides them belongs in service.")
    case .create, .unknown: nil
    }
  }
}

extension Result where Failure == any Error {
  /// Keeps what was thrown, so that something can be closed before it is thrown on.
  init(catching body: () async throws -> Success) async {
    do {
      self = .success(try await body())
    } catch {
      self = .failure(error)
    }
  }
}
