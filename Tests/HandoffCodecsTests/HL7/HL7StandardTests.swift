import HandoffCore
import TestSupport
import Testing

@testable import HandoffCodecs

/// What the standard allows and no sample holds.
struct HL7StandardTests {
  private func parse(_ text: String) throws -> HL7Message { try HL7Message(Array(text.utf8)) }

  // MARK: Fields

  @Test func `a field that asks to delete is told from one that says nothing`() throws {
    let message = try parse("MSH|^~\\&|A|B\rPID|1||\"\"||x|\r")
    let pid = try #require(message.first("PID"))
    #expect(pid.isNull(3) && pid.value(3) == nil && pid.hasContent(3))
    #expect(!pid.isNull(2) && pid.value(2) == nil && !pid.hasContent(2))
    #expect(!pid.isNull(6) && !pid.hasContent(40))
  }

  @Test func `a deletion takes no value and no fact with it`() {
    let text =
      HL7Fixture.header("ADT^A08") + "PID|1||4711^^^RTH^MR||\"\"||\"\"|\"\"|||\"\"\r"
    #expect(HL7Fixture.map(text).reason == "adt.person-record")
  }

  @Test func `a character that MSH-2 leaves out and another has taken is none`() throws {
    let message = try parse("MSH~^|A|B\r".replacing("|", with: "~") + "PID~1~~a^b\r")
    #expect(message.value("PID", 3, 2) == "b")
    #expect(message.first("PID")?.repetitions(3).count == 1)
    let swapped = try parse("MSH|~^\\&|A|B\rPID|1||a~b^c\r")
    #expect(swapped.value("PID", 3, 2) == "b")
    #expect(swapped.first("PID")?.repetitions(3).count == 2)
  }

  @Test func `the truncation character of version 2_7 is no obstacle`() throws {
    #expect(try parse("MSH|^~\\&#|A|B\rPID|1||a#^b\r").value("PID", 3) == "a#")
  }

  @Test func `sequences of other character sets stay as they are written`() throws {
    let message = try parse("MSH|^~\\&|A|B\rNTE|1|a\\C2842\\b\\M254231\\c\r")
    #expect(message.value("NTE", 2) == "a\\C2842\\b\\M254231\\c")
  }

  @Test func `ISO 8859-15 has the euro where 8859-1 has another sign`() throws {
    let bytes = Array("MSH|^~\\&|A|B||||||||||||||8859/15\rPID|1|".utf8) + [0xA4, 0x0D]
    #expect(try HL7Message(bytes).value("PID", 2) == "€")
  }

  @Test func `UTF-16 is refused by name, in the bytes and in MSH-18`() {
    let header = HL7Fixture.header("ADT^A01", tail: "||||||UNICODE UTF-16")
    #expect(HL7Fixture.map(header).reason == "hl7.encoding-unsupported MSH-18")
    let wide = Array(HL7Fixture.header("ADT^A01").utf8).flatMap { [$0, UInt8(0)] }
    #expect(FrameMapper().map(wide)[0].outcome.reason == "format.unsupported-utf16")
  }

  @Test func `a long message is read whole`() throws {
    let notes = (0..<5_000).map { "NTE|\($0)||" + String(repeating: "n", count: 200) + "\r" }
    let text =
      HL7Fixture.header("REF^I12") + notes.joined() + HL7Fixture.patient + HL7Fixture.referral
    #expect(HL7Fixture.map(text).fact?.handoff?.value == "R-100")
  }

  @Test(arguments: [("ADD|1\r", "ADD"), ("DSC|P1\r", "DSC-1")])
  func `a message that goes on in another is refused by name`(segment: String, field: String) {
    let text = HL7Fixture.header("ADT^A01") + HL7Fixture.patient + segment
    let outcome = HL7Fixture.map(text)
    #expect(outcome.reason == "hl7.continuation-unsupported \(field)")
    #expect(outcome.error?.acknowledgement == .reject)
    let pointer = HL7Fixture.header("ADT^A01", tail: "||P1")
    #expect(
      HL7Fixture.map(pointer + HL7Fixture.patient).reason
        == "hl7.continuation-unsupported MSH-14")
  }

  @Test(arguments: [
    ("REF^I12", "RF1|P|R|Med||O|LONG\r", "RF1-6"), ("REF^I12", "RF1|P||||||||||LONG\r", "RF1-11"),
    ("REF^I12", "RF1|P|R|Med||O|1^LONG\r", "RF1-6"), ("OMG^O19", "ORC|NW|LONG\r", "ORC-2"),
    ("ACK", "MSA|AA|LONG\r", "MSA-2"), ("SIU^S12", "SCH|1|LONG\r", "SCH-2"),
    ("ADT^A01", "PV1|1|I" + String(repeating: "|", count: 17) + "LONG\r", "PV1-19"),
    ("ADT^A40", "MRG|LONG\r", "MRG-1"),
  ])
  func `an id of 10 kB is refused by the name of its field, and never left out`(
    type: String, segment: String, field: String
  ) {
    let long = segment.replacing("LONG", with: String(repeating: "7", count: 10_000))
    let text = HL7Fixture.header(type) + (type == "ACK" ? "" : HL7Fixture.patient) + long
    #expect(HL7Fixture.map(text).reason == "hl7.field-too-long \(field)")
  }

  // MARK: Versions

  @Test func `versions that name the event in EVN-1 alone are read`() {
    let text =
      HL7Fixture.header("ADT", version: "2.1") + "EVN|A03|198808181126\r" + HL7Fixture.patient
    let outcome = HL7Fixture.map(text)
    #expect(outcome.fact?.type == .discharged)
    #expect(outcome.message?.messageType == "ADT^A03")
    #expect(outcome.message?.provenance["messageType"] == "MSH-9, EVN-1")
  }

  @Test func `a type with one event needs none, and a structure may name it`() {
    let result =
      HL7Fixture.header("ORU", version: "2.2") + HL7Fixture.patient + "OBR|1|O-1\r"
    #expect(HL7Fixture.map(result).fact?.type == .interim)
    let structured =
      HL7Fixture.header("REF^^REF_I12") + HL7Fixture.patient + HL7Fixture.referral
    #expect(HL7Fixture.map(structured).fact?.type == .handoffRequested)
  }

  @Test func `an ADT that names no event anywhere is refused`() {
    #expect(
      HL7Fixture.map(HL7Fixture.header("ADT") + HL7Fixture.patient).reason
        == "hl7.unsupported-event MSH-9")
  }

  @Test func `without EVN the time is that of MSH-7, and without both that of reception`() {
    let dated = HL7Fixture.map(HL7Fixture.header("ADT^A01") + HL7Fixture.patient).fact
    #expect(dated?.provenance["occurredAt"] == "MSH-7")
    let undated = HL7Fixture.map(HL7Fixture.header("ADT^A01", at: "") + HL7Fixture.patient).fact
    #expect(undated?.occurredAt == nil && undated?.provenance["occurredAt"] == nil)
  }

  @Test func `an error code where versions before 2_5 put it is the reason`() {
    let text =
      HL7Fixture.header("ACK", version: "2.3", from: "CASE|RNU", to: "PAS|RTH")
      + "MSA|AE|M1\rERR|PID^1^3^204&Unknown key identifier\r"
    let fact = HL7Fixture.map(text).fact
    #expect(fact?.type == .recipientRefusedPatient && fact?.reason?.description == "AE:204")
    let older =
      HL7Fixture.header("ACK", version: "2.2", from: "CASE|RNU", to: "PAS|RTH")
      + "MSA|AR|M1||||207^Application error\r"
    #expect(HL7Fixture.map(older).fact?.reason?.description == "AR:207")
  }

  // MARK: Identity

  @Test(arguments: [
    "9990500002^^^NHS^NH", "9990500002^^^NHS", "9990500002^^^X^NHS", "999 050 0002^^^NHS^NH",
    "9990500002^^^NHSNBR^NH", "9990500002^^^NHS Number^NI", "9990500002^^^X^NHS-NO",
    "9990500002^^^&2.16.840.1.113883.2.1.4.1&ISO", "999050000^2^NPI^NHS^NH",
    "9990500002^^^https://fhir.nhs.uk/Id/nhs-number^NH", "9990500002^^^GBR^NNGBR",
    "4711^^^RTH^MR~9990500002^^^NHS^NH",
  ])
  func `an NHS number is known by every way that UK senders declare it`(identifier: String) {
    let text = HL7Fixture.header("ADT^A01") + "PID|1||\(identifier)\r"
    #expect(HL7Fixture.map(text).message?.person?.nhsNumber?.digits == "9990500002")
  }

  @Test(arguments: ["4711^^^NHS^MR", "9990500002^^^RTH^MR", "9990500002", "9990500002^^^RTH^NI"])
  func `a hospital's own number is none, whatever it looks like`(identifier: String) {
    let text = HL7Fixture.header("ADT^A01") + "PID|1||\(identifier)\r"
    let person = HL7Fixture.map(text).message?.person
    #expect(person?.nhsNumber == nil && person?.localIDs.count == 1)
  }

  @Test func `PID-2 and PID-4 are read where PID-3 is empty`() {
    for (field, text) in [("PID-2", "PID|1|4711^^^RTH\r"), ("PID-4", "PID|1|||4711^^^RTH\r")] {
      let message = HL7Fixture.map(HL7Fixture.header("ADT^A01") + text).message
      #expect(message?.person?.localIDs.map(\.value) == ["4711"])
      #expect(message?.provenance["person"] == field)
    }
  }

  @Test(arguments: [
    ("MRG|1^^^RTH^MR~9990548609^^^NHS^NH", "MRG-1"), ("MRG||||2^^^RTH", "MRG-4"),
    ("MRG||3^^^RTH", "MRG-2"), ("MRG|1||||||OLD^NAME", "MRG-1, MRG-7"),
  ])
  func `what a merge gives up stands in MRG-1, or where older versions put it`(
    segment: String, field: String
  ) {
    let text = HL7Fixture.header("ADT^A40") + HL7Fixture.patient + segment + "\r"
    let fact = HL7Fixture.map(text).fact
    #expect(fact?.priorPerson?.isIdentified == true)
    #expect(fact?.provenance["priorPerson"] == field)
  }

  @Test func `a swap keeps each patient's own visit`() throws {
    func visit(_ id: String) -> String {
      "PV1|1|I" + String(repeating: "|", count: 17) + id + "\r"
    }
    let text =
      HL7Fixture.header("ADT^A17") + "PID|1||1^^^RTH^MR\r" + visit("V-1") + "PID|2||2^^^RTH^MR\r"
      + visit("V-2")
    let facts = try #require(HL7Fixture.map(text).message?.facts)
    #expect(facts.map { $0.references.map(\.value) } == [["V-1"], ["V-2"]])
  }

  @Test func `every visit of a list that is moved is a fact`() {
    let text =
      HL7Fixture.header("ADT^A45") + HL7Fixture.patient + "MRG|1^^^RTH^MR||||V-1\rMRG|2^^^RTH^MR\r"
    let facts = HL7Fixture.map(text).message?.facts ?? []
    #expect(facts.map { $0.priorPerson?.localIDs[0].value } == ["1", "2"])
    #expect(facts[0].references.map(\.system) == [code("MRG-5")])
  }

  // MARK: Files

  private static let message = HL7Fixture.header("ADT^A01") + HL7Fixture.patient

  private func reasons(_ text: String) -> [String?] {
    FrameMapper().map(Array(text.utf8)).map(\.outcome.reason)
  }

  @Test func `trailers that count what came are no fault`() {
    let batch = "BHS|^~\\&|A\r" + Self.message + Self.message + "BTS|2\r"
    #expect(reasons("FHS|^~\\&|A\r" + batch + batch + "FTS|2\r") == [nil, nil, nil, nil])
    #expect(reasons("FHS|^~\\&|A\r" + Self.message + "FTS|1\r") == [nil])
    #expect(reasons("BHS|^~\\&|A\r" + Self.message + "BTS\rFTS\r") == [nil])
  }

  @Test func `a trailer that counts more than came says that something is lost`() {
    let batch = "BHS|^~\\&|A\r" + Self.message + "BTS|2\r"
    #expect(reasons(batch) == [nil, "hl7.batch-count BTS-1"])
    #expect(
      reasons("FHS|^~\\&|A\rBHS|^~\\&|A\r" + Self.message + "BTS|1\rFTS|2\r")
        == [nil, "hl7.file-count FTS-1"])
  }

  @Test func `a batch header with other separators counts as well`() {
    #expect(
      reasons("BHS#^~\\&#A\r" + Self.message + "BTS#3\r") == [nil, "hl7.batch-count BTS-1"])
  }
}
