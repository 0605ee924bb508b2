import HandoffCore
import Testing

@testable import HandoffCodecs

struct HL7AcknowledgementTests {
  private static let stamp = HL7Acknowledgement.Stamp(
    controlID: "B1", at: Timestamp(nanoseconds: 1_795_424_400_000_000_000))

  private func lines(_ answer: [UInt8]?) -> [String] {
    String(decoding: answer ?? [], as: UTF8.self).split(separator: "\r").map(String.init)
  }

  private func answer(_ text: String, _ context: MappingContext = .init()) -> [UInt8]? {
    let bytes = Array(text.utf8)
    return HL7Acknowledgement.answer(
      to: bytes, outcome: HL7Mapper(context: context).map(bytes), stamp: Self.stamp)
  }

  @Test func `a message that is safe is answered AA with its own MSH-10, back to its sender`() {
    let text = HL7Fixture.header("REF^I12") + HL7Fixture.patient + HL7Fixture.referral
    #expect(
      lines(answer(text)) == [
        "MSH|^~\\&|CASE|RNU|PAS|RTH|20261123090000+0000||ACK^I12^ACK|B1|P|2.4", "MSA|AA|M1",
      ])
  }

  @Test func `an ADT without a handoff fact is answered AA too`() {
    #expect(lines(answer(HL7Fixture.header("ADT^A08") + HL7Fixture.patient))[1] == "MSA|AA|M1")
  }

  @Test func `a refused message is answered AE with place, code of table 0357 and ours`() {
    let lines = lines(answer(HL7Fixture.header("REF^I12") + HL7Fixture.referral))
    #expect(lines[1] == "MSA|AE|M1")
    #expect(
      lines[2] == "ERR||PID^1|100^Segment sequence error^HL70357|E|hl7.segment-missing^^BATON||"
        + "PID: this message type cannot do without the segment")
  }

  @Test func `what is never taken here is answered AR`() {
    let unsupported = lines(answer(HL7Fixture.header("DFT^P03") + HL7Fixture.patient))
    #expect(unsupported[1] == "MSA|AR|M1")
    #expect(unsupported[2].contains("|MSH^1^9|200^Unsupported message type^HL70357|"))
    let version = lines(answer(HL7Fixture.header("REF^I12", version: "3.0")))
    #expect(version[1] == "MSA|AR|M1")
    #expect(version[2].contains("203^Unsupported version id"))
  }

  @Test func `a bad check digit is answered AE at PID-3 without the number`() {
    let patient = "PID|1||0000255355^^^NHS^NH\r"
    let bytes = answer(HL7Fixture.header("REF^I12") + patient + HL7Fixture.referral)
    #expect(lines(bytes)[1] == "MSA|AE|M1")
    #expect(lines(bytes)[2].contains("|PID^1^3|102^Data type error^HL70357|"))
    #expect(!lines(bytes).joined().contains("0000255355"))
  }

  @Test(arguments: ["ACK", "ACK^A01^ACK"])
  func `an acknowledgement is never acknowledged, not even a broken one`(type: String) {
    #expect(answer(HL7Fixture.header(type) + "MSA|AA|M0\r") == nil)
    #expect(answer(HL7Fixture.header(type)) == nil)
  }

  @Test(
    arguments: [
      ("AL", "NE", "MSA|CA|M1"), ("AL", "AL", "MSA|CA|M1"), ("SU", "NE", "MSA|CA|M1"),
      ("ER", "NE", nil), ("NE", "NE", nil), ("NE", "AL", "MSA|AA|M1"), ("", "AL", "MSA|AA|M1"),
      ("ER", "SU", "MSA|AA|M1"),
    ] as [(String, String, String?)])
  func `in enhanced mode MSH-15 and MSH-16 say whether and how a safe message is answered`(
    accept: String, application: String, expected: String?
  ) {
    let header = HL7Fixture.header("REF^I12", tail: "|||\(accept)|\(application)")
    let lines = lines(answer(header + HL7Fixture.patient + HL7Fixture.referral))
    #expect(lines.dropFirst().first == expected)
  }

  @Test(
    arguments: [
      ("AL", "NE", "MSA|CE|M1"), ("ER", "NE", "MSA|CE|M1"), ("SU", "NE", nil), ("NE", "NE", nil),
    ] as [(String, String, String?)])
  func `in enhanced mode a refused message is answered CE where it is wanted`(
    accept: String, application: String, expected: String?
  ) {
    let header = HL7Fixture.header("REF^I12", tail: "|||\(accept)|\(application)")
    #expect(lines(answer(header + HL7Fixture.referral)).dropFirst().first == expected)
  }

  @Test func `the answer uses the sender's separators`() {
    let text = "MSH#*!?%#A#B#C#D###REF*I12#M*1#P#2.4\rRF1#P\r"
    let lines = lines(answer(text))
    #expect(lines[0].hasPrefix("MSH#*!?%#C#D#A#B#"))
    #expect(lines[1] == "MSA#AE#M*1")
    #expect(lines[2].hasPrefix("ERR##PID*1#100*Segment sequence error*HL70357#E#"))
  }

  @Test func `what has no MSH is answered all the same, naming no message`() {
    let bytes = Array("PID|1\r".utf8)
    let outcome = HL7Mapper(context: .init()).map(bytes)
    let answer = HL7Acknowledgement.answer(to: bytes, outcome: outcome, stamp: Self.stamp)
    #expect(lines(answer)[1] == "MSA|AR|")
  }

  @Test func `a fault of ours is answered AE as an internal error`() {
    let text = HL7Fixture.header("REF^I12")
    let error = MappingError(code("outbox.full"), explanation: "the outbox is full; send again")
    let lines = lines(
      HL7Acknowledgement.failure(to: Array(text.utf8), error: error, stamp: Self.stamp))
    #expect(lines[1] == "MSA|AE|M1")
    #expect(lines[2].contains("207^Application internal error^HL70357|E|outbox.full^^BATON"))
  }
}
