import HandoffCodecs
import HandoffConnectors
import HandoffCore
import HandoffStores
import Testing

@testable import HandoffBus

/// Ids that are too long, empty or written in another way; answers that wait in a circle.
@Suite struct HostileIdTests {
  static let long = String(repeating: "x", count: 10_000)

  static let tooLong: [(message: String, field: String)] = [
    (Conversation.referral(id: long), "RF1-6"),
    (Conversation.referral(message: long), "MSH-10"),
    (Conversation.referral(locals: ["\(long)^^^RTH^MR"]), "PID-3"),
    (Conversation.answer(to: long), "MSA-2"),
    (Conversation.referral(extra: ["PV1|1||||||||||||||||||\(long)"]), "PV1-19"),
    (
      Conversation.submission(
        "Accepted", id: "s", members: Conversation.reference("handoff", "UBRN", long)),
      "$.data.handoff.value"
    ),
    (
      Conversation.bars(
        bundle: "b", identifier: ("urn:x", long), nhs: Conversation.person),
      "ServiceRequest.identifier"
    ),
  ]

  @Test(arguments: tooLong.indices)
  func `an id of 10 kB is refused with its field, and kept`(index: Int) async throws {
    let (message, field) = Self.tooLong[index]
    let bench = try IngestBench()
    let reception = try await bench.take(message)
    guard case .refused(let error)? = reception[0].outcome else {
      Issue.record("taken")
      return
    }
    #expect(error.field == field)
    #expect(error.explanation.contains("longer than identifierMax"))
    #expect(!"\(error)".contains("xxx"))
    try await bench.pass()
    #expect(try bench.publisher.events().isEmpty)
    #expect(try bench.publisher.deadLetters().map(\.reason) == [error.code])
    #expect(bench.outbox.level.rowCount == 0)
    await bench.close()
  }

  @Test func `a blank id of a handoff is refused, and blanks around one are no part of it`()
    async throws
  {
    let bench = try IngestBench()
    let blank = try await bench.take(
      Conversation.submission(
        "Accepted", id: "s", members: Conversation.reference("handoff", "X", " \\u200B\\t")))
    guard case .refused(let error)? = blank[0].outcome else {
      Issue.record("taken")
      return
    }
    #expect(error.code.description == "identifier.empty")
    try await bench.take(
      Conversation.referral(id: "  AB-1 ^RTH"), Conversation.referral(id: "ab-1^RTH"))
    try await bench.pass()
    let events = try bench.publisher.events()
    // Case tells two ids apart: neither HL7 nor FHIR lets it be ignored.
    #expect(events[0].handoffID != events[1].handoffID)
    await bench.close()
  }

  static let spellings: [(String, String?, String, String?)] = [
    ("AB-1", "RTH", " AB-1\u{A0}", "RTH "),
    (Conversation.ubrn, "ERS", "0000 1234 5678", "https://fhir.nhs.uk/Id/UBRN"),
    (Conversation.ubrn, "https://fhir.nhs.uk/id/ubrn", "0000-1234-5678", "UBRN"),
    (
      "9F3E1D0A-0000-4000-8000-00000000ABCD", nil,
      "urn:uuid:9f3e1d0a-0000-4000-8000-00000000abcd", nil
    ),
    ("77", "urn:oid:2.16.840.1", "77", "2.16.840.1"), ("77", "THE HOSPITAL", "77", "RTH"),
    ("77", "https://rth.example/mrn", "77", "RTH-MRN"),
  ]

  @Test(arguments: spellings.indices)
  func `one id written in two ways is one`(index: Int) throws {
    let (one, system, two, other) = Self.spellings[index]
    var context = MappingContext()
    context.organisations = ["THE HOSPITAL": try #require(ODSCode("RTH"))]
    context.namespaces = ["https://rth.example/mrn": "RTH-MRN"]
    let rules = IdentifierRules(context)
    let left = rules.spellings(
      RawReference(system: ingestCode("RF1-6"), value: one, assigner: system))
    let right = rules.spellings(
      RawReference(system: ingestCode("RF1-6"), value: two, assigner: other))
    #expect(left.first == right.first)
    #expect(left.first != nil)
  }

  // MARK: Circles

  @Test func `a message that answers itself is refused`() async throws {
    let bench = try IngestBench()
    let reception = try await bench.take(
      Conversation.acknowledgement(message: "K1", to: "K1", parties: "PAS|RTH|PAS|RTH"))
    guard case .refused(let error)? = reception[0].outcome else {
      Issue.record("taken")
      return
    }
    #expect(error.code.description == "correlation.loop")
    #expect(error.field == "MSH-10")
    await bench.close()
  }

  @Test func `answers that wait for each other do not wait`() async throws {
    let bench = try IngestBench()
    try await bench.take(
      Conversation.answer(message: "A", to: "B"),
      Conversation.acknowledgement(message: "B", to: "A", parties: "PAS|RTH|EPR|RXQ"))
    try await bench.pass()
    #expect(
      try bench.publisher.deadLetters().map(\.reason.description) == ["correlation.loop"])
    #expect(bench.outbox.level.parkedCount == 1)
    // The same comes of it after a restart.
    try await bench.restart()
    try await bench.pass()
    #expect(bench.outbox.level.parkedCount == 1)
    await bench.close()
  }

  @Test func `a chain of waiting answers has an end`() async throws {
    let bench = try IngestBench()
    for number in 0..<30 {
      let isEven = number % 2 == 0
      try await bench.take(
        Conversation.acknowledgement(
          message: "C\(number + 1)", to: "C\(number)",
          parties: isEven ? "EPR|RXQ|PAS|RTH" : "PAS|RTH|EPR|RXQ"))
    }
    try await bench.pass()
    let reasons = try bench.publisher.deadLetters().map(\.reason.description)
    #expect(Set(reasons) == ["correlation.chain"])
    #expect(bench.outbox.level.parkedCount + reasons.count == 30)
    try await bench.restart(later: .hours(15 * 24))
    try await bench.pass()
    try await bench.restart(later: .minutes(2))
    try await bench.pass()
    #expect(bench.outbox.level.rowCount == 0)
    await bench.close()
  }

  @Test func `a source that answers nothing we know does not crowd out the others`() async throws {
    var limits = IngestLimits()
    limits.parked.sourceCountMax = 3
    let other = Conversation.connector("folder")
    let bench = try IngestBench(limits: limits, others: [other])
    for number in 0..<5 {
      try await bench.take(Conversation.acknowledgement(message: "K\(number)", to: "N\(number)"))
    }
    try await bench.take(by: other, Conversation.answer(message: "R9", to: "M1"))
    try await bench.pass()
    #expect(bench.outbox.level.parkedCount == 4)
    #expect(
      try bench.publisher.deadLetters().map(\.reason.description)
        == ["correlation.parked-full", "correlation.parked-full"])
    try await bench.take(Conversation.referral())
    try await bench.pass()
    #expect(try bench.publisher.events().map(\.type) == [.handoffRequested, .accepted])
    await bench.close()
  }

  /// Answers to the same message, sent where nothing is known of its id and where it is another's.
  @Test(arguments: [
    Conversation.acknowledgement(to: "M1", parties: "EPR|RWX|PAS|RTH"),
    Conversation.answer(to: "M1", from: "RWX"),
    Conversation.answer(to: "another", id: Conversation.ubrn + "^ERS", from: "RWX"),
    Conversation.referral(message: "M7", nhs: nil, locals: ["PAT77^^^RTH^MR"], from: "RWX"),
  ])
  func `a sender hears the same whether an id is known or not`(message: String) async throws {
    let stranger = Conversation.connector("stranger") { $0.speaksFor = .only([]) }
    var heard: [[String]] = []
    for isKnown in [false, true] {
      let bench = try IngestBench(others: [stranger])
      if isKnown {
        try await bench.take(Conversation.referral(locals: ["PAT77^^^RTH^MR"]))
        try await bench.pass()
      }
      let receptions =
        try await bench.take(message) + bench.take(by: stranger, message)
      heard.append(
        receptions.map { reception in
          guard let outcome = reception.outcome else { return "none" }
          let stamp = HL7Acknowledgement.Stamp(controlID: "A", at: Timestamp(milliseconds: 0))
          let answer = HL7Acknowledgement.answer(
            to: Array(message.utf8), outcome: outcome, stamp: stamp)
          return String(decoding: answer ?? [], as: UTF8.self)
        })
      await bench.close()
    }
    #expect(heard[0] == heard[1])
    #expect(heard[0].count == 2)
  }
}
