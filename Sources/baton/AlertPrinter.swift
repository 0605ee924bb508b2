import Foundation
import HandoffBus
import HandoffCore
import KafkaClient
import ServiceLifecycle
import Synchronization

/// Prints what is wrong in words, as it begins and ends: one block a cause, as `baton alerts watch`
/// does; as JSON each revision of each alert.
final class AlertPrinter: Service {
  private struct Revision: Hashable {
    let alert: AlertID
    let number: UInt32
  }

  private let feed: AlertFeed
  private let output: Output
  private let printed = Mutex<Set<Revision>>([])
  private let notices: Mutex<AlertNotices>
  /// What was known before is not told of again.
  private let began = Timestamp.now()

  /// `policy` says which alerts have one cause.
  init(kafka: KafkaConfiguration, policy: Policy, output: Output) {
    feed = AlertFeed(kafka)
    notices = Mutex(AlertNotices(AlertGrouping(policy: policy)))
    self.output = output
  }

  func run() async throws {
    try await untilShutdown { [self] in
      try await remember()
      try await feed.watch(from: .now) { verdict, _ in show([verdict]) }
    }
  }

  private func remember() async throws {
    let before = try await feed.read().alerts.compactMap { alert in
      alert.revisions.last { $0.knownAt < began }
    }
    notices.withLock { $0.remember(before) }
  }

  /// Prints what is committed and was not printed yet; returns all alerts.
  func catchUp(since start: Timestamp) async throws -> AlertBook {
    let book = try await feed.read()
    show(book.alerts.flatMap(\.revisions).filter { $0.knownAt >= start })
    return book
  }

  private func show(_ verdicts: [Verdict]) {
    let news = verdicts.filter { verdict in
      let revision = Revision(alert: verdict.alertID, number: verdict.revision)
      return printed.withLock { $0.insert(revision).inserted }
    }
    guard !output.isJSON else {
      for verdict in news { try? output.json(AlertRow(verdict)) }
      return
    }
    let text = AlertText(style: output.style)
    for notice in notices.withLock({ $0.take(news) }) { output.line(text.block(notice.group)) }
  }
}
