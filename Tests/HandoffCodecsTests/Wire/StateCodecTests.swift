import HandoffCodecs
import HandoffCore
import SwiftProtobuf
import Testing

@Suite struct StateCodecTests {
  @Test(arguments: WireFormat.allCases, 0..<8 as Range<UInt64>)
  func `what is remembered of a person comes back as it was`(format: WireFormat, seed: UInt64)
    throws
  {
    var generator = EventGenerator(seed: seed)
    for _ in 0..<30 {
      let person = try generator.person()
      let record = WireCodec(format: format).encode(person)
      #expect(record.key == Array(person.key.description.utf8))
      #expect(try WireCodec.stateRecord(record) == .person(person))
    }
  }

  @Test(arguments: WireFormat.allCases, 0..<8 as Range<UInt64>)
  func `what a partition remembers comes back as it was`(format: WireFormat, seed: UInt64) throws {
    var generator = EventGenerator(seed: seed)
    for _ in 0..<30 {
      let state = try generator.partition()
      let record = WireCodec(format: format).encode(state)
      #expect(try WireCodec.stateRecord(record) == .partition(state))
    }
  }

  @Test(arguments: WireFormat.allCases, 0..<4 as Range<UInt64>)
  func `a person on the way to another key comes back as it was`(format: WireFormat, seed: UInt64)
    throws
  {
    var generator = EventGenerator(seed: seed)
    for _ in 0..<20 {
      let transfer = try generator.transfer()
      let record = WireCodec(format: format).encode(transfer)
      #expect(record.key == Array(transfer.to.description.utf8))
      let stored = StoredRecord(
        record: record, coordinates: generator.coordinates(), brokerAt: Timestamp(milliseconds: 1))
      guard case .transfer(let read) = try WireCodec.eventRecord(stored).content else {
        Issue.record("not a transfer")
        return
      }
      #expect(read == transfer)
      var moved = stored
      moved.record.key = Array(transfer.person.key.description.utf8)
      #expect(throws: WireError(.keyMismatch, "key")) { try WireCodec.eventRecord(moved) }
      let bytes = transfer.protobuf
      #expect(
        try Baton_Handoff_V1_PersonTransfer(serializedBytes: bytes).serializedBytes() == bytes)
    }
  }

  @Test func `steps have the numbers of the schema, name by name`() {
    for step in Mark.Step.allCases {
      let name = Baton_Handoff_V1_Mark.Step(rawValue: Int(step.wireNumber)).map { "\($0)" }
      #expect(name == "\(step)")
    }
    #expect(Baton_Handoff_V1_Mark.Step.allCases.count == Mark.Step.allCases.count + 1)
  }

  @Test func `a deletion mark says whose state is gone`() throws {
    var generator = EventGenerator(seed: 1)
    let key = try generator.key()
    #expect(try WireCodec.stateRecord(WireCodec().tombstone(of: key)) == .removed(key))
  }

  @Test func `the generated types read and write the very same bytes`() throws {
    var generator = EventGenerator(seed: 2)
    for _ in 0..<50 {
      let person = try generator.person().protobuf
      #expect(try Baton_Handoff_V1_PersonState(serializedBytes: person).serializedBytes() == person)
      let state = try generator.partition().protobuf
      #expect(
        try Baton_Handoff_V1_PartitionState(serializedBytes: state).serializedBytes() == state)
    }
  }

  @Test(arguments: 0..<8 as Range<UInt64>)
  func `persons written one behind the other have the bytes of each alone`(seed: UInt64) throws {
    var generator = EventGenerator(seed: seed)
    var writer = PersonValueWriter()
    for _ in 0..<50 {
      let person = try generator.person()
      let value = writer.value(person)
      #expect(value == person.protobuf)
      #expect(try Baton_Handoff_V1_PersonState(serializedBytes: value).serializedBytes() == value)
    }
  }

  @Test func `one state has one byte form whatever order its parts were put in`() throws {
    var generator = EventGenerator(seed: 3)
    let state = try generator.partition()
    var other = state
    other.sources = [:]
    for source in state.sources.values.sorted(by: { $0.source > $1.source }) {
      other.sources[source.source] = source
    }
    #expect(other.protobuf == state.protobuf)
  }

  @Test func `state of another layout, or under another key, is refused`() throws {
    var generator = EventGenerator(seed: 4)
    let record = WireCodec().encode(try generator.person())
    var message = try Baton_Handoff_V1_PersonState(serializedBytes: try #require(record.value))
    message.layout = 2
    var newer = record
    newer.value = try message.serializedBytes()
    #expect(throws: WireError(.versionUnknown, "baton.handoff.v1.PersonState.layout")) {
      try WireCodec.stateRecord(newer)
    }
    var moved = record
    moved.key = Array(try generator.key().description.utf8)
    #expect(throws: WireError(.keyMismatch, "key")) { try WireCodec.stateRecord(moved) }
  }

  @Test func `state cut off at any byte is refused or less state, and never a crash`() throws {
    var generator = EventGenerator(seed: 5)
    let person = try generator.person()
    let bytes = person.protobuf
    for count in 0..<bytes.count {
      let cut = try? Person(protobuf: Array(bytes.prefix(count)))
      #expect(cut != person)
    }
  }
}
