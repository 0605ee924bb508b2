import HandoffCodecs
import HandoffCore
import Testing

/// One of the journeys in `Schemas/journeys`, as code: the file is written from here.
struct WorkedJourney: CustomTestStringConvertible {
  var name: String
  var records: [StoredRecord] = []

  /// Ids of a journey begin with its number, so that they can be told apart by eye.
  private let number: UInt128
  private let patientKey: PatientKey
  private let codec = WireCodec()

  var testDescription: String { name }

  init(_ name: String, number: UInt8) throws {
    self.name = name
    self.number = UInt128(number)
    patientKey = try unwrapped(
      PatientKey(epoch: 1, hash: [UInt8](repeating: number << 4 | number, count: 32)))
  }

  /// A UUID of the version that such ids have (RFC 9562), with a number to be told by.
  func id<Kind>(_ purpose: UInt128, _ index: Int, version: UInt128 = 8) -> Identifier<Kind> {
    Identifier(
      rawValue: number << 120 | purpose << 112 | version << 76 | 2 << 62 | UInt128(index))
  }

  func handoff(_ index: Int) -> HandoffID { id(0xaa, index) }

  /// Adds an event that arrives `after` seconds later than it happened, and returns its place.
  @discardableResult
  mutating func add(
    _ type: EventType, at time: String, handoff index: Int?, from: Party, to: Party,
    speaker: SpeakerRole, rail: String, arrivingAfter seconds: Int64 = 1,
    _ change: (inout HandoffEvent) throws -> Void = { _ in }
  ) throws -> Int {
    let occurredAt = try unwrapped(RFC3339.parse(time))
    let count = records.count + 1
    let speakers: [SpeakerRole: OrganisationID] = [
      .sender: from.organisation, .receiver: to.organisation,
    ]
    var event = HandoffEvent(
      id: id(0xee, count), receptionID: id(0xcc, count, version: 7), type: type,
      patientKey: patientKey, handoffID: index.map(handoff), contentMac: id(0xbb, count),
      speaker: speaker, spokenBy: speakers[speaker], occurredAt: occurredAt,
      source: try unwrapped(Code("\(rail)-demo")), rail: try unwrapped(Code(rail)))
    event.messageKey = id(0xdd, count)
    if index != nil {
      event.from = from
      event.to = to
    }
    try change(&event)
    append(codec.encode(event), at: occurredAt.advanced(by: .seconds(seconds)))
    return records.count - 1
  }

  /// The same event again: by its sender under a new reception id, or by the bus under the same.
  mutating func repeated(_ place: Int, bySender: Bool, at time: String) throws {
    guard var event = try WireCodec.eventRecord(records[place]).content.event else {
      throw Absent()
    }
    if bySender { event.receptionID = id(0xcc, records.count + 1, version: 7) }
    append(codec.encode(event), at: try unwrapped(RFC3339.parse(time)))
  }

  mutating func tick(at time: String) throws {
    let time = try unwrapped(RFC3339.parse(time))
    append(codec.encodeTick(at: time), at: time)
  }

  private mutating func append(_ record: WireRecord, at time: Timestamp) {
    records.append(
      StoredRecord(
        record: record,
        coordinates: RecordCoordinates(
          topic: "handoff.events.v1", partition: 0, offset: Int64(records.count)),
        brokerAt: Timestamp(milliseconds: time.milliseconds)))
  }

  /// What the reducer says of the journey under `policy`, in the order in which it says it.
  func verdicts(under policy: Policy) throws -> [Verdict] {
    var reducer = PersonReducer(policy: policy, topic: "handoff.events.v1", partition: 0)
    var verdicts: [Verdict] = []
    for record in records { verdicts += reducer.apply(try WireCodec.eventRecord(record)) }
    return verdicts
  }
}

// MARK: The journeys

extension WorkedJourney {
  /// In the order of the README.
  static func all() throws -> [WorkedJourney] {
    [try referral(), try lostAnswer(), try voluntary()]
  }

  private static func ods(_ code: String, _ system: String) throws -> Party {
    Party(
      organisation: .ods(try unwrapped(ODSCode(code))), system: try unwrapped(Code(system)))
  }

  /// GP to hospital: accepted, booked, done, and the GP knows.
  private static func referral() throws -> WorkedJourney {
    let practice = try ods("X84001", "gp-system")
    let hospital = try ods("XTH", "pas")
    var journey = try WorkedJourney("gp-hospital-closed", number: 1)
    func add(
      _ type: EventType, at time: String, _ speaker: SpeakerRole,
      _ change: (inout HandoffEvent) throws -> Void = { _ in }
    ) throws -> Int {
      try journey.add(
        type, at: time, handoff: 1, from: practice, to: hospital, speaker: speaker, rail: "mllp",
        change)
    }
    _ = try add(.handoffRequested, at: "2026-11-23T09:12:00Z", .sender) {
      $0.kind = HandoffKind("gp-hospital")
      $0.priority = .routine
      $0.needCode = Code("msk-knee")
      $0.needKey = Token(rawValue: 0x1001)
      $0.externalReferences = [
        ExternalReference(system: try unwrapped(Code("RF1-6")), token: Token(rawValue: 0x1002))
      ]
    }
    _ = try add(.transportAccepted, at: "2026-11-23T09:12:02Z", .platform)
    let received = try add(.received, at: "2026-11-23T09:13:10Z", .receiver)
    try journey.repeated(received, bySender: false, at: "2026-11-23T09:13:40Z")
    _ = try add(.accepted, at: "2026-11-25T14:02:31.250Z", .receiver)
    _ = try add(.booked, at: "2026-11-25T14:05:00Z", .receiver) {
      $0.bookedFor = RFC3339.parse("2026-12-07T10:30:00Z")
    }
    _ = try add(.started, at: "2026-12-07T10:41:00Z", .receiver)
    _ = try add(.completed, at: "2026-12-07T11:20:00Z", .receiver) {
      $0.outcome = Code("treated")
      $0.isFeedbackOwed = true
    }
    _ = try add(.feedbackSent, at: "2026-12-08T08:00:00Z", .receiver)
    _ = try add(.feedbackAcknowledged, at: "2026-12-08T08:00:05Z", .sender)
    try journey.tick(at: "2027-05-03T09:00:00Z")
    return journey
  }

  /// Hospital to council: the transport times out, the answer comes late, and late again.
  private static func lostAnswer() throws -> WorkedJourney {
    let hospital = try ods("XTH", "pas")
    let council = try ods("X10", "social-care")
    var journey = try WorkedJourney("hospital-council-late", number: 2)
    func add(
      _ type: EventType, at time: String, _ speaker: SpeakerRole,
      _ change: (inout HandoffEvent) throws -> Void = { _ in }
    ) throws {
      try journey.add(
        type, at: time, handoff: type == .readyForDischarge ? nil : 1, from: hospital,
        to: council, speaker: speaker, rail: type == .readyForDischarge ? "mllp" : "bars", change)
    }
    try add(.readyForDischarge, at: "2026-11-23T09:30:00Z", .sender) {
      $0.dischargeReadyAt = RFC3339.parse("2026-11-25T08:00:00Z")
      $0.dischargePathway = 1
    }
    try add(.handoffRequested, at: "2026-11-23T10:00:00Z", .sender) {
      $0.kind = HandoffKind("hospital-council")
      $0.priority = .routine
      $0.dischargePathway = 1
    }
    try add(.transportFailed, at: "2026-11-23T10:00:30Z", .platform) {
      $0.reason = Code("http:408")
    }
    try journey.tick(at: "2026-11-23T11:00:20Z")
    try add(.delivered, at: "2026-11-23T13:30:00Z", .platform)
    try add(.received, at: "2026-11-23T13:31:00Z", .receiver)
    try journey.tick(at: "2026-11-24T10:00:30Z")
    try add(.accepted, at: "2026-11-24T15:20:00Z", .receiver)
    try add(.started, at: "2026-11-25T16:00:00Z", .receiver)
    try add(.completed, at: "2026-11-27T12:00:00Z", .receiver) {
      $0.outcome = Code("package-started")
    }
    try add(.feedbackSent, at: "2026-11-27T12:30:00Z", .receiver)
    try add(.feedbackAcknowledged, at: "2026-11-27T12:30:04Z", .sender)
    try journey.tick(at: "2027-01-04T09:00:00Z")
    return journey
  }

  /// GP to a voluntary body: sent twice, refused, forgotten for two days, sent elsewhere.
  private static func voluntary() throws -> WorkedJourney {
    let practice = try ods("X84001", "gp-system")
    let full = Party(
      organisation: .openReferral(Token(rawValue: 0x3f2a_0000_0000_4000_8000_0000_0000_0001)))
    let open = Party(
      organisation: .openReferral(Token(rawValue: 0x3f2a_0000_0000_4000_8000_0000_0000_0002)))
    var journey = try WorkedJourney("gp-voluntary-rerouted", number: 3)
    func add(
      _ type: EventType, at time: String, _ handoff: Int, _ speaker: SpeakerRole,
      _ change: (inout HandoffEvent) throws -> Void = { _ in }
    ) throws -> Int {
      try journey.add(
        type, at: time, handoff: handoff, from: practice, to: handoff == 1 ? full : open,
        speaker: speaker, rail: speaker == .receiver ? "ndjson" : "bars", change)
    }
    let request = { (event: inout HandoffEvent) in
      event.kind = HandoffKind("social-prescribing")
      event.priority = .routine
      event.needCode = Code("loneliness")
      event.needKey = Token(rawValue: 0x3001)
    }
    let first = try add(.handoffRequested, at: "2026-11-23T10:20:00Z", 1, .sender, request)
    try journey.repeated(first, bySender: true, at: "2026-11-23T10:26:00Z")
    _ = try add(.received, at: "2026-11-23T11:00:00Z", 1, .receiver)
    _ = try add(.rejected, at: "2026-11-24T09:45:00Z", 1, .receiver) {
      $0.reason = Code("capacity")
    }
    try journey.tick(at: "2026-11-25T09:45:30Z")
    let parent = journey.handoff(1)
    _ = try add(.handoffRequested, at: "2026-11-26T15:00:00Z", 2, .sender) {
      request(&$0)
      $0.parentHandoffID = parent
    }
    _ = try add(.received, at: "2026-11-26T15:30:00Z", 2, .receiver)
    _ = try add(.accepted, at: "2026-11-27T10:00:00Z", 2, .receiver)
    _ = try add(.started, at: "2026-12-01T14:00:00Z", 2, .receiver)
    _ = try add(.completed, at: "2026-12-15T16:00:00Z", 2, .receiver) {
      $0.outcome = Code("connected")
      $0.isFeedbackOwed = false
    }
    try journey.tick(at: "2027-01-25T09:00:00Z")
    return journey
  }
}
