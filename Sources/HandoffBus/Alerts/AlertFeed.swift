internal import HandoffCodecs
package import HandoffCore
package import KafkaClient

/// The alerts topic as people and programs read it: committed verdicts, each revision once.
package struct AlertFeed: Sendable {
  /// Where to begin.
  package enum Start: Hashable, Sendable {
    /// With every verdict there is.
    case beginning
    /// With the next one.
    case now
  }

  private let scan: TopicScan

  package init(_ kafka: KafkaConfiguration) {
    scan = TopicScan(kafka, topic: .alerts)
  }

  /// The alerts as they are committed now.
  package func read() async throws -> AlertBook {
    var book = AlertBook()
    try await scan.readToEnd { record in
      if let verdict = Self.verdict(record) { book.take(verdict) }
    }
    return book
  }

  /// Hands over each new revision as it is committed, until the task is cancelled.
  ///
  /// The alert comes with all its revisions known so far.
  package func watch(
    from start: Start, forEach body: (Verdict, Alert) async throws -> Void
  ) async throws {
    let starts: [KafkaPartitionOffset] =
      switch start {
      case .now: try await scan.committedEnds()
      case .beginning:
        try await scan.partitions().map {
          KafkaPartitionOffset($0, offset: KafkaPartitionOffset.beginning)
        }
      }
    var book = AlertBook()
    try await scan.follow(from: starts) { record in
      guard let verdict = Self.verdict(record), book.take(verdict),
        let alert = book.byID[verdict.alertID]
      else { return }
      try await body(verdict, alert)
    }
  }

  /// A record that is no verdict of ours is another writer's: nothing to show.
  private static func verdict(_ record: KafkaRecord) -> Verdict? {
    try? WireCodec.verdict(record.wire)
  }
}
