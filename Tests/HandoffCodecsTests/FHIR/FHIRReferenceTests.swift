import HandoffCore
import Testing

@testable import HandoffCodecs

/// References and values as the standard allows them and no sample holds them.
struct FHIRReferenceTests {
  /// A transaction whose Task names the request in some style.
  private func facts(focus: String, fullURL: String, id: String = #""id":"sr-9","#) -> [MappedFact]
  {
    let request =
      #"{"resourceType":"ServiceRequest",\#(id)"status":"active","intent":"order","#
      + #""identifier":[{"system":"urn:x","value":"R9"}],"subject":{"reference":"Patient/p-1"}}"#
    let task = FHIRFixture.task("accepted").replacing(
      #"{"reference":"ServiceRequest/sr-1"}"#, with: focus)
    return FHIRFixture.facts(
      FHIRFixture.transaction([
        #"{"resource":\#(task)}"#, #"{"fullUrl":"\#(fullURL)","resource":\#(request)}"#,
      ]))
  }

  @Test(arguments: [
    (#"{"reference":"ServiceRequest/sr-9"}"#, "https://a.example/ServiceRequest/sr-9"),
    (
      #"{"reference":"https://a.example/ServiceRequest/sr-9"}"#,
      "https://a.example/ServiceRequest/sr-9"
    ),
    (
      #"{"reference":"https://b.example/ServiceRequest/sr-9/_history/3"}"#,
      "https://a.example/ServiceRequest/sr-9"
    ),
    (#"{"reference":"ServiceRequest/sr-9/_history/3"}"#, "urn:uuid:0001"),
    (#"{"reference":"urn:uuid:0001"}"#, "urn:uuid:0001"),
    (#"{"reference":"URN:UUID:0001"}"#, "urn:uuid:0001"),
    (#"{"identifier":{"system":"urn:x","value":"R9"}}"#, "urn:uuid:0001"),
    (#"{"type":"ServiceRequest","identifier":{"system":"URN:X","value":"R9"}}"#, "urn:uuid:0001"),
  ])
  func `a reference in any style leads to the same resource`(focus: String, fullURL: String) {
    let facts = facts(focus: focus, fullURL: fullURL)
    #expect(facts.map(\.type) == [.accepted])
    #expect(facts.first?.handoff?.value == "R9", "\(focus)")
  }

  @Test func `a contained resource is found by its fragment, and only inside its owner`() throws {
    let contained =
      #""contained":[{"resourceType":"Organization","id":"o","identifier":[{"system":"#
      + #""https://fhir.nhs.uk/Id/ods-organization-code","value":"RNU"}]},"#
      + #"{"resourceType":"Patient","id":"p","identifier":[{"system":"#
      + #""https://fhir.nhs.uk/Id/nhs-number","value":"9990548609"}]}],"#
    var text = FHIRFixture.task("accepted", contained)
      .replacing(#"{"reference":"Organization/food-bank"}"#, with: ##"{"reference":"#o"}"##)
    let range = try #require(text.firstRange(of: #""for":"#))
    let end = try #require(text[range.upperBound...].firstRange(of: "}}"))
    text.replaceSubrange(range.lowerBound..<end.upperBound, with: ##""for":{"reference":"#p"}"##)
    let message = try #require(FHIRFixture.outcome(text).message)
    #expect(message.facts[0].to?.odsCode?.description == "RNU")
    #expect(message.person?.nhsNumber?.digits == "9990548609")
    #expect(message.facts[0].provenance["to"] == "Task.contained[0].identifier[0].value")
  }

  @Test func `a patient of the national register is named by the reference itself`() throws {
    let text = FHIRFixture.task("accepted").replacing(
      #"{"identifier":{"system":"https://fhir.nhs.uk/Id/nhs-number","value":"9990500002"}}"#,
      with: #"{"reference":"https://api.example/personal-demographics/FHIR/R4/Patient/9990548609"}"#
    )
    #expect(FHIRFixture.outcome(text).message?.person?.nhsNumber?.digits == "9990548609")
  }

  @Test func `a superseded NHS number in an identifier of old use is no conflict`() throws {
    let patient =
      #"{"resourceType":"Patient","id":"p-1","identifier":[{"use":"old","system":"#
      + #""https://fhir.nhs.uk/Id/nhs-number","value":"9990548609"},{"system":"#
      + #""urn:oid:2.16.840.1.113883.2.1.4.1","value":"9990500002"}]}"#
    let task = FHIRFixture.task("accepted").replacing(
      #"{"identifier":{"system":"https://fhir.nhs.uk/Id/nhs-number","value":"9990500002"}}"#,
      with: #"{"reference":"Patient/p-1"}"#)
    let text = FHIRFixture.transaction([#"{"resource":\#(task)}"#, #"{"resource":\#(patient)}"#])
    #expect(FHIRFixture.outcome(text).message?.person?.nhsNumber?.digits == "9990500002")
  }

  @Test func `extensions, siblings of primitives, unknown members and big decimals change nothing`()
    throws
  {
    let plain = try #require(FHIRFixture.outcome(FHIRFixture.task("accepted")).message)
    let extra = try #require(
      FHIRFixture.outcome(
        FHIRFixture.task(
          "accepted",
          #""_status":{"extension":[{"url":"x","valueString":"y"}]},"modifierNone":{"a":[null]},"#
            + #""extension":[{"url":"u","valueDecimal":1.00000000000000000000000000000001e400}],"#
            + #""text":{"status":"generated","div":"<div>é</div>"},"#)
      ).message)
    #expect(extra.facts == plain.facts && extra.person == plain.person)
  }

  @Test func `what may repeat may stand alone, and what stands once in an array`() throws {
    let plain = try #require(FHIRFixture.outcome(FHIRFixture.task("accepted")).message)
    let text = FHIRFixture.task("accepted")
      .replacing(#""coding":[{"code":"fulfill"}]"#, with: #""coding":{"code":"fulfill"}"#)
      .replacing(#""status":"accepted""#, with: #""status":["accepted"]"#)
      .replacing(
        #""focus":{"reference":"ServiceRequest/sr-1"}"#,
        with: #""focus":[null,{"reference":"ServiceRequest/sr-1"}]"#)
    let odd = try #require(FHIRFixture.outcome(text).message)
    #expect(odd.facts.map(\.handoff) == plain.facts.map(\.handoff))
    #expect(odd.facts.map(\.type) == plain.facts.map(\.type))
  }

  @Test(arguments: [
    ("2026-11-23T10:00:00Z", "20261123100000+0000"),
    ("2026-11-23T10:00:00.123456789+00:00", "20261123100000.1234+0000"),
    ("2026-11-23T12:00:00+02:00", "20261123100000+0000"),
    ("2026-11-23", "20261123000000+0000"), ("2026-11", "20261101000000+0000"),
    ("2026-07-01T10:00:00", "20260701090000+0000"),
  ])
  func `a time is read in any precision and zone`(text: String, expected: String) throws {
    let fact = try #require(
      FHIRFixture.facts(
        FHIRFixture.task("accepted").replacing("2026-11-23T10:00:00Z", with: text)
      ).first)
    let read = try #require(fact.occurredAt?.hl7Text)
    #expect(read.prefix(14) == expected.prefix(14), "\(text)")
  }

  @Test func `a byte order mark and escapes are read, a name given twice and half a pair are not`()
  {
    let text = FHIRFixture.task("accepted")
    #expect(FHIRFixture.summary("\u{FEFF}" + text) == "receiver:Accepted")
    #expect(
      FHIRFixture.summary(text.replacing("accepted", with: #"\u0061ccepted"#))
        == "receiver:Accepted")
    #expect(
      FHIRFixture.summary(
        text.replacing(#""id":"t-1""#, with: #""id":"t-1","id":"t-2""#)
      )
      .hasPrefix("refused json.duplicate-name"))
    #expect(
      FHIRFixture.summary(text.replacing("t-1", with: #"\ud83d"#))
        .hasPrefix("refused json.encoding"))
  }

  @Test func `nesting is bounded in JSON and in XML`() {
    let deep = String(repeating: #"{"a":"#, count: 200) + "1" + String(repeating: "}", count: 200)
    #expect(
      FHIRFixture.summary(#"{"resourceType":"Task","x":\#(deep)}"#)
        .hasPrefix("refused json.nesting"))
    let tags = String(repeating: "<a>", count: 200) + String(repeating: "</a>", count: 200)
    #expect(
      FHIRFixture.summary(#"<Task xmlns="http://hl7.org/fhir">\#(tags)</Task>"#)
        .hasPrefix("refused xml.nesting"))
  }
}
