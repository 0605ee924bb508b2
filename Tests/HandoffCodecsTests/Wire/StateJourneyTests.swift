import HandoffCodecs
import HandoffCore
import TestSupport
import Testing

@Suite struct StateJourneyTests {
  @Test(arguments: 0..<6 as Range<UInt64>)
  func `a reducer restored from its changelog goes on as if it had never stopped`(seed: UInt64)
    throws
  {
    var generator = JourneyGenerator(seed: seed)
    let records = generator.records(count: 400)
    var reducer = PersonReducer(policy: .default, topic: "handoff.events.v1", partition: 0)
    let stop = records.count / 2
    for record in records[..<stop] { _ = reducer.apply(record) }

    var restored = PersonReducer(policy: .default, topic: "handoff.events.v1", partition: 0)
    let codec = WireCodec(format: seed.isMultiple(of: 2) ? .protobuf : .json)
    guard case .partition(let state) = try WireCodec.stateRecord(codec.encode(reducer.state)) else {
      Issue.record("not a partition's state")
      return
    }
    #expect(state == reducer.state)
    try restored.restore(state)
    for key in reducer.keys {
      let person = try #require(reducer.person(for: key))
      #expect(try WireCodec.stateRecord(codec.encode(person)) == .person(person))
      guard case .person(let read) = try WireCodec.stateRecord(codec.encode(person)) else { return }
      try restored.restore(read)
    }

    for record in records[stop...] {
      // The goal is byte identity, so the verdicts are compared whole.
      #expect(restored.apply(record) == reducer.apply(record))
    }
    #expect(restored.state == reducer.state)
  }

  @Test(arguments: 0..<4 as Range<UInt64>)
  func `every record of a random journey goes round as wire and as line`(seed: UInt64) throws {
    var generator = JourneyGenerator(seed: seed)
    for (index, event) in generator.events(count: 300).enumerated() {
      let stored = StoredRecord(
        record: WireCodec().encode(event),
        coordinates: RecordCoordinates(
          topic: "handoff.events.v1", partition: 0, offset: Int64(index)),
        brokerAt: Timestamp(milliseconds: 1))
      for form in NDJSON.Form.allCases {
        let back = try #require(try NDJSON.parse(NDJSON.line(stored, form: form)).stored)
        guard let read = try WireCodec.eventRecord(back).content.event else {
          Issue.record("not an event")
          return
        }
        #expect(read == event)
      }
    }
  }
}
