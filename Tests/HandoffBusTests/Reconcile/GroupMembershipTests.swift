import KafkaClient
import Logging
import Synchronization
import Testing

@testable import HandoffBus

struct GroupMembershipTests {
  private let lines = LogKeeper.Lines()
  private let status = ReconcilerStatus()

  private var configuration: ReconcilerConfiguration {
    var configuration = ReconcilerConfiguration(
      kafka: KafkaConfiguration(bootstrapServers: []), instanceID: "one")
    configuration.limits.rejoinWaitMax = .zero
    configuration.logger = Logger(label: "test") { [lines] _ in LogKeeper(lines: lines) }
    return configuration
  }

  @Test func `two of one instance are told, and what to do, at every joining`() async throws {
    var ends: [KafkaError?] = [
      KafkaError(.fencedInstance, disposition: .close), KafkaError(.transport, disposition: .close),
      nil,
    ]
    try await configuration.join("reconcilers", status) {
      if let error = ends.removeFirst() { throw error }
    }
    #expect(ends.isEmpty)
    #expect(status.snapshot.rejoinCount == 2)
    let told = lines.all.withLock { $0 }
    #expect(told.count == 2)
    #expect(told.first?.contains("give each an --instance of its own") == true)
    #expect(told.first?.contains("one") == true && told.first?.contains("reconcilers") == true)
    #expect(told.last?.contains("Joining the group again") == true)
  }

  @Test(.timeLimit(.minutes(5)))
  func `what fails because it is told to end is an end in good order`() async throws {
    let (joined, join) = AsyncStream.makeStream(of: Void.self)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { [configuration, status] in
        try await configuration.join("reconcilers", status) {
          join.yield()
          let (never, keep) = AsyncStream.makeStream(of: Void.self)
          for await _ in never {}  // Ends by cancellation.
          withExtendedLifetime(keep) {}
          throw KafkaError(
            .hookFailed, message: "restoring", disposition: .close, underlying: CancellationError())
        }
      }
      for await _ in joined { break }
      group.cancelAll()
      try await group.waitForAll()
    }
    #expect(lines.all.withLock { $0 }.isEmpty)
  }

  @Test func `what joining again would not mend is thrown`() async throws {
    let error = await #expect(throws: KafkaError.self) {
      try await configuration.join("reconcilers", status) {
        throw KafkaError(.invalidArgument, disposition: .close)
      }
    }
    #expect(error?.code == .invalidArgument)
    #expect(status.snapshot.rejoinCount == 0)
  }
}
