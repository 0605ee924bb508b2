import HandoffCore
import TestSupport
import Testing

@testable import HandoffCodecs

/// What is read of an event at once, beside all of it.
@Suite struct EventBriefTests {
  private func held(_ bytes: [UInt8]) throws(WireError) -> HeldEvent {
    var reader = ProtobufReader(bytes, message: HandoffEvent.wireName)
    return try HeldEvent(of: EncodedEvent(bytes: bytes)) { brief throws(WireError) in
      try brief.readFields(from: &reader)
    }
  }

  /// Both ways to read come to the same: the same event, or the same fault.
  private func compare(_ bytes: [UInt8], _ hint: String) {
    let whole = Result { () throws(WireError) in try HandoffEvent(protobuf: bytes) }
    let brief = Result { () throws(WireError) in try held(bytes) }
    switch (whole, brief) {
    case (.success(let event), .success(let held)):
      #expect(held.brief == EventBrief(event), "\(hint)")
      #expect(held.value == event, "\(hint)")
    case (.failure(let fault), .failure(let other)): #expect(fault == other, "\(hint)")
    default: Issue.record("\(hint): \(whole) and \(brief)")
    }
  }

  @Test(arguments: 0..<8 as Range<UInt64>)
  func `a brief is that of the event, which is there when it is asked for`(seed: UInt64) throws {
    var generator = EventGenerator(seed: seed)
    for _ in 0..<50 {
      let event = try generator.event()
      compare(event.protobuf, "seed \(seed)")
      #expect(HeldEvent(event).brief == EventBrief(event))
      #expect(HeldEvent(event).value == event)
    }
  }

  /// Of a field that comes twice the last counts, also where it is empty (proto3).
  @Test(arguments: 0..<8 as Range<UInt64>)
  func `of two messages in one both ways read the same`(seed: UInt64) throws {
    var generator = EventGenerator(seed: seed)
    for _ in 0..<50 {
      compare(
        try generator.event().protobuf + generator.event().protobuf, "seed \(seed)")
    }
    var event = try generator.event()
    event.version = Token(rawValue: 7)
    event.answers = Token(rawValue: 8)
    // Fields 100 and 101 again, without a byte: neither names a version.
    compare(event.protobuf + [0xa2, 0x06, 0x00], "no version")
    compare(event.protobuf + [0xaa, 0x06, 0x00], "no answer")
    // Field 7, which there must be.
    compare(event.protobuf + [0x3a, 0x00], "no content")
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `of broken bytes both ways say the same fault`(seed: UInt64) throws {
    var generator = EventGenerator(seed: seed)
    var random = SeededGenerator(seed: seed)
    let bytes = try generator.event().protobuf
    for round in 0..<300 {
      var broken = bytes
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let place = Int.random(in: broken.indices, using: &random)
        broken[place] = UInt8.random(in: .min ... .max, using: &random)
      }
      compare(broken, "seed \(seed), round \(round)")
    }
    for count in bytes.indices {
      compare(Array(bytes.prefix(count)), "seed \(seed), \(count) bytes")
    }
  }

  @Test func `services that share the care are kept up to a number, and refused beyond another`()
    throws
  {
    var generator = EventGenerator(seed: 1)
    var event = try generator.event()
    for count in [Fact.ccMax, Fact.ccMax + 1, 64, 65] {
      event.cc = try (0..<count).map { _ in try generator.party() }
      compare(event.protobuf, "\(count) services")
    }
    event.cc = []
    for count in [64, 65] {
      event.externalReferences = (0..<count).map { number in
        ExternalReference(system: .unread, token: Token(rawValue: UInt128(number)))
      }
      compare(event.protobuf, "\(count) references")
    }
  }

  @Test func `an event in JSON has the brief that it has in Protobuf`() throws {
    var generator = EventGenerator(seed: 5)
    for _ in 0..<20 {
      let event = try generator.event()
      let record = WireCodec(format: .json).encode(event)
      let read = try WireCodec.eventRecord(
        StoredRecord(
          record: record,
          coordinates: RecordCoordinates(topic: "handoff.events.v1", partition: 0, offset: 0),
          brokerAt: event.occurredAt))
      guard case .event(let held) = read.content else {
        Issue.record("not an event")
        return
      }
      #expect(held.brief == EventBrief(event))
    }
  }

  @Test func `numbers of every length are read, at the end of a message and before it`() throws {
    let others: [[UInt8]] = [
      [], [0x10, 0x05], [0x10, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
    ]
    for bits in 0...64 {
      for number in [bits == 0 ? 0 : UInt64.max >> UInt64(64 - bits), 1 << UInt64(min(bits, 63))] {
        var written: [UInt8] = []
        var rest = number
        repeat {
          written.append(UInt8(rest & 0x7f) | (rest > 0x7f ? 0x80 : 0))
          rest >>= 7
        } while rest > 0
        for after in others {
          var reader = ProtobufReader([0x08] + written + after, message: "Number")
          #expect(try reader.nextField() == 1)
          #expect(try reader.unsigned() == number)
          #expect(try reader.nextField() == (after.isEmpty ? nil : 2))
        }
        // A message within another ends before the bytes do.
        var outer = ProtobufReader(
          [0x0a, UInt8(written.count)] + written + Array(repeating: 0x01, count: 8),
          message: "Outer")
        #expect(try outer.nextField() == 1)
        var inner = try outer.nested("Inner")
        if written.count > 1 {
          // The number itself for a tag, which few are; nothing behind the message is read for it.
          let tag = Result { () throws(WireError) in try inner.nextField() }
          if case .success(let field) = tag { #expect(field == UInt32(number >> 3)) }
        }
      }
    }
  }

  @Test func `a number without an end is refused`() throws {
    for count in 1...12 {
      let bytes = [0x08] + [UInt8](repeating: 0xff, count: count)
      var reader = ProtobufReader(bytes, message: "Number")
      #expect(try reader.nextField() == 1)
      #expect(throws: WireError.self) { try reader.unsigned() }
      // Its end would stand behind that of the message.
      var outer = ProtobufReader([0x0a, UInt8(bytes.count)] + bytes + [0x01], message: "Outer")
      #expect(try outer.nextField() == 1)
      var inner = try outer.nested("Inner")
      #expect(try inner.nextField() == 1)
      #expect(throws: WireError.self) { try inner.unsigned() }
    }
  }

  @Test func `bytes are the same where all are, of any length`() {
    let bytes = (0..<40).map { UInt8($0) }
    for count in 0...40 {
      let one = Array(bytes.prefix(count))
      #expect(one.equals(one) && !one.equals(one + [0]))
      for place in one.indices {
        var other = one
        other[place] ^= 0x80
        #expect(!one.equals(other))
      }
    }
  }
}
