import HandoffCodecs
import HandoffCore
import TestSupport

/// Random values that are legal in every field, by seed.
struct EventGenerator {
  private var random: SeededGenerator

  init(seed: UInt64) { random = SeededGenerator(seed: seed) }

  mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
  mutating func chance() -> Bool { Bool.random(using: &random) }

  mutating func maybe<Value>(_ make: (inout Self) -> Value) -> Value? {
    chance() ? make(&self) : nil
  }

  mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
  }

  mutating func id<Kind>() -> Identifier<Kind> {
    Identifier(rawValue: UInt128.random(in: 0...UInt128.max, using: &random))
  }

  mutating func time() -> Timestamp {
    switch number(0...5) {
    case 0: Timestamp(nanoseconds: Int64.random(in: .min...Int64.max, using: &random))
    case 1: [.distantPast, .distantFuture, Timestamp(nanoseconds: 0)][number(0...2)]
    default: Timestamp(nanoseconds: Int64.random(in: 0...2_000_000_000_000_000_000, using: &random))
    }
  }

  mutating func code() -> Code {
    let letters = Array("abcXYZ019._:/-")
    while true {
      let text = String((0..<number(1...40)).map { _ in letters[number(0...letters.count - 1)] })
      if let code = Code(text) { return code }
    }
  }

  mutating func hash() -> RecordHash { WireCodec.recordHash(bytes(8)) }

  mutating func key() throws -> PatientKey {
    try unwrapped(PatientKey(epoch: UInt16(number(1...65535)), hash: bytes(32)))
  }

  mutating func organisation() throws -> OrganisationID {
    switch number(0...2) {
    case 0: .ods(try unwrapped(ODSCode("R\(number(0...999))")))
    case 1: .local(id())
    default: .openReferral(id())
    }
  }

  mutating func party() throws -> Party {
    Party(organisation: try organisation(), system: maybe { $0.code() }, role: maybe { $0.code() })
  }

  mutating func coordinates() -> RecordCoordinates {
    RecordCoordinates(
      topic: "handoff.events.v1", partition: Int32(number(0...23)),
      offset: Int64.random(in: 0...Int64.max, using: &random))
  }

  mutating func event() throws -> HandoffEvent {
    var event = HandoffEvent(
      id: id(), receptionID: id(),
      type: EventType.allCases[number(0...EventType.allCases.count - 1)],
      patientKey: try key(), handoffID: maybe { $0.id() }, contentMac: id(),
      speaker: SpeakerRole.allCases[number(0...2)], spokenBy: chance() ? try organisation() : nil,
      occurredAt: time(), source: code(), rail: code())
    event.messageKey = maybe { $0.id() }
    for _ in 0..<number(0...3) {
      event.externalReferences.append(
        ExternalReference(
          system: code(), token: id(), assigner: chance() ? try organisation() : nil))
    }
    event.conversationID = maybe { $0.id() }
    event.journeyID = maybe { $0.id() }
    event.causationID = maybe { $0.id() }
    event.supersedes = maybe { $0.id() }
    event.version = maybe { $0.id() }
    event.answers = maybe { $0.id() }
    event.parentHandoffID = maybe { $0.id() }
    event.newHandoffID = maybe { $0.id() }
    event.newPatientKey = chance() ? try key() : nil
    event.from = chance() ? try party() : nil
    event.to = chance() ? try party() : nil
    for _ in 0..<number(0...2) { event.cc.append(try party()) }
    event.kind = chance() ? try unwrapped(HandoffKind("gp-hospital")) : nil
    event.priority = chance() ? .urgent : nil
    event.needCode = maybe { $0.code() }
    event.needKey = maybe { $0.id() }
    event.recordedAt = maybe { $0.time() }
    event.sequence = maybe { UInt64($0.number(0...3)) }
    event.isBackfill = chance()
    event.reason = maybe { $0.code() }
    event.outcome = maybe { $0.code() }
    event.bookedFor = maybe { $0.time() }
    event.dischargeReadyAt = maybe { $0.time() }
    event.dischargePathway = maybe { UInt8($0.number(0...3)) }
    event.isFeedbackOwed = maybe { $0.chance() }
    event.payloadReference = maybe { $0.id() }
    event.classification = maybe { $0.code() }
    event.sealedIdentity = bytes(number(0...300))
    event.original = maybe { $0.coordinates() }
    event.originalAt = maybe { $0.time() }
    return event
  }

  mutating func verdict() throws -> Verdict {
    var evidence: [Evidence] = []
    for _ in 0..<number(0...4) {
      evidence.append(
        Evidence(eventID: maybe { $0.id() }, hash: hash(), coordinates: maybe { $0.coordinates() }))
    }
    var verdict = Verdict(
      alertID: id(), revision: UInt32(number(1...9)),
      rule: Rule.allCases[number(0...Rule.allCases.count - 1)],
      action: Verdict.Action.allCases[number(0...3)], severity: Severity.allCases[number(0...4)],
      subject: try subject(), beganWith: id(), opened: time(),
      knownAt: time(), evidence: evidence, rulesVersion: UInt32(number(1...9)),
      policyHash: hash(), readUpTo: Int64(number(0...1_000_000)), count: UInt32(number(0...9)))
    verdict.state = maybe { HandoffState.allCases[$0.number(0...15)] }
    verdict.from = chance() ? try organisation() : nil
    verdict.to = chance() ? try organisation() : nil
    verdict.kind = chance() ? .unspecified : nil
    verdict.priority = chance() ? .routine : nil
    verdict.cause = maybe { $0.code() }
    verdict.resolvedAt = maybe { $0.time() }
    verdict.profile = maybe { $0.code() }
    // Drawn aside, so that what is drawn after a verdict stays as it was.
    var aside = self
    verdict.hangsOn = aside.maybe { $0.code() }
    verdict.successor = aside.chance() ? try aside.organisation() : nil
    verdict.registerHash = aside.maybe { $0.hash() }
    return verdict
  }

  mutating func subject() throws -> Verdict.Subject {
    switch number(0...3) {
    case 0: .handoff(id(), of: try key())
    case 1: .person(try key())
    case 2: .source(code())
    default: .bus
    }
  }

  mutating func statement() throws -> SourceRecord {
    switch number(0...5) {
    case 5:
      .condition(
        SourceCondition(
          source: code(), subject: code(),
          reading: chance()
            ? .certificate(endsAt: maybe { $0.time() }, fault: maybe { $0.code() })
            : .fill(entries: UInt64(number(0...9)), entriesMax: UInt64(number(0...9))),
          at: time()))
    case 3:
      .orphan(
        SourceOrphan(
          source: code(), receptionID: id(), reference: id(), system: code(), receivedAt: time(),
          isResolved: chance(), at: time()))
    case 4:
      .conflict(
        SourceConflict(
          source: code(), receptionID: id(), reference: id(), system: code(),
          knownKey: try key(), namedKey: try key(), at: time()))
    case 0:
      .heartbeat(
        SourceHeartbeat(
          source: code(), at: time(), completeUpTo: maybe { $0.time() },
          lastSequence: maybe { UInt64($0.number(0...9)) }, framesTotal: UInt64(number(0...9)),
          eventsTotal: UInt64(number(0...9)), refusalsTotal: UInt64(number(0...9))))
    case 1:
      .reception(reception())
    default:
      .refusal(refusal())
    }
  }

  mutating func reception() -> SourceReception {
    var reception = SourceReception(
      source: code(), receptionID: id(), messageKey: maybe { $0.id() },
      contentMac: maybe { $0.id() }, sequence: maybe { UInt64($0.number(0...9)) }, at: time())
    reception.eventMac = maybe { $0.id() }
    reception.subject = maybe { $0.id() }
    reception.recordedAt = maybe { $0.time() }
    reception.occurredAt = maybe { $0.time() }
    reception.isTimeDoubtful = chance()
    reception.isBackfill = chance()
    return reception
  }

  mutating func refusal() -> SourceRefusal {
    var refusal = SourceRefusal(
      source: code(), receptionID: id(), reason: code(),
      field: chance() ? "Bundle.entry[2]" : nil, at: time())
    refusal.sequence = maybe { UInt64($0.number(0...9)) }
    refusal.isWarning = chance()
    return refusal
  }

  mutating func correlationEntry() throws -> CorrelationEntry {
    var entry = CorrelationEntry(
      token: id(), patientKey: try key(), handoffID: maybe { $0.id() }, eventID: id(),
      occurredAt: maybe { $0.time() }, from: chance() ? try organisation() : nil,
      to: chance() ? try organisation() : nil)
    entry.newPatientKey = chance() ? try key() : nil
    entry.isUntraced = chance()
    entry.kind = maybe { CorrelationKind.allCases[$0.number(0...6)] }
    entry.seenDay = UInt16(number(0...30_000))
    return entry
  }

  mutating func deadLetter() -> DeadLetter {
    DeadLetter(
      source: code(), receptionID: id(), at: time(),
      disposition: chance() ? .refused : .noHandoffFact, reason: code(),
      field: chance() ? "PID-3" : nil, messageType: maybe { $0.code() }, rail: code(),
      sealedPayload: bytes(number(0...200)), keyDay: "2026-11-23",
      payloadBytes: UInt64(number(0...200)))
  }
}

struct Absent: Error {}

/// `#require` for helpers that are no tests.
func unwrapped<Value>(_ value: Value?) throws -> Value {
  guard let value else { throw Absent() }
  return value
}
