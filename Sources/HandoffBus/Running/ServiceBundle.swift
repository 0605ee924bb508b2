package import ServiceLifecycle

/// Services that do not need each other in order to end, as one: they are told to end at once.
///
/// A `ServiceGroup` ends one service after another. Each may have to wait for Kafka, when that is
/// away, until it gives up; one after another they would wait longer than most supervisors grant.
package struct ServiceBundle: Service, CustomStringConvertible {
  private let services: [any Service]

  package init(_ services: [any Service]) {
    self.services = services
  }

  /// Runs all until they are told to end.
  ///
  /// - Throws: what the first of them throws, and `ServiceGroupError` where one ends by itself; the
  ///   others are then cancelled.
  package func run() async throws {
    try await withThrowingTaskGroup(of: String.self) { group in
      for service in services {
        group.addTask {
          try await service.run()
          return "\(type(of: service))"
        }
      }
      for try await name in group where !Task.isShuttingDownGracefully && !Task.isCancelled {
        throw ServiceGroupError.serviceFinishedUnexpectedly(service: name)
      }
    }
  }

  /// The names only: the log of a service group prints its services, and settings may be secret.
  package var description: String {
    services.map { "\(type(of: $0))" }.joined(separator: " + ")
  }
}
