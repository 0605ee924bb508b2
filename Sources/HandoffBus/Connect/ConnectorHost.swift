package import HandoffConnectors
package import HandoffCore
package import HandoffStores
package import Logging
import ServiceLifecycle
import Synchronization

/// Runs all connectors of a process, each supervised on its own.
package final class ConnectorHost: Service {
  private let connectors: [(ConnectorConfiguration, ConnectorIntake)]
  private let board: ConnectorBoard
  private let logger: Logger
  private let now: @Sendable () -> Timestamp
  /// How long connections may take to be answered and closed at the end.
  private let closingTime: Duration
  private let isEnding = Atomic(false)

  package init(
    _ connectors: [ConnectorConfiguration], secrets: Secrets, outbox: Outbox,
    board: ConnectorBoard, closingTime: Duration = .seconds(10), logger: Logger,
    now: @escaping @Sendable () -> Timestamp
  ) {
    self.connectors = connectors.map {
      ($0, ConnectorIntake($0, secrets: secrets, outbox: outbox, now: now))
    }
    self.board = board
    self.closingTime = closingTime
    self.logger = logger
    self.now = now
  }

  /// Whether it was told to end: from then on nobody is to be sent here.
  package var isStopping: Bool { isEnding.load(ordering: .relaxed) }

  package func run() async throws {
    await withGracefulShutdownHandler {
      await runAll()
    } onGracefulShutdown: {
      self.isEnding.store(true, ordering: .relaxed)
    }
  }

  private func runAll() async {
    guard !connectors.isEmpty else {
      try? await gracefulShutdown()  // Fails only by cancellation, which ends it as well.
      return
    }
    await withDiscardingTaskGroup { group in
      for (configuration, intake) in connectors {
        group.addTask { await self.supervise(configuration, intake) }
      }
    }
  }

  private func supervise(_ configuration: ConnectorConfiguration, _ intake: ConnectorIntake) async {
    var logger = logger
    logger[metadataKey: "connector"] = "\(configuration.name)"
    do {
      switch configuration.source {
      case .mllp(let settings):
        try await listen(settings, configuration.name, intake, logger)
      case .fhir(let settings):
        try await serve(settings, configuration.name, intake, logger)
      case .dropFolder(let settings):
        try await watch(settings, configuration.name, intake, logger)
      }
    } catch {
      // Only cancellation ends a supervisor by an error.
      logger.info("Connector stopped")
    }
  }

  /// Serves FHIR until a graceful shutdown; requests under way then are answered within
  /// ``closingTime``.
  private func serve(
    _ settings: FHIRSettings, _ name: Code, _ intake: ConnectorIntake, _ logger: Logger
  ) async throws {
    let supervisor = ConnectorSupervisor(name: name, board: board, logger: logger)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { [board, now] in
        try await supervisor.run {
          // The listener ends by itself at a graceful shutdown, as Hummingbird's server does.
          let listener = FHIRListener(settings, intake: intake, logger: logger, now: now)
          try await listener.run { port in
            board.update(name) { $0.port = port }
            logger.notice("Connector listens", metadata: ["port": "\(port)"])
          }
        }
      }
      group.addTask { [closingTime] in
        try await gracefulShutdown()
        try await ContinuousClock().sleep(for: closingTime)
      }
      defer { group.cancelAll() }
      _ = try await group.next()
    }
  }

  /// Listens until a graceful shutdown; what was read by then is answered within ``closingTime``.
  private func listen(
    _ settings: MLLPSettings, _ name: Code, _ intake: ConnectorIntake, _ logger: Logger
  ) async throws {
    let supervisor = ConnectorSupervisor(name: name, board: board, logger: logger)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { [board, now] in
        try await supervisor.run {
          let listener = MLLPListener(settings, intake: intake, logger: logger, now: now)
          try await withGracefulShutdownHandler {
            try await listener.run { port in
              board.update(name) { $0.port = port }
              logger.notice("Connector listens", metadata: ["port": "\(port)"])
            }
          } onGracefulShutdown: {
            listener.stop()
          }
        }
      }
      group.addTask { [closingTime] in
        try await gracefulShutdown()
        try await ContinuousClock().sleep(for: closingTime)
      }
      defer { group.cancelAll() }
      _ = try await group.next()
    }
  }

  private func watch(
    _ settings: DropFolderSettings, _ name: Code, _ intake: ConnectorIntake, _ logger: Logger
  ) async throws {
    let supervisor = ConnectorSupervisor(name: name, board: board, logger: logger)
    try await cancelWhenGracefulShutdown { [board] in
      try await supervisor.run {
        let folder = DropFolder(settings, intake: intake, logger: logger)
        logger.notice("Connector watches its folder")
        try await folder.run { taken, isExpecting in
          board.update(name) {
            $0.handledCount += taken
            $0.isExpecting = isExpecting
          }
        }
      }
    }
  }
}
