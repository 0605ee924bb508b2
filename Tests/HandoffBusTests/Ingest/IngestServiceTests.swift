import HandoffCodecs
import HandoffConnectors
import HandoffCore
import HandoffStores
import KafkaClient
import Synchronization
import Testing

@testable import HandoffBus

struct IngestServiceTests {
  @Test func `an answer without a patient reaches the handoff of its request`() async throws {
    let bench = try IngestBench()
    try await bench.take(Sample.request(), Sample.acceptance())
    try await bench.pass()
    let events = try bench.publisher.events()
    #expect(events.map(\.type) == [.handoffRequested, .accepted])
    #expect(events[0].patientKey == events[1].patientKey)
    #expect(events[0].handoffID != nil)
    #expect(events[0].handoffID == events[1].handoffID)
    #expect(events[1].spokenBy?.description == "ods:RXQ")
    #expect(bench.outbox.level.rowCount == 0)
    await bench.close()
  }

  @Test func `the same frame twice is one event id under two reception ids`() async throws {
    let bench = try IngestBench()
    try await bench.take(Sample.request(), Sample.request())
    try await bench.pass()
    let events = try bench.publisher.events()
    #expect(events.count == 2)
    #expect(events[0].id == events[1].id)
    #expect(events[0].receptionID != events[1].receptionID)
    #expect(events[0].contentMac == events[1].contentMac)
    #expect(events[0].id.bytes[6] >> 4 == 8)
    await bench.close()
  }

  @Test func `the same message id with other content is another event of the same message key`()
    async throws
  {
    let bench = try IngestBench()
    try await bench.take(Sample.request(), Sample.request(referral: "UBRN2"))
    try await bench.pass()
    let events = try bench.publisher.events()
    #expect(events[0].id != events[1].id)
    #expect(events[0].messageKey == events[1].messageKey)
    await bench.close()
  }

  @Test func `a crash between commit and settling repeats the reception, not the arrival`()
    async throws
  {
    let bench = try IngestBench()
    try await bench.take(Sample.request())
    // The transaction commits, and the process ends before the outbox hears of it.
    let maker = IngestPageMaker(secrets: bench.secrets, sources: [bench.source])
    var table = CorrelationTable()
    var parked = ParkedAnswers()
    let draft = maker.draft(
      maker.read(try await bench.outbox.pending(limit: 9)), correlation: &table, parked: &parked)
    let keys = try await bench.keys.keys(for: draft.keyNames)
    try await bench.publisher.publish(maker.records(of: draft, keys: keys))
    try await bench.restart()
    try await bench.pass()
    let events = try bench.publisher.events()
    #expect(events.count == 2)
    #expect(events[0].receptionID == events[1].receptionID)
    #expect(events[0].id == events[1].id)
    #expect(events[0].handoffID == events[1].handoffID)
    await bench.close()
  }

  @Test func `an answer before its request waits and keeps its reception id`() async throws {
    let bench = try IngestBench()
    let answer = try await bench.take(Sample.acceptance())
    try await bench.pass()
    #expect(try bench.publisher.events().isEmpty)
    #expect(bench.service.waitingCount == 0)
    #expect(bench.outbox.level.parkedCount == 1)
    try await bench.take(Sample.request())
    try await bench.pass()
    let events = try bench.publisher.events()
    #expect(events.map(\.type) == [.handoffRequested, .accepted])
    #expect(events[1].receptionID == answer[0].receptionIDs[0])
    #expect(events[1].patientKey == events[0].patientKey)
    #expect(bench.outbox.level.rowCount == 0)
    await bench.close()
  }

  @Test func `correlation and waiting answers outlive a restart`() async throws {
    let bench = try IngestBench()
    try await bench.take(Sample.request(), Sample.acceptance(id: "R2", of: "M2"))
    try await bench.pass()
    try await bench.restart()
    try await bench.take(Sample.acceptance(), Sample.request(id: "M2", referral: "UBRN2"))
    try await bench.pass()
    let events = try bench.publisher.events()
    #expect(events.map(\.type) == [.handoffRequested, .accepted, .handoffRequested, .accepted])
    #expect(events[1].handoffID == events[0].handoffID)
    #expect(events[3].handoffID == events[2].handoffID)
    await bench.close()
  }

  @Test
  func `an answer whose request never comes is an orphan after a day, and kept for two weeks`()
    async throws
  {
    let bench = try IngestBench()
    try await bench.take(Sample.acceptance())
    try await bench.pass()
    try await bench.restart(later: .hours(24))
    try await bench.pass()
    #expect(try bench.publisher.orphans().isEmpty)
    try await bench.restart(later: .minutes(16))
    try await bench.pass()
    #expect(try bench.publisher.orphans().map(\.isResolved) == [false])
    #expect(try bench.publisher.orphans().map(\.system.description) == ["MSH-10"])
    try await bench.restart(later: .hours(12 * 24))
    try await bench.pass()
    #expect(try bench.publisher.orphans().count == 1)
    #expect(try bench.publisher.deadLetters().isEmpty)
    try await bench.restart(later: .hours(25))
    try await bench.pass()
    #expect(
      try bench.publisher.deadLetters().map(\.reason) == [ingestCode("correlation.orphan")])
    #expect(bench.outbox.level.rowCount == 0)
    await bench.close()
  }

  @Test func `an NHS number that comes later links the key of the local id`() async throws {
    let bench = try IngestBench()
    try await bench.take(
      Sample.request(nhs: nil), Sample.request(id: "M2", referral: "UBRN2"),
      Sample.request(id: "M3", referral: "UBRN3", nhs: nil))
    try await bench.pass()
    let events = try bench.publisher.events()
    #expect(
      events.map(\.type) == [
        .handoffRequested, .identityLinked, .handoffRequested, .handoffRequested,
      ])
    #expect(events[1].patientKey == events[0].patientKey)
    #expect(events[1].newPatientKey == events[2].patientKey)
    #expect(events[2].patientKey != events[0].patientKey)
    // From then on the local id alone finds the traced person.
    #expect(events[3].patientKey == events[2].patientKey)
    await bench.close()
  }

  @Test func `a message id that two people share finds neither`() async throws {
    let bench = try IngestBench()
    try await bench.take(
      Sample.request(), Sample.request(referral: "UBRN9", nhs: "9990000026", record: "PAT78"),
      Sample.acceptance())
    try await bench.pass()
    #expect(try bench.publisher.events().map(\.type) == [.handoffRequested, .handoffRequested])
    #expect(bench.outbox.level.parkedCount == 1)
    // What the topic says of it is read back, too.
    try await bench.restart()
    try await bench.pass()
    #expect(bench.outbox.level.parkedCount == 1)
    await bench.close()
  }

  @Test func `a merge goes to the old key and names the new one`() async throws {
    let bench = try IngestBench()
    try await bench.take(
      Sample.request(nhs: nil),
      Sample.segments(
        "MSH|^~\\&|PAS|RTH|EPR|RXQ|20231114221000||ADT^A40|M5|P|2.4", "EVN|A40|20231114221000",
        "PID|1||9990000018^^^NHS^NH||CANARYNAME^GIVENNAME", "MRG|PAT77^^^RTH^MR"))
    try await bench.pass()
    let events = try bench.publisher.events()
    #expect(events.map(\.type) == [.handoffRequested, .patientMerged])
    #expect(events[1].patientKey == events[0].patientKey)
    #expect(events[1].newPatientKey != events[0].patientKey)
    await bench.close()
  }

  @Test func `who may not speak for an organisation is refused and kept as a dead letter`()
    async throws
  {
    let bench = try IngestBench { source in
      source.speaksFor = .only(Set(["RXQ"].compactMap { ODSCode($0) }))
    }
    let reception = try await bench.take(Sample.request())
    guard case .refused(let error)? = reception[0].outcome else {
      Issue.record("accepted")
      return
    }
    #expect(error.acknowledgement == .reject)
    try await bench.pass()
    #expect(try bench.publisher.events().isEmpty)
    #expect(
      try bench.publisher.deadLetters().map(\.reason)
        == [ingestCode("organisation.not-allowed")])
    #expect(try bench.publisher.deadLetters().map(\.messageType) == [ingestCode("REF-I12")])
    await bench.close()
  }

  @Test func `who names a third party as the speaker must be allowed to speak for it`()
    async throws
  {
    let bench = try IngestBench { source in
      source.speaksFor = .only(Set(["10C"].compactMap { ODSCode($0) }))
    }
    func outcome(_ spokenBy: String) -> MappingOutcome? {
      let line = """
        {"specversion":"1.0","id":"m-1","source":"/council","type":\
        "baton.handoff.v1.HandoffSubmission","data":{"type":"Accepted","handoff":{"system":\
        "RF1-6","value":"UBRN1","assigner":"ERS"},"from":{"odsCode":"RTH"},"to":{"odsCode":\
        "10C"},\(spokenBy)"occurredAt":"2026-11-23T09:00:00Z"}}
        """
      return bench.intake.judge(Array(line.utf8)).first?.outcome
    }
    guard case .mapped? = outcome("") else {
      Issue.record("the receiver itself is refused")
      return
    }
    guard case .refused(let error)? = outcome(#""spokenBy":{"odsCode":"RXQ"},"#) else {
      Issue.record("another speaker is taken")
      return
    }
    #expect(error.code == ingestCode("organisation.not-allowed"))
    #expect(error.field?.hasSuffix("spokenBy") == true)
    await bench.close()
  }

  @Test func `a repeated message id does not take a local patient for somebody else`()
    async throws
  {
    let bench = try IngestBench()
    let visit = Sample.segments(
      "MSH|^~\\&|EPR|RXQ|PAS|RTH|20231114221000||RRI^I12|R7|P|2.4", "MSA|AA|M1",
      "RF1|A|R|MED|||OTHER7^ERS", "PID|1||PAT99^^^RXQ^MR||N^G")
    try await bench.take(Sample.request(), visit)
    try await bench.pass()
    let events = try bench.publisher.events()
    #expect(events.map(\.type) == [.handoffRequested, .accepted])
    #expect(events[0].patientKey != events[1].patientKey)
    #expect(events[0].handoffID != events[1].handoffID)
    await bench.close()
  }

  @Test func `a dead letter names reason and connector and opens with its day's key`()
    async throws
  {
    let bench = try IngestBench()
    try await bench.take("neither HL7 nor JSON")
    try await bench.pass()
    let letter = try #require(try bench.publisher.deadLetters().first)
    let message = try #require(
      bench.publisher.committed.first { $0.topic == Topic.deadLetters.name })
    #expect(message.headers.contains(KafkaHeader("__connect.errors.connector.name", "pas")))
    #expect(message.key == Array("pas".utf8))
    let key = try #require(
      try await bench.keys.existingKey(for: .deadLetters(day: letter.keyDay)))
    let payload = try Sealer.open(
      letter.sealedPayload, with: key,
      bound: Sealer.binding(letter.source, letter.receptionID))
    #expect(payload == Array("neither HL7 nor JSON".utf8))
    let refusals = try bench.publisher.sourceRecords().filter { record in
      if case .refusal = record { true } else { false }
    }
    #expect(refusals.count == 1)
    await bench.close()
  }

  @Test func `identity opens with the person's key and with no other record's place`()
    async throws
  {
    let bench = try IngestBench()
    try await bench.take(Sample.request(), Sample.acceptance())
    try await bench.pass()
    let events = try bench.publisher.events()
    let key = try #require(
      try await bench.keys.existingKey(for: .person(events[0].patientKey)))
    let identity = try Sealer.identity(of: events[0], with: key)
    #expect(identity.person?.nhsNumber == Sample.nhsNumber)
    #expect(identity.person?.familyName == "CANARYNAME")
    #expect(identity.ids.contains { $0.role == "handoff" && $0.value == "UBRN1" })
    var moved = events[1]
    moved.sealedIdentity = events[0].sealedIdentity
    #expect(throws: Sealer.NotAuthentic.self) { try Sealer.identity(of: moved, with: key) }
    await bench.close()
  }

  @Test func `a failed transaction leaves no trace and is taken again`() async throws {
    let bench = try IngestBench()
    try await bench.take(Sample.request())
    bench.publisher.state.withLock {
      $0.failures = [KafkaError(.transport, disposition: .abortTransaction)]
    }
    await #expect(throws: KafkaError.self) { try await bench.pass() }
    #expect(bench.outbox.level.rowCount == 1)
    try await bench.pass()
    #expect(try bench.publisher.events().count == 1)
    #expect(bench.outbox.level.rowCount == 0)
    await bench.close()
  }

  @Test func `counts of a source add up to its messages`() async throws {
    let bench = try IngestBench()
    let record = Sample.segments(
      "MSH|^~\\&|PAS|RTH|EPR|RXQ|20231114221000||ADT^A08|M6|P|2.4",
      "PID|1||9990000018^^^NHS^NH||N^G")
    try await bench.take(Sample.request(), "garbage", record)
    try await bench.pass()
    let count = try #require(bench.service.counters.all[bench.source.name])
    #expect(count.mapped == 1 && count.refused == 1 && count.withoutFact == 1)
    #expect(count.messages == 3)
    #expect(count.reasons.values.reduce(0, +) == 2)
    await bench.close()
  }

  @Test func `a heartbeat tells totals, and is complete only while the connector runs`()
    async throws
  {
    let bench = try IngestBench()
    try await bench.take(Sample.request())
    try await bench.pass()
    let beats = try bench.publisher.sourceRecords().compactMap { record in
      if case .heartbeat(let beat) = record { beat } else { nil }
    }
    #expect(beats.count == 1)
    #expect(beats.first?.framesTotal == 1)
    #expect(beats.first?.eventsTotal == 1)
    // No connector runs in this test.
    #expect(beats.first?.completeUpTo == nil)
    await bench.close()
  }
}
