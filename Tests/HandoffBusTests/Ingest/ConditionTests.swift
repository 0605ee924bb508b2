import HandoffConnectors
import HandoffCore
import TestSupport
import Testing

@testable import HandoffBus

/// What will one day stop a source or ingest is said on the sources topic, once for each change.
@Suite struct `Conditions of sources` {
  private static let start = Timestamp(milliseconds: 1_700_000_000_000)

  private func fill(_ entries: UInt64, hours: Int64 = 0) -> SourceCondition {
    SourceCondition(
      source: SourceCondition.ingest, subject: ingestCode("correlation"),
      reading: .fill(entries: entries, entriesMax: 1_000),
      at: Self.start.advanced(by: .hours(hours)))
  }

  @Test func `are said at first, at each mark in both directions, and once a day`() {
    var book = ConditionBook()
    func says(_ condition: SourceCondition) -> Bool {
      let news = book.news([condition])
      book.note(news)
      return news == [condition]
    }
    #expect(says(fill(0)))
    #expect(!says(fill(799)))
    #expect(says(fill(800)))
    #expect(!says(fill(899, hours: 23)))
    #expect(says(fill(899, hours: 24)))
    #expect(says(fill(1_000, hours: 24)))
    #expect(says(fill(10, hours: 25)))
    #expect(!says(fill(20, hours: 25)))
  }

  @Test func `are said again where they could not be published`() {
    let book = ConditionBook()
    #expect(book.news([fill(900)]) == [fill(900)])
    #expect(book.news([fill(900)]) == [fill(900)])
  }

  @Test func `name the connector of a certificate, and ingest for all others`() throws {
    let now = Self.start
    let files = CertificateFiles(certificate: "/nowhere/own.pem", key: "/nowhere/own.key")
    let own = CertificateStanding("connector/rth-pas", files, at: now).condition(at: now)
    #expect(own.source == Code("rth-pas"))
    #expect(own.subject == Code("certificate"))
    #expect(own.reading == .certificate(endsAt: nil, fault: Code("certificate.unusable")))
    let kafka = CertificateStanding("kafka/ingest", files, at: now).condition(at: now)
    #expect(kafka.source == SourceCondition.ingest)
    #expect(kafka.subject == Code("kafka/ingest"))
  }

  @Test func `of the correlation table are published by ingest, also after a restart`() async throws
  {
    var limits = IngestLimits()
    limits.correlation.entryCountMax = 10
    let bench = try IngestBench(limits: limits)
    try await bench.pass()
    func conditions() throws -> [SourceCondition] {
      try bench.publisher.sourceRecords().compactMap {
        if case .condition(let condition) = $0 { condition } else { nil }
      }
    }
    #expect(try conditions().map(\.reading) == [.fill(entries: 0, entriesMax: 10)])
    try await bench.pass()
    #expect(try conditions().count == 1)
    try await bench.restart(later: .minutes(2))
    try await bench.pass()
    #expect(try conditions().count == 2)
    await bench.close()
  }
}
