package import HandoffCore
package import Logging
import Synchronization

/// The states of Kafka Connect, as far as a connector here has them.
package enum ConnectorState: String, Codable, Hashable, Sendable {
  case unassigned = "UNASSIGNED"
  case running = "RUNNING"
  case failed = "FAILED"
  case restarting = "RESTARTING"
  case stopped = "STOPPED"
}

/// What is known of one connector.
package struct ConnectorStatus: Hashable, Sendable {
  package var name: Code
  package var state: ConnectorState = .unassigned
  /// Why it failed, in words; kept while it restarts.
  package var trace: String?
  /// Where it listens, once it does.
  package var port: Int?
  package var restartCount = 0
  /// Files that it has finished with.
  package var handledCount = 0
  /// Files were seen that may be complete by the next look.
  package var isExpecting = false

  package init(name: Code) {
    self.name = name
  }
}

/// The status of all connectors of a process, for whoever asks.
///
/// A failed child shows: ``worst`` is what the process as a whole may claim.
package final class ConnectorBoard: Sendable {
  private let statuses = Mutex<[Code: ConnectorStatus]>([:])

  package init() {}

  package var all: [ConnectorStatus] {
    statuses.withLock { $0.values.sorted { $0.name < $1.name } }
  }

  package subscript(name: Code) -> ConnectorStatus? { statuses.withLock { $0[name] } }

  /// `FAILED` where any has failed, then `RESTARTING`, then `UNASSIGNED`, else `RUNNING`.
  package var worst: ConnectorState {
    let states = Set(all.map(\.state))
    return [.failed, .restarting, .unassigned, .running].first { states.contains($0) } ?? .stopped
  }

  package func update(_ name: Code, _ change: (inout ConnectorStatus) -> Void) {
    statuses.withLock { statuses in
      change(&statuses[name, default: ConnectorStatus(name: name)])
    }
  }
}

/// Keeps one source running: restarts it with growing pauses, and says what became of it.
package struct ConnectorSupervisor: Sendable {
  /// The pause before the first restart; it doubles up to ``pauseMax``.
  package var pauseMin: Duration = .seconds(1)
  package var pauseMax: Duration = .seconds(60)

  private let name: Code
  private let board: ConnectorBoard
  private let logger: Logger

  package init(name: Code, board: ConnectorBoard, logger: Logger) {
    self.name = name
    self.board = board
    self.logger = logger
    board.update(name) { _ in }
  }

  /// Runs `source` until it ends by itself or the task is cancelled.
  package func run(
    clock: any Clock<Duration> = ContinuousClock(), _ source: () async throws -> Void
  ) async throws {
    var pause = pauseMin
    while true {
      board.update(name) { $0.state = .running }
      do {
        try await source()
        board.update(name) { $0.state = .stopped }
        return
      } catch {
        if Task.isCancelled {
          board.update(name) { $0.state = .stopped }
          throw error
        }
        let reason =
          (error as? SourceFailure)?.description
          ?? (error as? IntakeFailure)?.description ?? "\(type(of: error))"
        board.update(name) {
          $0.state = .failed
          $0.trace = reason
        }
        logger.error(
          "Connector failed", metadata: ["connector": "\(name)", "reason": "\(reason)"])
      }
      try await clock.sleep(for: pause, tolerance: pause / 10)
      pause = min(pause * 2, pauseMax)
      board.update(name) {
        $0.state = .restarting
        $0.restartCount += 1
      }
    }
  }
}
