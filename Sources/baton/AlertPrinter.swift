import Foundation
import HandoffBus
import HandoffCore
import KafkaClient
import ServiceLifecycle
import Synchronization

/// Prints alerts in words as they are raised, changed and resolved.
final class AlertPrinter: Service {
  private struct Revision: Hashable {
    let alert: AlertID
    let number: UInt32
  }

  private let feed: AlertFeed
  private let output: Output
  private let printed = Mutex<Set<Revision>>([])

  init(kafka: KafkaConfiguration, output: Output) {
    feed = AlertFeed(kafka)
    self.output = output
  }

  func run() async throws {
    try await cancelWhenGracefulShutdown { [self] in
      do {
        try await feed.watch(from: .now) { verdict, _ in show(verdict) }
      } catch is CancellationError {
        return
      }
    }
  }

  /// Prints what is committed and was not printed yet; returns all alerts.
  func catchUp(since start: Timestamp) async throws -> AlertBook {
    let book = try await feed.read()
    for alert in book.alerts {
      for verdict in alert.revisions where verdict.knownAt >= start { show(verdict) }
    }
    return book
  }

  private func show(_ verdict: Verdict) {
    let revision = Revision(alert: verdict.alertID, number: verdict.revision)
    guard printed.withLock({ $0.insert(revision).inserted }) else { return }
    if output.isJSON {
      try? output.json(AlertRow(verdict))
    } else {
      output.line(AlertText(style: output.style).block(verdict))
    }
  }
}
