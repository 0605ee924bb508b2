import HandoffCore
import SwiftProtobuf
import Testing

@testable import HandoffCodecs

@Suite struct `What the source reducer remembers` {
  @Test(arguments: [WireFormat.protobuf, .json])
  func `is read back as it was written`(format: WireFormat) throws {
    var generator = EventGenerator(seed: 11)
    for _ in 0..<200 {
      let state = generator.sourceReducerState()
      let record = WireCodec(format: format).encode(state)
      #expect(try WireCodec.sourceReducerState(record) == state)
    }
  }

  @Test func `has the very same bytes in the generated types`() throws {
    var generator = EventGenerator(seed: 12)
    for _ in 0..<200 {
      let bytes = generator.sourceReducerState().protobuf
      let read = try Baton_Handoff_V1_SourceReducerState(serializedBytes: bytes)
      #expect(try read.serializedBytes() == bytes)
    }
  }

  @Test func `is refused under another key, or in another layout`() throws {
    var generator = EventGenerator(seed: 13)
    var record = WireCodec().encode(.source(generator.sourceMemory()))
    record.key = Array("partition".utf8)
    #expect(throws: WireError(.keyMismatch, "key")) { try WireCodec.sourceReducerState(record) }
    var message = Baton_Handoff_V1_SourceReducerState()
    message.layout = 2
    record.value = try message.serializedBytes()
    #expect(throws: WireError(.versionUnknown, "baton.handoff.v1.SourceReducerState.layout")) {
      try WireCodec.sourceReducerState(record)
    }
  }

  @Test func `cut off at any byte is refused or less, and never a crash`() throws {
    var generator = EventGenerator(seed: 14)
    let bytes = SourceReducerState.source(generator.sourceMemory()).protobuf
    for count in 0..<bytes.count {
      _ = try? SourceReducerState(protobuf: Array(bytes.prefix(count)))
    }
  }
}
