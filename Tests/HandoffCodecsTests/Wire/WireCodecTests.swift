import HandoffCodecs
import HandoffCore
import SwiftProtobuf
import Testing

@Suite struct WireCodecTests {
  private func stored(_ record: WireRecord) -> StoredRecord {
    StoredRecord(
      record: record,
      coordinates: RecordCoordinates(topic: "handoff.events.v1", partition: 3, offset: 17),
      brokerAt: Timestamp(milliseconds: 1_795_000_000_123))
  }

  @Test func `a verdict of before there were subjects is one about a person`() throws {
    var generator = EventGenerator(seed: 11)
    var verdict = try generator.verdict()
    let (key, handoff) = (try generator.key(), HandoffID(rawValue: 7))
    for subject in [Verdict.Subject.person(key), .handoff(handoff, of: key)] {
      verdict.subject = subject
      // Nothing that the first version of the schema did not have is written for a person.
      let message = try Baton_Handoff_V1_Verdict(serializedBytes: verdict.protobuf)
      #expect(message.subject == .unspecified && message.source.isEmpty)
      #expect(try Verdict(protobuf: verdict.protobuf).subject == subject)
    }
    verdict.subject = .bus
    #expect(WireCodec().encode(verdict).key == Array("baton".utf8))
    verdict.subject = .source(try #require(Code("mllp-1")))
    #expect(WireCodec().encode(verdict).key == Array("mllp-1".utf8))
  }

  @Test(arguments: WireFormat.allCases, 0..<8 as Range<UInt64>)
  func `an event comes back from either form as it was`(format: WireFormat, seed: UInt64) throws {
    var generator = EventGenerator(seed: seed)
    for _ in 0..<50 {
      let event = try generator.event()
      let record = WireCodec(format: format).encode(event)
      let read = try WireCodec.eventRecord(stored(record))
      guard let back = read.content.event else {
        Issue.record("not an event")
        return
      }
      #expect(back == event)
      #expect(read.hash == WireCodec.recordHash(record.value))
      #expect(record.key == Array(event.patientKey.description.utf8))
    }
  }

  @Test(arguments: 0..<4 as Range<UInt64>)
  func `the generated types read and write the very same bytes`(seed: UInt64) throws {
    var generator = EventGenerator(seed: seed)
    for _ in 0..<50 {
      let event = try generator.event().protobuf
      let verdict = try generator.verdict().protobuf
      let statement = try generator.statement().protobuf
      let letter = generator.deadLetter().protobuf
      let entry = try generator.correlationEntry().protobuf
      let again: [[UInt8]] = [
        try Baton_Handoff_V1_HandoffEvent(serializedBytes: event).serializedBytes(),
        try Baton_Handoff_V1_Verdict(serializedBytes: verdict).serializedBytes(),
        try Baton_Handoff_V1_SourceRecord(serializedBytes: statement).serializedBytes(),
        try Baton_Handoff_V1_DeadLetter(serializedBytes: letter).serializedBytes(),
        try Baton_Handoff_V1_CorrelationEntry(serializedBytes: entry).serializedBytes(),
      ]
      #expect(again == [event, verdict, statement, letter, entry])
    }
  }

  @Test(arguments: WireFormat.allCases, 0..<4 as Range<UInt64>)
  func `every other record comes back as it was`(format: WireFormat, seed: UInt64) throws {
    var generator = EventGenerator(seed: seed)
    let codec = WireCodec(format: format)
    for _ in 0..<50 {
      let verdict = try generator.verdict()
      #expect(try WireCodec.verdict(codec.encode(verdict)) == verdict)
      let statement = try generator.statement()
      #expect(try WireCodec.sourceRecord(codec.encode(statement)) == statement)
      let letter = generator.deadLetter()
      #expect(try WireCodec.deadLetter(codec.encode(letter)) == letter)
      let entry = try generator.correlationEntry()
      #expect(try WireCodec.correlationEntry(codec.encode(entry)) == entry)
    }
  }

  @Test(arguments: WireFormat.allCases)
  func `what is written on every partition comes back as it was`(format: WireFormat) throws {
    let codec = WireCodec(format: format)
    var generator = EventGenerator(seed: 1)
    let at = Timestamp(milliseconds: 1)
    for condition in SourceState.Condition.allCases {
      let state = SourceState(
        source: generator.code(), condition: condition, completeUpTo: generator.maybe { $0.time() })
      let read = try WireCodec.eventRecord(stored(codec.encode(state, at: at)))
      guard case .sourceState(let back) = read.content else {
        Issue.record("not a source state")
        return
      }
      #expect(back == state)
    }
    let activation = RulesActivation(
      rulesVersion: 1, policyHash: generator.hash(), profile: generator.code(),
      registerHash: generator.hash())
    let read = try WireCodec.eventRecord(stored(codec.encode(activation, at: at)))
    guard case .rulesActivation(let back) = read.content else {
      Issue.record("not an activation")
      return
    }
    #expect(back == activation)
  }

  @Test func `a tick is an empty value and no deletion mark`() throws {
    let tick = WireCodec().encodeTick(at: Timestamp(milliseconds: 5))
    #expect(tick.value == [])
    guard case .tick = try WireCodec.eventRecord(stored(tick)).content else {
      Issue.record("not a tick")
      return
    }
    var mark = tick
    mark.value = nil
    #expect(throws: WireError(.tombstone, "value")) {
      try WireCodec.eventRecord(self.stored(mark))
    }
  }

  @Test func `an event has these bytes and headers for good`() throws {
    var event = HandoffEvent(
      id: EventID(rawValue: 1), receptionID: ReceptionID(rawValue: 2), type: .accepted,
      patientKey: try #require(PatientKey(epoch: 1, hash: [UInt8](repeating: 0xab, count: 32))),
      handoffID: HandoffID(rawValue: 3), contentMac: Token(rawValue: 4), speaker: .receiver,
      spokenBy: try unwrapped(OrganisationID("ods:RTH")),
      occurredAt: Timestamp(nanoseconds: 1_795_000_000_000_000_001),
      source: try unwrapped(Code("mllp-rth")), rail: try unwrapped(Code("mllp")))
    event.isFeedbackOwed = false
    let record = WireCodec().encode(event)
    #expect(
      hexadecimal(record.value ?? []) == "0a1000000000000000000000000000000001"
        + "121000000000000000000000000000000002" + "1808" + "2224" + "0801" + "1220"
        + String(repeating: "ab", count: 32) + "2a1000000000000000000000000000000003"
        + "3a1000000000000000000000000000000004" + "800102" + "8a01076f64733a525448"
        + "ca010808c08df6d7061001" + "900200" + "9a02086d6c6c702d727468" + "a202046d6c6c70")
    #expect(
      record.headers.map { "\($0.name)=\(String(decoding: $0.value ?? [], as: UTF8.self))" } == [
        "ce_specversion=1.0", "ce_id=00000000000000000000000000000001",
        "ce_source=/sources/mllp-rth", "ce_type=baton.handoff.v1.HandoffEvent",
        "ce_time=2026-11-18T11:06:40.000000001Z", "ce_subject=00000000000000000000000000000003",
        "content-type=application/protobuf",
      ])
  }

  @Test func `structured mode is read as binary mode is`() throws {
    var generator = EventGenerator(seed: 9)
    let event = try generator.event()
    for (format, form) in [
      (WireFormat.protobuf, NDJSON.Form.exact), (.json, .exact), (.protobuf, .decoded),
    ] {
      let record = WireCodec(format: format).encode(event)
      let structured = WireRecord(
        key: record.key, value: NDJSON.line(record, form: form),
        headers: [RecordHeader("content-type", "Application/CloudEvents+JSON; charset=utf-8")])
      guard let back = try WireCodec.eventRecord(stored(structured)).content.event else {
        Issue.record("not an event")
        return
      }
      #expect(back == event)
    }
  }

  @Test func `numbers of closed sets are those of the schema, name by name`() {
    func names<Value: RawRepresentable & WireNumbered>(_: Value.Type) -> [Int: String]
    where Value.RawValue == String {
      Dictionary(
        uniqueKeysWithValues: Value.allCases.map {
          (Int($0.wireNumber), plain($0.rawValue))
        })
    }
    func schema<Value: SwiftProtobuf.Enum & CaseIterable>(_: Value.Type) -> [Int: String] {
      Dictionary(
        uniqueKeysWithValues: Value.allCases.filter { $0.rawValue != 0 }.map {
          ($0.rawValue, plain("\($0)"))
        })
    }
    func plain(_ name: String) -> String { name.lowercased().filter { $0 != "_" } }
    #expect(names(EventType.self) == schema(Baton_Handoff_V1_EventType.self))
    #expect(names(SpeakerRole.self) == schema(Baton_Handoff_V1_SpeakerRole.self))
    #expect(names(HandoffState.self) == schema(Baton_Handoff_V1_HandoffState.self))
    #expect(names(Rule.self) == schema(Baton_Handoff_V1_Rule.self))
    #expect(names(Severity.self) == schema(Baton_Handoff_V1_Severity.self))
    #expect(names(Verdict.Action.self) == schema(Baton_Handoff_V1_Verdict.Action.self))
    #expect(
      names(SourceState.Condition.self) == schema(Baton_Handoff_V1_SourceState.Condition.self))
    #expect(
      names(DeadLetter.Disposition.self) == schema(Baton_Handoff_V1_DeadLetter.Disposition.self))
    #expect(names(CorrelationKind.self) == schema(Baton_Handoff_V1_CorrelationKind.self))
  }
}
