import HandoffCore
import TestSupport
import Testing

@testable import HandoffCodecs

struct HL7LostContentTests {
  private func lost(_ text: String) throws -> [String] {
    let message = try #require(HL7Fixture.map(text).message)
    return HL7LostContent.fields(Array(text.utf8), after: message)
  }

  @Test func `fields that became a value are not lost, and every other with content is named`()
    throws
  {
    let text =
      HL7Fixture.header("REF^I12") + HL7Fixture.patient + "RF1|P|R|Med||O|R-100^RTH|20261122\r"
      + "NTE|1||secret text\rZBX|secret\r"
    #expect(
      try lost(text) == ["PID-8", "RF1-1", "RF1-5", "RF1-7", "NTE-3", "ZBX-1"])
  }

  @Test func `a request to delete is lost as such`() throws {
    let text =
      HL7Fixture.header("ADT^A01") + "PID|1||4711^^^RTH^MR||||\"\"\r"
    #expect(try lost(text).contains("PID-7 (delete)"))
  }

  @Test func `a field is named once however often its segment comes`() throws {
    let notes = "OBX|1|ST|a\rOBX|2|ST|b\r"
    let text = HL7Fixture.header("ADT^A01") + HL7Fixture.patient + notes
    #expect(try lost(text).filter { $0.hasPrefix("OBX") } == ["OBX-2", "OBX-3"])
  }

  @Test(.enabled(if: PackageRoot.hasSamples, "../shared/samples is not here"))
  func `of every sample each field with content is used or named as lost, and never a value`()
    throws
  {
    for name in Samples.names where name.hasPrefix("hl7v2-microsoft/") {
      let bytes = try Samples.bytes(name)
      let message = try #require(Samples.mapper.map(bytes)[0].outcome.message, "\(name)")
      let lost = Set(HL7LostContent.fields(bytes, after: message))
      let parsed = try HL7Message(bytes)
      for segment in parsed.segments where segment.name != "MSH" {
        for field in 1...max(1, segment.lastField) where segment.hasContent(field) {
          let place = "\(segment.name)-\(field)"
          let isKnown =
            message.fieldsUsed.contains(place) || lost.contains(place)
            || lost.contains("\(place) (delete)") || field == 1
          #expect(isKnown, "\(name): \(place)")
        }
      }
      for place in lost {
        #expect(place.wholeMatch(of: /[A-Z][A-Z0-9]{2}-[0-9]+( \(delete\))?/) != nil)
      }
    }
  }

  @Test(.enabled(if: PackageRoot.hasSamples, "../shared/samples is not here"))
  func `every value of every HL7 sample names the field it was read from`() throws {
    for name in Samples.names where name.hasPrefix("hl7v2-microsoft/") || name.hasSuffix(".txt") {
      for frame in Samples.mapper.map(try Samples.bytes(name)) {
        let message = try #require(frame.outcome.message, "\(name)")
        #expect(message.unproven == [], "\(name)")
        for fact in message.facts { #expect(fact.unproven == [], "\(name) \(fact)") }
      }
    }
  }
}
