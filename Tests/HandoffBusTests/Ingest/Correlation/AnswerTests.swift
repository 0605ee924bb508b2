import HandoffCodecs
import HandoffConnectors
import HandoffCore
import HandoffStores
import KafkaClient
import Testing

@testable import HandoffBus

/// Answers over another rail, before their request, twice, from strangers, and to nothing.
@Suite struct AnswerTests {
  static let folder = Conversation.connector("folder")

  /// The answers that reach one referral by each way, none of which names its patient.
  static let answers: [String] = [
    Conversation.answer(),
    Conversation.acknowledgement(to: "M1"),
    Conversation.bars(
      bundle: "b-9", identifier: ("https://fhir.nhs.uk/Id/UBRN", "0000 1234 5678"), nhs: nil,
      answers: "nobody-knows", encounter: "in-progress"),
    Conversation.submission(
      "Accepted", id: "s-1",
      members: Conversation.reference("handoff", "UBRN", "0000-1234-5678")),
    Conversation.submission(
      "Accepted", id: "s-2",
      members: Conversation.reference("answers", "MSH-10", "M1", "PAS|RTH")),
  ]

  @Test(arguments: answers.indices, [false, true])
  func `an answer by any rail finds its request, before it or after it and over a restart`(
    index: Int, isFirst: Bool
  ) async throws {
    let bench = try IngestBench(others: [Self.folder])
    let request = Conversation.referral()
    if isFirst {
      try await bench.take(by: Self.folder, Self.answers[index])
      try await bench.pass()
      #expect(bench.outbox.level.parkedCount == 1)
      #expect(try bench.publisher.events().isEmpty)
      try await bench.restart(later: .minutes(5))
      try await bench.take(request)
    } else {
      try await bench.take(request)
      try await bench.pass()
      try await bench.restart()
      try await bench.take(by: Self.folder, Self.answers[index])
    }
    try await bench.pass()
    let events = try bench.publisher.events()
    try #require(events.count == 2)
    #expect(events[1].patientKey == events[0].patientKey)
    #expect(events[1].handoffID == events[0].handoffID)
    #expect(events[1].spokenBy?.description == (events[1].speaker == .platform ? nil : "ods:RXQ"))
    #expect(bench.outbox.level.rowCount == 0)
    await bench.close()
  }

  @Test func `an answer says which version of the request it is about, in no clear id`()
    async throws
  {
    let bench = try IngestBench()
    let amendment = Conversation.referral(message: "M2").replacing("REF^I12", with: "REF^I13")
    try await bench.take(
      Conversation.referral(), amendment, Conversation.answer(),
      Conversation.answer(message: "R2", to: "M2"), Conversation.answer(message: "R3", to: "M9"))
    try await bench.pass()
    let events = try bench.publisher.events()
    #expect(
      events.map(\.type) == [.handoffRequested, .handoffAmended, .accepted, .accepted])
    try #require(events.count == 4)
    #expect(events[0].version != nil && events[0].version != events[1].version)
    #expect(events[2].answers == events[0].version && events[3].answers == events[1].version)
    #expect(events[0].answers == nil && events[2].version == nil)
    await bench.close()
  }

  @Test func `an answer sent twice is one event id of one handoff`() async throws {
    let bench = try IngestBench()
    try await bench.take(Conversation.answer(), Conversation.answer(), Conversation.referral())
    try await bench.pass()
    let events = try bench.publisher.events()
    #expect(events.map(\.type) == [.handoffRequested, .accepted, .accepted])
    #expect(events[1].id == events[2].id && events[1].receptionID != events[2].receptionID)
    #expect(Set(events.map(\.handoffID)).count == 1)
    await bench.close()
  }

  @Test func `an answer that names its patient waits for a request it names by message only`()
    async throws
  {
    let bench = try IngestBench()
    try await bench.take(Conversation.answer(nhs: Conversation.person))
    try await bench.pass()
    #expect(try bench.publisher.events().isEmpty)
    try await bench.take(Conversation.referral())
    try await bench.pass()
    let events = try bench.publisher.events()
    #expect(events.map(\.type) == [.handoffRequested, .accepted])
    #expect(events[1].handoffID == events[0].handoffID)
    await bench.close()
  }

  @Test func `an orphan that names its patient is published in the end, as evidence`()
    async throws
  {
    let bench = try IngestBench()
    try await bench.take(Conversation.answer(nhs: Conversation.person))
    try await bench.pass()
    try await bench.restart(later: .minutes(24 * 60 + 16))
    try await bench.pass()
    #expect(try bench.publisher.orphans().map(\.isResolved) == [false])
    #expect(try bench.publisher.events().isEmpty)
    try await bench.restart(later: .hours(14 * 24))
    try await bench.pass()
    let events = try bench.publisher.events()
    #expect(events.map(\.type) == [.accepted])
    #expect(events[0].handoffID == nil)
    #expect(try bench.publisher.orphans().map(\.isResolved) == [false])
    #expect(bench.outbox.level.rowCount == 0)
    await bench.close()
  }

  @Test func `a late request still gets its orphan, and that is said`() async throws {
    let bench = try IngestBench()
    try await bench.take(Conversation.answer(), Conversation.acknowledgement(to: "M1"))
    try await bench.pass()
    try await bench.restart(later: .hours(30))
    try await bench.pass()
    // One reference, although two answers wait for it.
    #expect(try bench.publisher.orphans().map(\.isResolved) == [false])
    try await bench.restart(later: .hours(30))
    try await bench.pass()
    #expect(try bench.publisher.orphans().count == 1)
    try await bench.take(Conversation.referral())
    try await bench.pass()
    let events = try bench.publisher.events()
    #expect(events.count == 3)
    #expect(Set(events.map(\.handoffID)).count == 1)
    let orphans = try bench.publisher.orphans()
    #expect(orphans.contains { $0.isResolved })
    #expect(Set(orphans.map(\.reference)).count == 1)
    await bench.close()
  }

  @Test func `the sender of an answer hears the same whether it finds anything or not`()
    async throws
  {
    let bench = try IngestBench()
    try await bench.take(Conversation.referral())
    try await bench.pass()
    let hit = try await bench.take(Conversation.answer())
    let miss = try await bench.take(Conversation.answer(message: "R2", to: "NOTHING"))
    for reception in [hit[0], miss[0]] {
      guard case .mapped? = reception.outcome else {
        Issue.record("refused")
        continue
      }
    }
    await bench.close()
  }

  // MARK: Strangers

  @Test func `an answer of no party finds the handoff and moves nothing that is known of it`()
    async throws
  {
    let bench = try IngestBench()
    try await bench.take(Conversation.referral())
    try await bench.pass()
    let before = try bench.publisher.entries()
    try await bench.take(
      Conversation.answer(message: "X1", id: Conversation.ubrn + "^ERS", from: "RNU"))
    try await bench.pass()
    let events = try bench.publisher.events()
    #expect(events[1].handoffID == events[0].handoffID)
    #expect(events[1].spokenBy?.description == "ods:RNU")
    let after = try bench.publisher.entries()
    for (token, entry) in before { #expect(after[token] == entry) }
    let new = after.filter { before[$0.key] == nil }.values
    #expect(!new.isEmpty)
    #expect(new.allSatisfy { $0.handoffID == nil && $0.kind == .message })
    await bench.close()
  }

  @Test func `who may speak for one organisation only answers for no other by leaving it out`()
    async throws
  {
    let stranger = Conversation.connector("stranger") {
      $0.speaksFor = .only(Set(["RNU"].compactMap { ODSCode($0) }))
    }
    let bench = try IngestBench(others: [stranger])
    try await bench.take(Conversation.referral())
    try await bench.pass()
    // No party is named, so that the request's would be taken for the speaker.
    try await bench.take(
      by: stranger,
      """
      {"specversion":"1.0","id":"x","source":"/x","type":"baton.handoff.v1.HandoffSubmission",\
      "data":{"type":"Accepted",\(Conversation.reference("handoff", "UBRN", Conversation.ubrn)),\
      "occurredAt":"2023-11-14T22:05:00Z"}}
      """,
      """
      {"specversion":"1.0","id":"y","source":"/x","type":"baton.handoff.v1.HandoffSubmission",\
      "data":{"type":"TransportFailed","speaker":"platform",\
      \(Conversation.reference("handoff", "UBRN", Conversation.ubrn)),\
      "occurredAt":"2023-11-14T22:05:00Z"}}
      """)
    try await bench.pass()
    let events = try bench.publisher.events()
    #expect(events.map(\.type) == [.handoffRequested, .accepted, .transportFailed])
    #expect(events[1].handoffID == events[0].handoffID)
    #expect(events.dropFirst().allSatisfy { $0.spokenBy?.description == "ods:RNU" })
    #expect(events.dropFirst().allSatisfy { $0.speaker == .receiver })
    await bench.close()
  }

  @Test func `a stranger's request under somebody's id takes nothing of theirs`() async throws {
    let bench = try IngestBench()
    try await bench.take(
      Conversation.referral(),
      Conversation.referral(message: "X1", nhs: Conversation.other, from: "RNU"),
      Conversation.answer())
    try await bench.pass()
    let events = try bench.publisher.events()
    #expect(events.count == 3)
    #expect(events[2].patientKey == events[0].patientKey)
    #expect(events[2].handoffID == events[0].handoffID)
    let conflict = try #require(try bench.publisher.conflicts().first)
    #expect(conflict.knownKey == events[0].patientKey)
    #expect(conflict.namedKey == events[1].patientKey)
    #expect(conflict.system.description == "RF1-6")
    await bench.close()
  }

  @Test func `an id that its own sender gives to two people finds neither`() async throws {
    let bench = try IngestBench()
    try await bench.take(
      Conversation.referral(), Conversation.referral(message: "M2", nhs: Conversation.other),
      Conversation.submission(
        "Accepted", id: "s-1", members: Conversation.reference("handoff", "UBRN", Conversation.ubrn)
      ))
    try await bench.pass()
    #expect(try bench.publisher.events().count == 2)
    #expect(bench.outbox.level.parkedCount == 1)
    #expect(try bench.publisher.conflicts().count == 1)
    await bench.close()
  }
}
