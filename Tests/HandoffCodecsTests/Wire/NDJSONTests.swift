import HandoffCodecs
import HandoffCore
import TestSupport
import Testing

@Suite struct NDJSONTests {
  private func stored(seed: UInt64, format: WireFormat) throws -> StoredRecord {
    var generator = EventGenerator(seed: seed)
    return StoredRecord(
      record: WireCodec(format: format).encode(try generator.event()),
      coordinates: generator.coordinates(),
      brokerAt: Timestamp(milliseconds: Int64(generator.number(0...1_800_000_000_000))))
  }

  @Test(arguments: WireFormat.allCases, NDJSON.Form.allCases)
  func `a record comes back from its line byte for byte`(format: WireFormat, form: NDJSON.Form)
    throws
  {
    for seed in 0..<100 as Range<UInt64> {
      let stored = try stored(seed: seed, format: format)
      let line = NDJSON.line(stored, form: form)
      #expect(!line.contains(0x0a))
      let back = try NDJSON.parse(line)
      #expect(back.stored == stored)
      #expect(NDJSON.isCanonical(line) == (form == .exact))
    }
  }

  @Test func `any changed byte of an exact line gives another record or none`() throws {
    let stored = try stored(seed: 7, format: .protobuf)
    let line = NDJSON.line(stored)
    for index in line.indices {
      for change in [1, 0x20] as [UInt8] {
        var changed = line
        changed[index] ^= change
        if let back = try? NDJSON.parse(changed), back.stored == stored {
          // The same record in another spelling: then the spelling is what gives it away.
          #expect(!NDJSON.isCanonical(changed))
        }
      }
    }
  }

  @Test func `a decoded line whose data was changed no longer has its hash`() throws {
    let line = String(
      decoding: NDJSON.line(try stored(seed: 8, format: .protobuf), form: .decoded), as: UTF8.self)
    let changed = line.replacing(/"source":"(.)([^"]*)","rail"/) { match in
      "\"source\":\"\(match.output.1 == "a" ? "b" : "a")\(match.output.2)\",\"rail\""
    }
    #expect(changed != line)
    #expect(throws: NDJSONFault.member("recordhash")) { try NDJSON.parse(Array(changed.utf8)) }
  }

  @Test func `headers and keys that no line would give back are kept as they are`() throws {
    let headers: [[RecordHeader]] = [
      [], [RecordHeader("ce_id", "1"), RecordHeader("ce_id", "2")],
      [RecordHeader("trace", [0xff]), RecordHeader("empty", nil), RecordHeader("blank", [])],
      [RecordHeader("content-type", "application/json"), RecordHeader("ce_type", "x")],
      [RecordHeader("ce_brokertopic", "forged")],
    ]
    for headers in headers {
      for key in [nil, [], [0xff, 0x00], Array("1.ab".utf8)] as [[UInt8]?] {
        for value in [nil, [], [0, 1, 0xff]] as [[UInt8]?] {
          let stored = StoredRecord(
            record: WireRecord(key: key, value: value, headers: headers),
            coordinates: RecordCoordinates(topic: "t", partition: 0, offset: .max),
            brokerAt: Timestamp(milliseconds: 0))
          for form in NDJSON.Form.allCases {
            #expect(try NDJSON.parse(NDJSON.line(stored, form: form)).stored == stored)
          }
        }
      }
    }
  }

  @Test func `a faulty line says what is wrong and never quotes it`() throws {
    let cases: [(String, NDJSONFault)] = [
      ("[]", .malformed(position: 0)), ("{\"a\":1", .malformed(position: 6)),
      ("{\"a\":1,\"a\":2}", .malformed(position: 10)), ("{}", .member("specversion")),
      (
        "{\"specversion\":\"1.0\",\"brokertopic\":\"t\",\"brokerpartition\":-1}",
        .member("brokerpartition")
      ),
      ("{\"specversion\":\"1.0\",\"data_base64\":\"AB\"}", .member("data_base64")),
      ("{\"specversion\":\"1.0\",\"brokertime\":\"2026-02-30T00:00:00Z\"}", .member("brokertime")),
      ("{\"specversion\":\"1.0\",\"data\":{}}", .member("type")),
      (
        "{\"specversion\":\"1.0\",\"type\":\"baton.handoff.v1.HandoffEvent\",\"data\":{\"type\":7.5}}",
        .data(WireError(.malformed, "baton.handoff.v1.HandoffEvent"))
      ),
    ]
    for (line, fault) in cases {
      #expect(throws: fault) { try NDJSON.parse(Array(line.utf8)) }
    }
  }

  @Test func `lines are the same however their bytes are cut`() throws {
    let text = Array("one\r\n\n  \t\r\ntwo\nthree\r".utf8)
    let expected = [1: "one", 4: "two", 5: "three"]
    for first in 0...text.count {
      for second in first...text.count {
        var splitter = LineSplitter(lineBytesMax: 10)
        var lines: [Int: String] = [:]
        for part in [text[..<first], text[first..<second], text[second...]] {
          splitter.append(part)
          while let line = try splitter.next() {
            lines[line.number] = String(decoding: line.bytes, as: UTF8.self)
          }
        }
        splitter.finish()
        while let line = try splitter.next() {
          lines[line.number] = String(decoding: line.bytes, as: UTF8.self)
        }
        #expect(lines == expected)
      }
    }
  }

  @Test func `a line that is too long is refused by its number while it arrives`() throws {
    var splitter = LineSplitter(lineBytesMax: 4)
    splitter.append(Array("abcd\nabcde".utf8))
    #expect(try splitter.next()?.number == 1)
    #expect(throws: LineSplitter.TooLong(line: 2, limit: 4)) { try splitter.next() }
  }

  @Test func `moments are written and read to the nanosecond`() throws {
    let cases: [(Int64, String)] = [
      (0, "1970-01-01T00:00:00Z"), (1, "1970-01-01T00:00:00.000000001Z"),
      (-1, "1969-12-31T23:59:59.999999999Z"),
      (1_709_164_800_120_000_000, "2024-02-29T00:00:00.120Z"),
      (.min, "1677-09-21T00:12:43.145224192Z"), (.max, "2262-04-11T23:47:16.854775807Z"),
    ]
    for (nanoseconds, text) in cases {
      #expect(RFC3339.text(Timestamp(nanoseconds: nanoseconds)) == text)
    }
    for (nanoseconds, text) in cases.dropLast(2) {
      #expect(RFC3339.parse(text) == Timestamp(nanoseconds: nanoseconds))
    }
    #expect(RFC3339.parse("2026-07-01T10:00:00+01:00") == RFC3339.parse("2026-07-01T09:00:00Z"))
    for text in [
      "2026-07-01T10:00:00", "2026-02-29T00:00:00Z", "2026-07-01 10:00:00Z", "2026-07-01T24:00:00Z",
      "2026-07-01T10:00:60Z", "9999-12-31T23:59:59Z", "2026-07-01T10:00:00.Z",
      "2026-07-01T10:00:00.1234567890Z", "",
    ] {
      #expect(RFC3339.parse(text) == nil)
    }
  }
}
