import HandoffCore
import TestSupport
import Testing

@testable import HandoffCodecs

/// What is sent for training or debugging is not taken for care, and the other way round.
@Suite struct `What a message is for` {
  private static func hl7(_ processing: String) -> String {
    "MSH|^~\\&|PAS|RTH|CASE|RNU|20261123090000+0000||ADT^A01|M1|\(processing)|2.5\r"
      + "PID|1||9990500002^^^NHS^NH\rPV1|1|I\r"
  }

  private static func summary(
    _ text: String, _ processing: MappingContext.Processing
  ) -> String {
    var context = MappingContext()
    context.processing = processing
    return Samples.summary(FrameMapper(context).map(Array(text.utf8)))
  }

  private static let taken = "sender:BedAssigned"
  private static let refused = "refused hl7.processing-id MSH-11"

  /// MSH-11, and what becomes of it for production, for training, and for any.
  @Test(arguments: [
    ("P", [taken, refused, taken]), ("p", [taken, refused, taken]),
    ("P^T", [taken, refused, taken]), ("", [taken, refused, taken]),
    ("T", [refused, taken, taken]), ("D", [refused, taken, taken]),
    ("D^A", [refused, taken, taken]), ("X", [refused, refused, taken]),
  ])
  func `stands in MSH-11`(processing: String, expected: [String]) {
    let all: [MappingContext.Processing] = [.production, .training, .any]
    #expect(all.map { Self.summary(Self.hl7(processing), $0) } == expected)
  }

  @Test func `is answered AR with the code of HL7 for it, in words that say what to do`() throws {
    let bytes = Array(Self.hl7("T").utf8)
    let outcome = FrameMapper().map(bytes)[0].outcome
    let stamp = HL7Acknowledgement.Stamp(controlID: "A1", at: Timestamp(milliseconds: 0))
    let answer = try #require(
      HL7Acknowledgement.answer(to: bytes, outcome: outcome, stamp: stamp))
    let text = String(decoding: answer, as: UTF8.self)
    #expect(text.contains("MSA|AR|M1"))
    #expect(text.contains("202^Unsupported processing id^HL70357"))
    #expect(text.contains("PID") == false && text.contains("processing: training"))
  }

  private static func task(_ meta: String) -> String {
    FHIRFixture.task("accepted", #""meta":{\#(meta)},"#)
  }

  private static let tag =
    #""tag":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActReason","code":"HTEST"}]"#
  private static let label =
    #""security":[{"system":"http://hl7.org/fhir/v3/ActReason","code":"HTEST"}]"#
  private static let converted =
    #""tag":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0103","code":"D"}]"#

  @Test(arguments: [(tag, "tag"), (label, "security"), (converted, "tag")])
  func `stands in the label of a FHIR resource`(meta: String, member: String) {
    let text = Self.task(meta)
    #expect(
      Self.summary(text, .production) == "refused fhir.test-data Task.meta.\(member)[0].code")
    #expect(Self.summary(text, .training) == "receiver:Accepted")
    #expect(Self.summary(text, .any) == "receiver:Accepted")
    #expect(Self.summary(Self.task(#""versionId":"1""#), .production) == "receiver:Accepted")
    #expect(
      Self.summary(Self.task(#""versionId":"1""#), .training)
        == "refused fhir.test-data Task.meta.tag")
  }

  @Test func `leaves only the test data out of a list`() {
    let entries = [Self.task(Self.tag), Self.task(#""versionId":"1""#)].map {
      #"{"resource":\#($0)}"#
    }
    let text = FHIRFixture.transaction(entries)
    #expect(Self.summary(text, .production) == "receiver:Accepted")
  }
}
