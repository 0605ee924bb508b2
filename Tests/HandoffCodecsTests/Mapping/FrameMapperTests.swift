import HandoffCore
import Testing

@testable import HandoffCodecs

struct FrameMapperTests {
  private func map(_ bytes: [UInt8]) -> [MappedFrame] { FrameMapper().map(bytes) }
  private func map(_ text: String) -> [MappedFrame] { map(Array(text.utf8)) }

  private static let admission = HL7Fixture.header("ADT^A01") + HL7Fixture.patient
  private static let discharge = HL7Fixture.header("ADT^A03") + HL7Fixture.patient

  @Test(arguments: [
    ("", FrameFormat.empty), (" \r\n", .empty), ("\u{FEFF}", .empty), ("MSH|", .hl7),
    ("\u{FEFF}MSH|", .hl7), ("\u{0B}MSH|", .hl7), ("FHS|", .hl7), ("BHS|", .hl7), ("<a/>", .xml),
    ("{}", .json), ("{\n}", .json), ("[1]", .json), ("{}\n{}", .ndjson), ("{}\n", .json),
    ("PID|", .unknown), ("hello", .unknown),
  ])
  func `a format is told by its first bytes`(text: String, expected: FrameFormat) {
    #expect(FrameFormat.detect(Array(text.utf8)) == expected)
  }

  @Test func `UTF-16 is refused by name, with and without a byte order mark`() {
    for bytes in [[0xFF, 0xFE, 0x4D, 0x00], [0xFE, 0xFF, 0x00, 0x4D], [0x4D, 0x00, 0x53, 0x00]] {
      #expect(map(bytes.map { UInt8($0) })[0].outcome.reason == "format.unsupported-utf16")
    }
  }

  @Test func `what is no message at all is one refusal`() {
    #expect(map("").map(\.outcome.reason) == ["format.empty"])
    #expect(map("<xml/>").map(\.outcome.reason) == ["xml.unknown-message"])
    #expect(map([0x89, 0x50, 0x4E, 0x47]).map(\.outcome.reason) == ["format.unknown"])
    #expect(map("[]").map(\.outcome.reason) == ["json.not-an-object"])
    #expect(map("{}").map(\.outcome.reason) == ["json.unknown-message"])
    #expect(map("BHS|^~\\&|A\rBTS|0\r").map(\.outcome.reason) == ["format.empty"])
  }

  @Test func `several messages of one file are several frames with their bytes`() throws {
    let text = Self.admission + "\n" + Self.discharge
    let bytes = Array(text.utf8)
    let frames = map(bytes)
    #expect(frames.map { $0.outcome.fact?.type } == [.bedAssigned, .discharged])
    #expect(frames.map(\.index) == [0, 1])
    #expect(bytes[frames[1].range].starts(with: Array("MSH".utf8)))
  }

  @Test func `a batch is its messages, and a trailer that counts another number is a fault`() {
    let batch = "FHS|^~\\&|A\rBHS|^~\\&|A\r" + Self.admission + Self.discharge
    #expect(
      map(batch + "BTS|2\rFTS|1\r").map { $0.outcome.fact?.type } == [.bedAssigned, .discharged])
    let short = map(batch + "BTS|3\rFTS|1\r")
    #expect(short.count == 3 && short[2].outcome.reason == "hl7.batch-count BTS-1")
  }

  @Test func `lines before the first message are one fault, and the message is read`() {
    let frames = map("FHS|^~\\&|A\rPID|1\rPV1|1\r" + Self.admission)
    #expect(frames.map(\.outcome.reason) == ["hl7.segment-missing MSH", nil])
  }

  @Test func `frames captured with their framing bytes are read`() {
    let bytes =
      MLLPFrame.encode(Array(Self.admission.utf8)) + MLLPFrame.encode(Array(Self.discharge.utf8))
    #expect(map(bytes).map { $0.outcome.fact?.type } == [.bedAssigned, .discharged])
  }

  @Test func `a bad message does not keep its neighbours from being read`() {
    let frames = map(Self.admission + HL7Fixture.header("XXX^X01") + Self.discharge)
    #expect(frames.map { $0.outcome.fact?.type } == [.bedAssigned, nil, .discharged])
  }

  @Test func `every line of NDJSON is a message of its own, and errors name the line`() {
    let bundle = BaRSFixture().text.replacing("\n", with: "")
    let frames = map("\(bundle)\n\n{\"resourceType\":\"Task\"}\nnot json\n")
    #expect(frames.map(\.index) == [0, 2, 3])
    #expect(frames[0].outcome.fact?.type == .handoffRequested)
    #expect(frames[1].outcome.reason == "fhir.code-unknown line 3, Task.status")
    #expect(frames[2].outcome.reason == "json.syntax line 4, byte 1")
  }

  @Test func `a file beyond the limits is refused by their names and not read`() {
    var context = MappingContext()
    context.limits.fileBytesMax = 10
    let mapper = FrameMapper(context)
    #expect(mapper.map(Array(Self.admission.utf8)).map(\.outcome.reason) == ["format.too-long"])
    context = MappingContext()
    context.limits.messagesMax = 2
    let frames = FrameMapper(context).map(
      Array((Self.admission + Self.admission + Self.admission).utf8))
    #expect(frames.count == 3 && frames[2].outcome.reason == "format.too-many-messages")
    context = MappingContext()
    context.limits.messageBytesMax = 100
    let long = FrameMapper(context).map(Array(Self.admission.utf8))
    #expect(long.map(\.outcome.reason) == ["hl7.message-too-long"])
  }
}
