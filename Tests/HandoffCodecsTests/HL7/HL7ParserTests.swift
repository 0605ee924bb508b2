import HandoffCore
import TestSupport
import Testing

@testable import HandoffCodecs

struct HL7ParserTests {
  private func parse(_ text: String) throws -> HL7Message { try HL7Message(Array(text.utf8)) }

  @Test func `fields, repetitions, components and subcomponents are counted from one`() throws {
    let message = try parse("MSH|^~\\&|A|B\rPID|1||a^b&c^d~e^f||x\r")
    let pid = try #require(message.first("PID"))
    #expect(pid.value(1) == "1")
    #expect(pid.value(2) == nil)
    #expect(pid.repetitions(3).count == 2)
    #expect(pid.value(3, 2, 2) == "c")
    #expect(pid.repetitions(3)[1].value(2) == "f")
    #expect(pid.value(9) == nil)
  }

  @Test func `MSH-1 is the separator itself and MSH-2 the others`() throws {
    let header = try #require(try parse("MSH|^~\\&|A|B\r").first("MSH"))
    #expect(header.value(3) == "A" && header.value(4) == "B")
  }

  @Test func `other separators than the usual are honoured`() throws {
    let message = try parse("MSH#*!?%#A#B\rPID#1##a*b%c!d##x?T?y\r")
    #expect(message.value("PID", 3, 2, 2) == "c")
    #expect(message.first("PID")?.repetitions(3)[1].value(1) == "d")
    #expect(message.value("PID", 5) == "x%y")
  }

  @Test func `escapes stand for what they mean`() throws {
    let text = #"a\F\b\S\c\T\d\R\e\E\f\X41C3A9\g\.br\h\H\i\N\j\Zx\k\"#
    let message = try parse("MSH|^~\\&|A|B\rNTE|1|\(text)\r")
    #expect(message.value("NTE", 2) == "a|b^c&d~e\\fAég\nhij\\Zx\\k\\")
  }

  @Test func `the HL7 null is no value`() throws {
    #expect(try parse("MSH|^~\\&|A|B\rPID|1||\"\"\r").value("PID", 3) == nil)
  }

  @Test(arguments: ["\r", "\n", "\r\n", "\r\r", "\n\n"])
  func `segments may end in CR, LF or both`(end: String) throws {
    let message = try parse("MSH|^~\\&|A|B\(end)PID|1\(end)PV1|2\(end)")
    #expect(message.segments.map(\.name) == ["MSH", "PID", "PV1"])
  }

  @Test func `a byte order mark and blank lines before MSH are skipped`() throws {
    #expect(try parse("\u{FEFF}\n MSH|^~\\&|A|B\r").value("MSH", 3) == "A")
  }

  @Test func `the declared character set decides what a byte means`() throws {
    let latin = Array("MSH|^~\\&|A|B||||||||||||||8859/1\rPID|1|M".utf8) + [0xFC, 0x0D]
    #expect(try HL7Message(latin).value("PID", 2) == "Mü")
    let utf8 = Array("MSH|^~\\&|A|B||||||||||||||UNICODE UTF-8\rPID|1|Mü\r".utf8)
    #expect(try HL7Message(utf8).value("PID", 2) == "Mü")
  }

  @Test(arguments: ["", "ASCII", "UNICODE UTF-8"])
  func `bytes that the character set does not have are refused by the name of MSH-18`(
    set: String
  ) throws {
    let bytes = Array("MSH|^~\\&|A|B||||||||||||||\(set)\rPID|1|M".utf8) + [0xFC, 0x0D]
    let error = #expect(throws: MappingError.self) { try HL7Message(bytes) }
    #expect(error?.code.description == "hl7.encoding" && error?.field == "MSH-18")
  }

  @Test func `a character set that is not read is named as such`() throws {
    let error = #expect(throws: MappingError.self) {
      try parse("MSH|^~\\&|A|B||||||||||||||BIG-5\r")
    }
    #expect(error?.code.description == "hl7.encoding-unsupported")
    #expect(error?.acknowledgement == .reject)
  }

  @Test(arguments: ["MSH", "MSH|", "MSHA^~\\&|A", "MSH||A", "MSH|^^~\\|A", "MSH|^~\\&@#|A"])
  func `separators that cannot be told apart are refused`(text: String) {
    let error = #expect(throws: MappingError.self) { try parse(text) }
    #expect(error?.code.description == "hl7.separators")
  }

  @Test func `too many segments or fields are refused by the name of the limit`() {
    var limits = MappingLimits()
    limits.segmentsMax = 3
    limits.fieldsMax = 20
    let many = Array(("MSH|^~\\&|A|B\r" + String(repeating: "NTE|1\r", count: 3)).utf8)
    let segments = #expect(throws: MappingError.self) { try HL7Message(many, limits: limits) }
    #expect(segments?.code.description == "hl7.too-many-segments")
    let wide = Array(("MSH|^~\\&|A|B\rNTE" + String(repeating: "|1", count: 20)).utf8)
    let fields = #expect(throws: MappingError.self) { try HL7Message(wide, limits: limits) }
    #expect(fields?.code.description == "hl7.too-many-fields")
  }

  @Test(arguments: [
    ("2026", 4, "20260101000000+0000"), ("202611", 6, "20261101000000+0000"),
    ("20261123", 8, "20261123000000+0000"), ("2026112309", 10, "20261123090000+0000"),
    ("202611230915", 12, "20261123091500+0000"), ("20261123091530", 14, "20261123091530+0000"),
    ("20260701091530", 14, "20260701081530+0000"),
    ("20261123091530.1234+0130", 14, "20261123074530+0000"),
    ("20261123001530-0045", 14, "20261123010030+0000"),
    ("20261123091560", 14, "20261123091559+0000"),
  ])
  func `times of every precision are read, in London where no zone is given`(
    text: String, precision: Int, expected: String
  ) throws {
    let time = try #require(HL7Time(text, localTime: .europeLondon))
    #expect(time.timestamp.hl7Text == expected)
    #expect(time.precision == precision)
    #expect(!time.isDoubtful)
  }

  @Test func `the hour that October repeats is doubtful without a zone`() throws {
    let doubtful = try #require(HL7Time("20261025013000", localTime: .europeLondon))
    #expect(doubtful.isDoubtful && doubtful.timestamp.hl7Text == "20261025003000+0000")
    let clear = try #require(HL7Time("20261025013000+0000", localTime: .europeLondon))
    #expect(!clear.isDoubtful && clear.timestamp.hl7Text == "20261025013000+0000")
    #expect(HL7Time("20261025023000", localTime: .europeLondon)?.isDoubtful == false)
    #expect(HL7Time("20261025", localTime: .europeLondon)?.isDoubtful == false)
    #expect(HL7Time("20261025013000", localTime: .offset(minutes: 60))?.isDoubtful == false)
  }

  @Test(arguments: [
    "", "202", "20261301", "20260230", "2026112325", "20261123096", "20261123091530.", "x",
    "20261123+1", "20261123091530+2500", "2026112309153a", "+0100", "20261123 0915",
  ])
  func `what is no time is refused`(text: String) {
    #expect(HL7Time(text, localTime: .europeLondon) == nil)
  }

  @Test func `a message cut short at any byte is refused or read, and never crashes`() {
    let text = HL7Fixture.header("REF^I12") + HL7Fixture.patient + HL7Fixture.referral
    let bytes = Array(text.utf8)
    for length in 0...bytes.count {
      let outcome = HL7Mapper(context: .init()).map(bytes.prefix(length))
      if length < HL7Fixture.header("REF^I12").utf8.count { #expect(outcome.fact == nil) }
    }
  }

  @Test(arguments: 0..<300 as Range<UInt64>)
  func `random bytes in a message never crash and never leave it without an outcome`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let text = HL7Fixture.header("ADT^A40") + HL7Fixture.patient + "MRG|1^^^RTH^MR\r"
    var bytes = Array(text.utf8)
    for _ in 0..<Int.random(in: 1...12, using: &generator) {
      bytes[Int.random(in: 0..<bytes.count, using: &generator)] =
        UInt8.random(in: 0...255, using: &generator)
    }
    #expect(!FrameMapper().map(bytes).isEmpty)
  }
}
