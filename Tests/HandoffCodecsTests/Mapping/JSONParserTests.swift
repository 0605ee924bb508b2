import HandoffCore
import TestSupport
import Testing

@testable import HandoffCodecs

struct JSONParserTests {
  private func parse(_ text: String, _ limits: MappingLimits = .init()) throws -> JSONValue {
    try JSONParser.parse(Array(text.utf8)[...], limits: limits)
  }

  @Test func `values are read as RFC 8259 writes them`() throws {
    let value = try parse(#" {"a":[1,-2.5e+3,true,false,null,"x"],"b":{}} "#)
    #expect(value["a"]?[1] == .number("-2.5e+3"))
    #expect(value["a"]?[5]?.text == "x")
    #expect(value["b"] == .object([:]))
    #expect(value["c"] == nil)
  }

  @Test func `escapes are read, surrogate pairs too`() throws {
    let text = #""\"\\\/\b\f\n\r\tA\u00e9\ud83d\ude00ü""#
    #expect(try parse(text) == .string("\"\\/\u{8}\u{c}\n\r\tAé😀ü"))
  }

  @Test(arguments: [
    "", "{", "[", "[1,]", "{\"a\"}", "{\"a\":1,}", "01", "1.", "-", "1e", "tru", "\"", "\"\\x\"",
    "\"\\u12\"", "\"\n\"", "{} {}", "[1 2]", "{a:1}", "nul", ".5", "+1",
  ])
  func `what is no JSON is refused with a place`(text: String) {
    let error = #expect(throws: MappingError.self) { try parse(text) }
    #expect(error?.code.description == "json.syntax")
    #expect(error?.field?.hasPrefix("byte ") == true)
  }

  @Test(arguments: ["\"\\ud83d\"", "\"\\ude00\"", "\"\\ud83d\\u0041\""])
  func `half a surrogate pair is refused`(text: String) {
    let error = #expect(throws: MappingError.self) { try parse(text) }
    #expect(error?.code.description == "json.encoding")
  }

  @Test func `a string that is not UTF-8 is refused`() {
    let bytes = [UInt8(ascii: "\""), 0xFC, UInt8(ascii: "\"")]
    let error = #expect(throws: MappingError.self) {
      try JSONParser.parse(bytes[...], limits: .init())
    }
    #expect(error?.code.description == "json.encoding")
  }

  @Test func `a name given twice is refused, as readers differ on which one counts`() {
    let error = #expect(throws: MappingError.self) { try parse(#"{"a":1,"a":2}"#) }
    #expect(error?.code.description == "json.duplicate-name")
  }

  @Test(arguments: ["[", "{\"a\":"])
  func `a nesting bomb is refused at the limit`(piece: String) {
    let error = #expect(throws: MappingError.self) {
      try parse(String(repeating: piece, count: 1_000_000))
    }
    #expect(error?.code.description == "json.nesting")
    #expect(error?.explanation.contains("nestingMax") == true)
  }

  @Test func `too many values and too many bytes are refused by the name of the limit`() {
    var limits = MappingLimits()
    limits.jsonValuesMax = 10
    let values = #expect(throws: MappingError.self) {
      try parse("[" + String(repeating: "1,", count: 20) + "1]", limits)
    }
    #expect(values?.code.description == "json.too-many-values")
    limits.messageBytesMax = 10
    let bytes = #expect(throws: MappingError.self) { try parse("[1,2,3,4,5,6]", limits) }
    #expect(bytes?.code.description == "json.too-long")
  }

  @Test(arguments: 0..<300 as Range<UInt64>)
  func `random damage never crashes the reader`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var bytes = Array(BaRSFixture().text.utf8)
    for _ in 0..<Int.random(in: 1...6, using: &generator) {
      bytes[Int.random(in: 0..<bytes.count, using: &generator)] =
        UInt8.random(in: 0...255, using: &generator)
    }
    #expect(FrameMapper().map(bytes).isEmpty == false)
  }

  @Test(arguments: [
    ("2026-11-23T09:00:00Z", "20261123090000+0000"),
    ("2026-11-23T09:00:00.123456789+01:00", "20261123080000+0000"),
    ("2026-11-23t09:00z", "20261123090000+0000"), ("2026-07-01T09:00:00", "20260701080000+0000"),
    ("2026-11-23", "20261123000000+0000"), ("2026-11", "20261101000000+0000"),
    ("2026", "20260101000000+0000"),
  ])
  func `ISO times are read with and without zone`(text: String, expected: String) {
    #expect(ISOTime(text, localTime: .europeLondon)?.timestamp.hl7Text == expected)
  }

  @Test(arguments: [
    "", "26-11-23", "2026-11-23T", "2026-11-23T9:00Z", "2026-11-23T09:00:00+1", "2026-02-30",
    "2026-11T09:00:00Z", "2026-11-23T25:00:00Z", "2026-11-23 09:00:00", "now",
    "2026-11-23T09:00:00.Z", "2026-11-23T09:00.5Z",
  ])
  func `what is no ISO time is refused`(text: String) {
    #expect(ISOTime(text, localTime: .europeLondon) == nil)
  }
}
