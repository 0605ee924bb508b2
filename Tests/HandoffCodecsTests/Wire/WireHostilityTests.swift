import HandoffCodecs
import HandoffCore
import SwiftProtobuf
import TestSupport
import Testing

@Suite struct WireHostilityTests {
  private let coordinates = RecordCoordinates(topic: "handoff.events.v1", partition: 0, offset: 0)

  private func read(_ record: WireRecord) throws(WireError) -> EventRecord {
    try WireCodec.eventRecord(
      coordinates: coordinates, brokerAt: Timestamp(milliseconds: 0), key: record.key,
      value: record.value, headers: record.headers)
  }

  private func fault(_ record: WireRecord) -> WireError.Fault? {
    do {
      _ = try read(record)
      return nil
    } catch {
      return error.fault
    }
  }

  private func event(seed: UInt64 = 3) throws -> WireRecord {
    var generator = EventGenerator(seed: seed)
    return WireCodec().encode(try generator.event())
  }

  private func replacing(_ name: String, _ text: String?, in record: WireRecord) -> WireRecord {
    var record = record
    record.headers = record.headers.compactMap { header in
      header.name == name ? text.map { RecordHeader(name, $0) } : header
    }
    return record
  }

  @Test func `a value cut off at any byte is refused or another whole event, and never a crash`()
    throws
  {
    let record = try event()
    let value = try #require(record.value)
    for count in 0..<value.count {
      var cut = record
      cut.value = Array(value.prefix(count))
      // The cut may fall between two fields: then what is left lacks a mandatory one or is whole.
      if let fault = fault(cut) {
        #expect([.malformed, .fieldMissing, .fieldInvalid].contains(fault))
      }
    }
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `changed bytes never crash, and never pass for the event that was written`(seed: UInt64)
    throws
  {
    var random = SeededGenerator(seed: seed)
    let record = try event(seed: seed)
    let value = try #require(record.value)
    for _ in 0..<500 {
      var changed = value
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        changed[Int.random(in: 0..<changed.count, using: &random)] = UInt8.random(
          in: 0...255, using: &random)
      }
      var other = record
      other.value = changed
      if changed != value, let read = try? read(other) {
        #expect(read.hash != WireCodec.recordHash(value))
      }
    }
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `random bytes are refused by every reader`(seed: UInt64) throws {
    var generator = EventGenerator(seed: seed)
    for _ in 0..<200 {
      let noise = generator.bytes(generator.number(1...64))
      #expect(throws: WireError.self) { try HandoffEvent(protobuf: noise) }
      #expect(throws: WireError.self) { try Verdict(protobuf: noise) }
      #expect(throws: WireError.self) { try DeadLetter(protobuf: noise) }
      #expect(throws: WireError.self) { try CorrelationEntry(protobuf: noise) }
      #expect(throws: WireError.self) { try SourceRecord(protobuf: noise) }
    }
  }

  @Test func `a record that is none of ours says why`() throws {
    let record = try event()
    #expect(fault(replacing("ce_type", "com.example.thing", in: record)) == .typeUnknown)
    #expect(
      fault(replacing("ce_type", "baton.handoff.v2.HandoffEvent", in: record)) == .versionUnknown)
    #expect(fault(replacing("ce_type", "baton.handoff.v1.Verdict", in: record)) == .typeUnknown)
    #expect(fault(replacing("ce_specversion", "2.0", in: record)) == .versionUnknown)
    for name in ["ce_specversion", "ce_id", "ce_source", "ce_type", "content-type"] {
      #expect(fault(replacing(name, nil, in: record)) == .attributeMissing)
    }
    #expect(fault(replacing("content-type", "text/xml", in: record)) == .contentType)
    #expect(fault(replacing("ce_id", String(repeating: "0", count: 32), in: record)) == .idMismatch)
  }

  @Test func `a record under another person's key is refused`() throws {
    var record = try event()
    record.key = Array("1.\(String(repeating: "0", count: 64))".utf8)
    #expect(fault(record) == .keyMismatch)
    record.key = nil
    #expect(fault(record) == .keyMismatch)
  }

  @Test func `a value over the limit is refused before it is read`() throws {
    var record = try event()
    record.value = [UInt8](repeating: 0, count: WireCodec.valueBytesMax + 1)
    #expect(fault(record) == .tooLarge)
  }

  @Test func `unknown enum values are refused, unknown fields are passed over`() throws {
    var generator = EventGenerator(seed: 4)
    let event = try generator.event()
    var message = try Baton_Handoff_V1_HandoffEvent(serializedBytes: event.protobuf)
    message.type = .UNRECOGNIZED(999)
    #expect(throws: WireError(.fieldInvalid, "baton.handoff.v1.HandoffEvent.type")) {
      try HandoffEvent(protobuf: message.serializedBytes())
    }
    // Field 2000, four kinds of value.
    let unknown: [[UInt8]] = [
      [0x80, 0x7d, 0x05], [0x81, 0x7d, 1, 2, 3, 4, 5, 6, 7, 8], [0x82, 0x7d, 2, 9, 9],
      [0x85, 0x7d, 1, 2, 3, 4],
    ]
    for field in unknown {
      #expect(try HandoffEvent(protobuf: event.protobuf + field) == event)
    }
  }

  @Test func `fields that break their rule are named and not quoted`() throws {
    var generator = EventGenerator(seed: 5)
    let whole = try Baton_Handoff_V1_HandoffEvent(
      serializedBytes: try generator.event().protobuf)
    func error(_ change: (inout Baton_Handoff_V1_HandoffEvent) -> Void) throws -> WireError? {
      var message = whole
      change(&message)
      do {
        _ = try HandoffEvent(protobuf: try message.serializedBytes())
        return nil
      } catch let error as WireError {
        return error
      }
    }
    let name = "baton.handoff.v1.HandoffEvent"
    #expect(try error { $0.source = "9434765919" } == WireError(.fieldInvalid, "\(name).source"))
    #expect(
      try error { $0.spokenBy = "NHS 943 476 5919" }
        == WireError(.fieldInvalid, "\(name).spoken_by"))
    #expect(try error { $0.rail = "" } == WireError(.fieldMissing, "\(name).rail"))
    #expect(
      try error { $0.dischargePathway = 4 } == WireError(.fieldInvalid, "\(name).discharge_pathway")
    )
    #expect(
      try error { $0.occurredAt.seconds = 253_402_300_799 }
        == WireError(.fieldInvalid, "\(name).occurred_at"))
    #expect(
      try error { $0.kind = String(repeating: "k", count: 1 << 20) }
        == WireError(.fieldInvalid, "\(name).kind"))
    #expect(
      try error { $0.cc = Array(repeating: .with { $0.organisation = "ods:RTH" }, count: 65) }
        == WireError(.fieldInvalid, "\(name).cc"))
  }

  @Test func `hostile JSON is refused and not followed`() throws {
    var record = try event()
    record = replacing("content-type", "application/json", in: record)
    let nested = String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
    for json in [
      "{\"cc\":\(nested)}", "{\"type\":\"EVENT_TYPE_ACCEPTED\"", "\u{feff}{}", "[]", "",
      "{\"eventId\":\"\u{0}\"}", "{\"occurredAt\":\"1e400\"}",
    ] {
      record.value = Array(json.utf8)
      #expect(fault(record) != nil)
    }
    record.value = [UInt8]("{\"source\":\"".utf8) + [0xff, 0xfe] + [UInt8]("\"}".utf8)
    #expect(fault(record) == .malformed)
    let structured = WireRecord(
      key: record.key, value: Array("{\"specversion\":\"1.0\",\"id\":\(nested)}".utf8),
      headers: [RecordHeader("content-type", "application/cloudevents+json")])
    #expect(fault(structured) == .malformed)
  }
}
