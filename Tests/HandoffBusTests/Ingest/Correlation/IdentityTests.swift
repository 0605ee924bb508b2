import HandoffCodecs
import HandoffConnectors
import HandoffCore
import HandoffStores
import KafkaClient
import Synchronization
import TestSupport
import Testing

@testable import HandoffBus

/// Local ids that turn out to be somebody's, merges, and what must never be linked.
@Suite struct IdentityTests {
  @Test func `a local id's key moves with all its tokens when an NHS number comes with it`()
    async throws
  {
    let bench = try IngestBench()
    try await bench.take(
      Conversation.referral(nhs: nil, locals: ["PAT77^^^RTH^MR", "88^^^RTH^PI"]),
      // The number comes with the second id, which has no key of its own.
      Conversation.referral(
        message: "M2", id: "000099990000^ERS", locals: ["88^^^RTH^PI"]),
      Conversation.answer())
    try await bench.pass()
    try await bench.restart()
    try await bench.take(
      Conversation.answer(message: "R2", status: "R"),
      Conversation.referral(message: "M3", id: "5^ERS", nhs: nil, locals: ["PAT77^^^RTH^MR"]))
    try await bench.pass()
    let events = try bench.publisher.events()
    #expect(
      events.map(\.type) == [
        .handoffRequested, .identityLinked, .handoffRequested, .accepted, .rejected,
        .handoffRequested,
      ])
    let traced = events[2].patientKey
    #expect(events[0].patientKey != traced)
    #expect(events[1].patientKey == events[0].patientKey && events[1].newPatientKey == traced)
    // The answers to the request of before go to the person it belongs to now, and to its handoff.
    for event in events[3...4] {
      #expect(event.patientKey == traced)
      #expect(event.handoffID == events[0].handoffID)
    }
    #expect(events[5].patientKey == traced)
    #expect(try bench.publisher.conflicts().isEmpty)
    await bench.close()
  }

  @Test func `a local id of one NHS number that comes with another is evidence and no link`()
    async throws
  {
    let bench = try IngestBench()
    let local = ["PAT77^^^RTH^MR"]
    try await bench.take(
      Conversation.referral(locals: local),
      Conversation.referral(message: "M2", id: "2^ERS", nhs: Conversation.other, locals: local),
      Conversation.referral(message: "M3", id: "3^ERS", nhs: nil, locals: local))
    try await bench.pass()
    let events = try bench.publisher.events()
    #expect(events.map(\.type) == [.handoffRequested, .handoffRequested, .handoffRequested])
    #expect(events[1].patientKey != events[0].patientKey)
    #expect(events[2].patientKey == events[0].patientKey)
    let conflict = try #require(try bench.publisher.conflicts().first)
    #expect(conflict.knownKey == events[0].patientKey)
    #expect(conflict.namedKey == events[1].patientKey)
    #expect(conflict.system.description == "PID-3")
    await bench.close()
  }

  @Test func `two people known by local ids alone are not made one by a message with both ids`()
    async throws
  {
    let bench = try IngestBench()
    let (one, two) = ("A1^^^RTH^MR", "B2^^^RTH^MR")
    try await bench.take(
      Conversation.referral(nhs: nil, locals: [one]),
      Conversation.referral(message: "M2", id: "2^ERS", nhs: nil, locals: [two]),
      Conversation.referral(message: "M3", id: "3^ERS", nhs: nil, locals: [one, two]),
      Conversation.referral(message: "M4", id: "4^ERS", locals: [one, two]),
      Conversation.answer(message: "R2", to: "M2"))
    try await bench.pass()
    let events = try bench.publisher.events()
    #expect(
      events.map(\.type) == [
        .handoffRequested, .handoffRequested, .handoffRequested, .identityLinked, .identityLinked,
        .handoffRequested, .accepted,
      ])
    #expect(Set(events[3...4].map(\.patientKey)) == Set(events[0...1].map(\.patientKey)))
    #expect(events[6].patientKey == events[5].patientKey)
    #expect(events[6].handoffID == events[1].handoffID)
    #expect(try bench.publisher.conflicts().isEmpty)
    await bench.close()
  }

  @Test(arguments: ["A40", "A47"])
  func `a merge moves every token of the key that is given up`(trigger: String) async throws {
    let bench = try IngestBench()
    try await bench.take(
      Conversation.referral(nhs: nil, locals: ["PAT77^^^RTH^MR"]),
      Self.merge(trigger, into: "\(Conversation.person)^^^NHS^NH", of: "PAT77^^^RTH^MR"))
    try await bench.pass()
    try await bench.restart()
    try await bench.take(
      Conversation.answer(),
      Conversation.referral(message: "M3", id: "3^ERS", nhs: nil, locals: ["PAT77^^^RTH^MR"]))
    try await bench.pass()
    let events = try bench.publisher.events()
    #expect(
      events.map(\.type) == [.handoffRequested, .patientMerged, .accepted, .handoffRequested])
    #expect(events[1].patientKey == events[0].patientKey)
    let survivor = try #require(events[1].newPatientKey)
    #expect(events[2].patientKey == survivor && events[2].handoffID == events[0].handoffID)
    #expect(events[3].patientKey == survivor)
    await bench.close()
  }

  @Test func `a superseded NHS number is followed, a circle of merges is not`() async throws {
    let bench = try IngestBench()
    let (old, new) = ("\(Conversation.other)^^^NHS^NH", "\(Conversation.person)^^^NHS^NH")
    try await bench.take(
      Conversation.referral(nhs: Conversation.other), Self.merge("A40", into: new, of: old),
      Self.merge("A40", message: "M9", into: old, of: new), Conversation.answer())
    try await bench.pass()
    let events = try bench.publisher.events()
    #expect(
      events.map(\.type) == [.handoffRequested, .patientMerged, .patientMerged, .accepted])
    #expect(events[3].patientKey == events[1].newPatientKey)
    #expect(events[3].handoffID == events[0].handoffID)
    // A message that still names the old number goes to its key: the reducer forwards it.
    try await bench.take(
      Conversation.answer(message: "R2", id: Conversation.ubrn + "^ERS", nhs: Conversation.other))
    try await bench.pass()
    let last = try #require(try bench.publisher.events().last)
    #expect(last.patientKey == events[0].patientKey && last.handoffID == events[0].handoffID)
    await bench.close()
  }

  @Test func `a visit that moves to another patient takes its number along`() async throws {
    let bench = try IngestBench()
    let visit = "PV1|1||||||||||||||||||V77^^^RTH"
    func stay(_ trigger: String, _ message: String, _ person: String, _ more: String) -> String {
      [
        "MSH|^~\\&|PAS|RTH|EPR|RXQ|20231114221000||ADT^\(trigger)|\(message)|P|2.4",
        "EVN|\(trigger)|20231114221000", "PID|1||\(person)||N^G", more,
      ].joined(separator: "\r") + "\r"
    }
    let (old, new) = ("A1^^^RTH^MR", "B2^^^RTH^MR")
    try await bench.take(
      stay("A02", "M1", old, visit),
      stay("A45", "M2", new, "MRG|\(old)||||V77^^^RTH\r" + visit))
    try await bench.pass()
    let events = try bench.publisher.events()
    #expect(events.map(\.type) == [.bedMoved, .patientMoved])
    let entries = try bench.publisher.entries().values.filter { $0.kind == .reference }
    #expect(!entries.isEmpty)
    #expect(entries.allSatisfy { $0.patientKey == events[1].patientKey })
    await bench.close()
  }

  @Test func `a client may link a local id to an NHS number, and never two numbers`() async throws {
    let bench = try IngestBench()
    func link(_ id: String, _ prior: String) -> String {
      Conversation.submission(
        "IdentityLinked", id: id,
        members: #""person":{"nhsNumber":"\#(Conversation.person)"},"priorPerson":\#(prior)"#)
    }
    try await bench.take(
      Conversation.referral(nhs: nil, locals: ["PAT77^^^RTH^MR"]),
      Conversation.referral(message: "M2", id: "2^ERS", nhs: Conversation.other),
      link("s-1", #"{"localIds":[{"value":"PAT77","assigner":"RTH","type":"MR"}]}"#),
      link("s-2", #"{"nhsNumber":"\#(Conversation.other)"}"#),
      Conversation.answer(), Conversation.answer(message: "R2", to: "M2"))
    try await bench.pass()
    let events = try bench.publisher.events()
    #expect(
      events.map(\.type) == [
        .handoffRequested, .handoffRequested, .identityLinked, .accepted, .accepted,
      ])
    #expect(events[2].patientKey == events[0].patientKey)
    #expect(events[3].patientKey == events[2].newPatientKey)
    #expect(events[4].patientKey == events[1].patientKey)
    #expect(
      try bench.publisher.deadLetters().map(\.reason.description) == ["identity.two-numbers"])
    await bench.close()
  }

  @Test(arguments: 0..<12 as Range<UInt64>)
  func `whatever comes, no two NHS numbers are ever linked, and no aborted link is remembered`(
    seed: UInt64
  ) async throws {
    var random = SeededGenerator(seed: seed)
    let bench = try IngestBench()
    let numbers: [String?] = [Conversation.person, Conversation.other, nil, nil]
    for step in 0..<60 {
      let locals = ["A1", "B2", "C3"].filter { _ in Int.random(in: 0..<3, using: &random) == 0 }
      let nhs = numbers[Int.random(in: 0..<4, using: &random)]
      guard nhs != nil || !locals.isEmpty else { continue }
      try await bench.take(
        Conversation.referral(
          message: "M\(step)", id: "\(step)^ERS", nhs: nhs, locals: locals.map { "\($0)^^^RTH^MR" })
      )
      if Int.random(in: 0..<6, using: &random) == 0 {
        bench.publisher.state.withLock {
          $0.failures = [KafkaError(.transport, disposition: .abortTransaction)]
        }
        await #expect(throws: KafkaError.self) { try await bench.pass() }
      }
      if Int.random(in: 0..<6, using: &random) == 0 { try await bench.restart() }
    }
    try await bench.pass()
    let hashes = KeyedHashes(bench.secrets)
    let numbersSeen = try [Conversation.person, Conversation.other].map { try NHSNumber($0) }
    let traced = Set(numbersSeen.map { hashes.patientKey($0) })
    let links = try bench.publisher.events().filter { $0.type == .identityLinked }
    #expect(links.allSatisfy { !traced.contains($0.patientKey) }, "seed \(seed)")
    let targets = Set(links.compactMap(\.newPatientKey))
    #expect(targets.isSubset(of: traced), "seed \(seed)")
    // Each key gives its place up once.
    #expect(Set(links.map(\.patientKey)).count == links.count, "seed \(seed)")
    await bench.close()
  }

  private static func merge(
    _ trigger: String, message: String = "M5", into new: String, of old: String
  ) -> String {
    [
      "MSH|^~\\&|PAS|RTH|EPR|RXQ|20231114221000||ADT^\(trigger)|\(message)|P|2.4",
      "EVN|\(trigger)|20231114221000", "PID|1||\(new)||CANARYNAME^GIVENNAME", "MRG|\(old)",
    ].joined(separator: "\r") + "\r"
  }
}
