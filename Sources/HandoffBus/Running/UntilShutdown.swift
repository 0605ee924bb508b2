internal import ServiceLifecycle

/// Runs `body` until the service is told to end or is cancelled.
///
/// What fails because of that is no fault, whatever the call that was interrupted makes of it.
package func untilShutdown(_ body: @escaping @Sendable () async throws -> Void) async throws {
  try await cancelWhenGracefulShutdown {
    do {
      try await body()
    } catch {
      guard Task.isCancelled else { throw error }
    }
  }
}
