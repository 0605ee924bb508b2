package import HandoffCore

/// What was said of the conditions of sources last, so that each is said when it changes and once a
/// day, not at every look.
package struct ConditionBook: Sendable {
  private struct Thing: Hashable {
    var source: Code
    var subject: Code
  }

  private var said: [Thing: SourceCondition] = [:]

  /// Marks, in hundredths of the most that a table may hold, at which its fill is news.
  package static let fillMarks = [80, 90, 95, 100]
  private static let interval: Elapsed = .hours(24)

  package init() {}

  /// Those of `conditions` that say something new, or were last said a day ago.
  package func news(_ conditions: [SourceCondition]) -> [SourceCondition] {
    conditions.filter { condition in
      guard let before = said[Thing(source: condition.source, subject: condition.subject)] else {
        return true
      }
      return before.at.advanced(by: Self.interval) <= condition.at
        || Self.differs(before.reading, condition.reading)
    }
  }

  /// These have been published.
  package mutating func note(_ conditions: [SourceCondition]) {
    for condition in conditions {
      said[Thing(source: condition.source, subject: condition.subject)] = condition
    }
  }

  private static func differs(
    _ before: SourceCondition.Reading, _ after: SourceCondition.Reading
  ) -> Bool {
    switch (before, after) {
    case (.fill(let entries, let most), .fill(let newEntries, let newMost)):
      most != newMost || mark(entries, most) != mark(newEntries, newMost)
    default: before != after
    }
  }

  private static func mark(_ entries: UInt64, _ most: UInt64) -> Int {
    guard most > 0 else { return 0 }
    return fillMarks.last { mark in
      let mark = UInt64(mark)
      return entries >= most / 100 * mark + most % 100 * mark / 100
    } ?? 0
  }
}

extension CertificateStanding {
  /// The same for the sources topic.
  func condition(at time: Timestamp) -> SourceCondition {
    let connector = "connector/"
    let own = name.hasPrefix(connector) ? Code(name.dropFirst(connector.count)) : nil
    let fault: Code? =
      switch level {
      case .well, .soon, .urgent: nil
      case .expired: ingestCode("certificate.expired")
      case .early: ingestCode("certificate.early")
      case .unusable: ingestCode("certificate.unusable")
      }
    return SourceCondition(
      source: own ?? SourceCondition.ingest,
      subject: own == nil ? Code(name) ?? Self.anyCertificate : Self.anyCertificate,
      reading: .certificate(endsAt: endsAt, fault: fault), at: time)
  }

  private static let anyCertificate = ingestCode("certificate")
}

extension CorrelationStatus {
  /// The same for the sources topic.
  func condition(at time: Timestamp) -> SourceCondition {
    SourceCondition(
      source: SourceCondition.ingest, subject: ingestCode("correlation"),
      reading: .fill(entries: UInt64(max(0, entries)), entriesMax: UInt64(max(0, entriesMax))),
      at: time)
  }
}
