import HandoffCore
import Testing

@testable import HandoffCodecs

struct HL7AdmissionTests {
  private func map(_ event: String, _ rest: String = HL7Fixture.patient) -> MappingOutcome {
    HL7Fixture.map(
      HL7Fixture.header("ADT^\(event)") + "EVN|\(event)|20261123081500+0000\r" + rest)
  }

  @Test(
    arguments: [
      ("A01", EventType.bedAssigned, nil), ("A02", .bedMoved, nil), ("A03", .discharged, nil),
      ("A11", .bedFreed, "admission-cancelled"), ("A12", .bedMoved, "transfer-cancelled"),
      ("A13", .dischargeCancelled, nil), ("A15", .bedAssigned, "transfer-pending"),
      ("A26", .bedFreed, "transfer-pending-cancelled"), ("A16", .readyForDischarge, nil),
      ("A25", .dischargeReadinessWithdrawn, nil),
    ] as [(String, EventType, String?)])
  func `an ADT says where a person stays`(
    event: String, expected: EventType, reason: String?
  ) throws {
    let fact = try #require(map(event).fact)
    #expect(fact.type == expected && fact.reason?.description == reason)
    #expect(fact.handoff == nil)
  }

  @Test func `the event's time is EVN-2 and the message's is MSH-7`() throws {
    let message = try #require(map("A01").message)
    #expect(message.facts[0].occurredAt?.hl7Text == "20261123081500+0000")
    #expect(message.facts[0].provenance["occurredAt"] == "EVN-2")
    #expect(message.recordedAt?.hl7Text == "20261123090000+0000")
  }

  @Test func `ready for discharge carries its date`() {
    #expect(map("A16").fact?.dischargeReadyAt?.hl7Text == "20261123081500+0000")
  }

  @Test(arguments: [
    ("A05", "adt.pre-admission"), ("A08", "adt.person-record"), ("A28", "adt.person-record"),
    ("A31", "adt.person-record"),
    ("A04", "adt.no-visit-reference"), ("A10", "adt.no-visit-reference"),
    ("A24", "adt.person-link"), ("A60", "adt.no-handoff-meaning"),
  ])
  func `an ADT that states no fact says why`(event: String, reason: String) {
    #expect(map(event).reason == reason)
  }

  @Test func `an event that the standard does not have is refused`() {
    #expect(map("A99").reason == "hl7.unsupported-event MSH-9")
  }

  @Test func `a registration is a start where it names a visit or a referral`() {
    let visit = "PV1|1|O" + String(repeating: "|", count: 17) + "V-1\r"
    let seen = map("A04", HL7Fixture.patient + visit).fact
    #expect(seen?.type == .started && seen?.speaker == .receiver && seen?.handoff == nil)
    #expect(seen?.references.map(\.value) == ["V-1"])
    let referred = map("A04", HL7Fixture.patient + visit + HL7Fixture.referral).fact
    #expect(referred?.handoff?.value == "R-100")
  }

  @Test func `an admission that names its referral starts it`() {
    guard case .mapped(let message) = map("A01", HL7Fixture.patient + HL7Fixture.referral) else {
      Issue.record("a mapped message is expected")
      return
    }
    #expect(message.facts.map(\.type) == [.bedAssigned, .started])
    #expect(message.facts[1].handoff?.value == "R-100")
  }

  @Test func `a merge names both identities`() throws {
    let fact = try #require(map("A40", HL7Fixture.patient + "MRG|0815^^^RTH^MR\r").fact)
    #expect(fact.type == .patientMerged)
    #expect(fact.priorPerson?.localIDs.map(\.value) == ["0815"])
    #expect(fact.person?.nhsNumber?.digits == HL7Fixture.nhsNumber)
  }

  @Test func `every merge of a list is a fact about its own person`() {
    let two = "PID|1||1^^^RTH^MR\rMRG|2^^^RTH^MR\rPID|2||3^^^RTH^MR\rMRG|4^^^RTH^MR\r"
    guard case .mapped(let message) = map("A40", two) else {
      Issue.record("a mapped message is expected")
      return
    }
    #expect(message.facts.map { $0.person?.localIDs[0].value } == ["1", "3"])
    #expect(message.facts.map { $0.priorPerson?.localIDs[0].value } == ["2", "4"])
  }

  @Test func `a merge that does not say what it merges is refused`() {
    #expect(map("A40").reason == "hl7.segment-missing MRG")
    #expect(map("A40", HL7Fixture.patient + "MRG|\r").reason == "hl7.field-missing MRG-1")
  }

  @Test func `a swap of beds moves two people`() {
    let two = "PID|1||1^^^RTH^MR\rPV1|1|I\rPID|2||2^^^RTH^MR\rPV1|1|I\r"
    guard case .mapped(let message) = map("A17", two) else {
      Issue.record("a mapped message is expected")
      return
    }
    #expect(message.facts.map(\.type) == [.bedMoved, .bedMoved])
    #expect(message.facts.map { $0.person?.localIDs[0].value } == ["1", "2"])
  }

  @Test func `a death in PID-30 is a fact of an update and of a discharge`() {
    let died = "PID|1||4711^^^RTH^MR" + String(repeating: "|", count: 26) + "20261122|Y\r"
    let update = map("A31", died).fact
    #expect(update?.type == .patientDied)
    #expect(update?.occurredAt?.hl7Text == "20261122000000+0000")
    #expect(map("A03", died).message?.facts.map(\.type) == [.discharged, .patientDied])
  }

  @Test func `a death whose date or indicator is deleted is taken back, and one of N is not`() {
    func update(_ death: String, _ trigger: String = "A31") -> MappedFact? {
      map(
        trigger, "PID|1||4711^^^RTH^MR" + String(repeating: "|", count: 26) + death + "\r"
      ).message?.facts.first { $0.type == .patientDied }
    }
    for deleted in ["\"\"|\"\"", "|\"\"", "\"\"|", "\"\"|N"] {
      #expect(update(deleted)?.reason?.description == "retracted", "\(deleted)")
      #expect(update(deleted, "A08")?.reason?.description == "retracted", "\(deleted)")
      #expect(update(deleted, "A03") == nil, "\(deleted)")
    }
    #expect(update("|N") == nil)
    #expect(update("\"\"|Y")?.reason == nil)
  }

  @Test func `an NHS number is one where type or assigner says so, and never by its digits`() {
    let declared = map("A01", "PID|1||9990500002^^^NHS\r").message?.person
    #expect(declared?.nhsNumber != nil && declared?.localIDs.isEmpty == true)
    let local = map("A01", "PID|1||9990500002^^^RTH^MR\r").message?.person
    #expect(local?.nhsNumber == nil && local?.localIDs.count == 1)
  }

  @Test func `a bad check digit refuses the message, or keys the person as untraced`() throws {
    let bad = "PID|1||0000255355^^^NHS^NH~4711^^^RTH^MR\r"
    #expect(map("A01", bad).reason == "identity.nhs-number-check-digit PID-3")
    #expect(map("A01", "PID|1||123^^^NHS^NH\r").reason == "identity.nhs-number-format PID-3")
    var context = MappingContext()
    context.checkDigit = .treatAsUntraced
    let text = HL7Fixture.header("ADT^A01") + bad
    let person = try #require(HL7Fixture.map(text, context).message?.person)
    #expect(person.nhsNumber == nil && person.nhsNumberStatus == .checkDigitFailed)
    #expect(person.localIDs.first?.value == "4711")
  }

  @Test func `two NHS numbers for one patient are refused`() {
    let two = "PID|1||9990500002^^^NHS^NH~9990548609^^^NHS^NH\r"
    #expect(map("A01", two).reason == "identity.nhs-number-conflict PID-3")
  }

  @Test func `a patient without any id is refused`() {
    #expect(map("A01", "PID|1||\r").reason == "identity.patient-missing PID-3")
    #expect(map("A01", "PV1|1\r").reason == "hl7.segment-missing PID")
  }

  @Test func `a time that is none is refused by the name of its field`() {
    let text = HL7Fixture.header("ADT^A01") + "EVN|A01|yesterday\r" + HL7Fixture.patient
    #expect(HL7Fixture.map(text).reason == "hl7.timestamp EVN-2")
  }

  @Test func `a local time in the repeated hour is marked doubtful`() {
    let text =
      HL7Fixture.header("ADT^A01") + "EVN|A01|20261025013000\r" + HL7Fixture.patient
    #expect(HL7Fixture.map(text).message?.isTimeDoubtful == true)
  }

  /// The table of a connector, a discharge, and its pathway with the field that told it.
  @Test(arguments: [
    ("HOME-POC", "", UInt8?.some(1), String?.some("PV1-36")), ("HOME", "", 0, "PV1-36"),
    ("19", "", nil, nil), ("", "ZPW|x|REHAB\r", 2, "ZPW-2"), ("", "ZPW|x|CARE^HOME\r", 3, "ZPW-2"),
    // PV1-36 comes first, and an unknown code of it leaves the word to the others.
    ("HOME", "ZPW|x|REHAB\r", 0, "PV1-36"), ("19", "ZPW|x|REHAB\r", 2, "ZPW-2"),
    ("", "ZPW|x|OTHER\r", nil, nil),
  ])
  func `the connector's table tells the discharge pathway`(
    disposition: String, more: String, pathway: UInt8?, field: String?
  ) throws {
    var context = MappingContext()
    context.dischargePathways = [
      "HOME": 0, "HOME-POC": 1, "ZPW-2:REHAB": 2, "ZPW-2.2:HOME": 3, "ZPW-": 1, "ZPW-0:x": 1,
    ]
    for trigger in ["A03", "A16"] {
      let text =
        "MSH|^~\\&|PAS|RTH|CASE|RNU|20261123090000+0000||ADT^\(trigger)|M1|P|2.5\r"
        + "PID|1||9990500002^^^NHS^NH\rPV1|1|I\(String(repeating: "|", count: 34))\(disposition)\r"
        + more
      let outcome = FrameMapper(context).map(Array(text.utf8))[0].outcome
      let fact = try #require(outcome.message?.facts.first)
      #expect(fact.dischargePathway == pathway, "\(trigger)")
      #expect(fact.provenance["dischargePathway"] == field, "\(trigger)")
    }
  }
}
