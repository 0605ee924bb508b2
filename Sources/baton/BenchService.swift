/// What a bench runs while it measures.
enum BenchService {
  /// Runs services around `body`, and takes what ends first: `body` gives the value, a service that
  /// fails its error, and one that ends by itself is a fault.
  ///
  /// A body that waits for what a service does would wait for good where the service has failed.
  static func whileRunning<Value: Sendable>(
    _ services: [@Sendable () async throws -> Void],
    body: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    try await withThrowingTaskGroup(of: Value?.self) { group in
      for service in services {
        group.addTask {
          try await service()
          return nil
        }
      }
      group.addTask { try await body() }
      defer { group.cancelAll() }
      guard let value = try await group.next() ?? nil else { throw BenchFault.serviceEnded }
      return value
    }
  }
}
