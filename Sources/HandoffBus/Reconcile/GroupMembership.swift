import KafkaClient
import Logging

extension ReconcilerConfiguration {
  /// Runs one membership of `group` after another, from joining to leaving, until one ends by itself.
  ///
  /// - Throws: what joining again would not mend.
  func join(
    _ group: String, _ status: ReconcilerStatus, _ membership: () async throws -> Void
  ) async throws {
    var failures = 0
    while !Task.isCancelled {
      let committed = status.snapshot.transactionCount
      do {
        try await membership()
        return
      } catch let error as KafkaError {
        // What fails because it is told to end, such as restoring, is no fault.
        if Task.isCancelled { return }
        guard !error.isPermanent else { throw error }
        failures = status.snapshot.transactionCount > committed ? 1 : failures + 1
        status.update { $0.rejoinCount += 1 }
        logger.warning(
          error.code == .fencedInstance
            ? "Another process may reconcile under this one's name: give each an --instance of its own"
            : "Joining the group again",
          metadata: [
            "group": "\(group)", "instance": "\(instanceID)", "kafkaCode": "\(error.code)",
            "failures": "\(failures)",
          ])
        try? await Task.sleep(for: rejoinWait(failures))
      }
    }
  }

  /// Doubles from half a second on: a cluster that is away is not to be hammered.
  private func rejoinWait(_ failures: Int) -> Duration {
    min(limits.rejoinWaitMax, .milliseconds(250) * (1 << min(failures, 10)))
  }
}
