import HandoffCodecs
import HandoffCore
import TestSupport

/// Records of every kind that this version writes: random values in every field, every value of
/// every closed set, both forms of data, and what a reducer made of a journey.
struct LandedRecords {
  private(set) var all: [StoredRecord] = []
  private var random = EventGenerator(seed: 1)
  private let forms = WireFormat.allCases

  init() throws {
    for type in EventType.allCases {
      var event = try random.event()
      event.type = type
      add(codec.encode(event), to: "handoff.events.v1")
    }
    let now = JourneyGenerator.start
    add(codec.encodeTick(at: now), to: "handoff.events.v1")
    for condition in SourceState.Condition.allCases {
      let state = SourceState(
        source: random.code(), condition: condition, completeUpTo: random.maybe { $0.time() })
      add(codec.encode(state, at: now), to: "handoff.events.v1")
    }
    for profile in [nil, random.code()] {
      let activation = RulesActivation(
        rulesVersion: 1, policyHash: random.hash(), profile: profile)
      add(codec.encode(activation, at: now), to: "handoff.events.v1")
    }
    for _ in 0..<2 { add(codec.encode(try random.transfer()), to: "handoff.events.v1") }
    for rule in Rule.allCases {
      var verdict = try random.verdict()
      verdict.rule = rule
      add(codec.encode(verdict), to: "handoff.alerts.v1")
    }
    for _ in 0..<9 { add(codec.encode(try random.statement()), to: "handoff.sources.v1") }
    for _ in 0..<4 {
      add(codec.encode(try random.correlationEntry()), to: "handoff.correlation.v1")
    }
    for _ in 0..<4 { add(codec.encode(random.deadLetter()), to: "handoff.deadletter.v1") }
    try addStates()
    let organisation = try unwrapped(ODSCode("X10"))
    for _ in 0..<2 {
      let frame = SealedFrame(
        source: random.code(), receptionID: random.id(), rail: random.code(),
        envelope: random.envelope())
      add(codec.encode(frame), to: "handoff.inbox.x10.v1")
      let notice = SealedNotice(
        organisation: organisation, noticeID: random.id(), envelope: random.envelope())
      add(codec.encode(notice, key: random.id()), to: "handoff.outbox.x10.v1")
    }
  }

  /// States of a reducer over a journey, and states that no reducer would make.
  private mutating func addStates() throws {
    var generator = JourneyGenerator(seed: 1)
    var reducer = PersonReducer(policy: .default, topic: "handoff.events.v1", partition: 0)
    for record in generator.records(count: 40) { _ = reducer.apply(record) }
    let topic = "handoff.reconciler-state.v1"
    add(codec.encode(reducer.state), to: topic)
    add(codec.encode(try random.partition()), to: topic)
    for key in reducer.keys.sorted(by: { $0.description < $1.description }) {
      if let person = reducer.person(for: key) { add(codec.encode(person), to: topic) }
    }
    for _ in 0..<2 { add(codec.encode(try random.person()), to: topic) }
    for _ in 0..<6 { add(codec.encode(random.sourceReducerState()), to: "handoff.source-state.v1") }
  }

  /// Every other record in JSON.
  private var codec: WireCodec { WireCodec(format: forms[all.count % forms.count]) }

  private mutating func add(_ record: WireRecord, to topic: String) {
    let place = RecordCoordinates(topic: topic, partition: 0, offset: Int64(all.count))
    all.append(
      StoredRecord(
        record: record, coordinates: place,
        brokerAt: JourneyGenerator.start.advanced(by: .seconds(Int64(all.count)))))
  }

  /// What thin clients send: a request with everything in it, an answer, and a merge.
  static let submissions = [
    #"{"specversion":"1.0","id":"s-1","source":"/council/adult-care","#
      + #""type":"baton.handoff.v1.HandoffSubmission","datacontenttype":"application/json","#
      + #""data":{"messageId":"m-1","type":"HandoffRequested","speaker":"sender","#
      + #""system":"casework","spokenBy":{"odsCode":"RTH"},"person":{"nhsNumber":"999 050 0002","#
      + #""nhsNumberStatus":"number-present-and-verified","localIds":[{"assigner":"RTH","#
      + #""value":"4711","type":"MR"}],"familyName":"Roe","givenName":"Ann","#
      + #""birthDate":"1950-02-03","postcode":"OX1 1AA"},"handoff":{"system":"UBRN","value":"1","#
      + #""assigner":"RTH"},"references":[{"system":"case-number","value":"2"}],"#
      + #""conversation":{"value":"3"},"journey":{"value":"4"},"supersedes":{"value":"5"},"#
      + #""parentHandoff":{"value":"6"},"from":{"odsCode":"RTH","system":"pas"},"#
      + #""to":{"openReferralServiceId":"2b6c1f0e-9a55-4c8e-8a51-0f2c7d3e4b5a","role":"agent"},"#
      + #""cc":[{"name":"Age Well"}],"kind":"hospital-council","priority":"urgent","#
      + #""needCode":"reablement","occurredAt":"2026-11-23T09:00:00Z","#
      + #""recordedAt":"2026-11-23T09:00:05Z","sequence":"7","isBackfill":false,"#
      + #""dischargeReadyAt":"2026-11-25T08:00:00Z","dischargePathway":1,"isFeedbackOwed":true}}"#,
    #"{"specversion":"1.0","id":"s-2","source":"/council/adult-care","#
      + #""type":"baton.handoff.v1.HandoffSubmission","data":{"type":"Rejected","#
      + #""answers":{"value":"m-1"},"reason":"no-capacity","occurredAt":"2026-11-23T10:00:00Z"}}"#,
    #"{"specversion":"1.0","id":"s-3","source":"/gp","type":"baton.handoff.v1.HandoffSubmission","#
      + #""data":{"type":"IdentityLinked","person":{"nhsNumber":"9990500002"},"#
      + #""priorPerson":{"localIds":[{"assigner":"RTH","value":"4711"}]},"#
      + #""occurredAt":"2026-11-23T11:00:00Z"}}"#,
  ]
}
