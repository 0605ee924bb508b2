import Foundation
import HTTPTypes
import HandoffCodecs
import TestSupport
import Testing

@testable import HandoffConnectors

/// JSON and XML are two forms of one resource, and each sender hears in its own.
@Suite struct `FHIR in JSON and in XML` {
  private let tests = FHIRListenerTests()

  static let bundle = """
    <?xml version="1.0" encoding="UTF-8"?>
    <Bundle xmlns="http://hl7.org/fhir"><id value="b-1"/><type value="message"/><entry><resource>\
    <MessageHeader><eventCoding><system value="urn:s"/><code value="servicerequest-request"/>\
    </eventCoding></MessageHeader></resource></entry></Bundle>
    """

  private static func post(
    _ body: String, to path: String = "/$process-message", _ more: [String: String] = [:]
  ) -> [UInt8] {
    FHIRListenerTests.post(
      body, to: path, ["Content-Type": "application/fhir+xml"].merging(more) { $1 })
  }

  @Test(arguments: ["application/fhir+xml", "application/xml", "text/xml; charset=\"UTF-8\""])
  func `a message in XML is taken byte for byte, and answered in XML`(type: String) async throws {
    try await tests.listening { port, _ in
      let answer = try await RawHTTP.send(
        Self.post(Self.bundle, ["Content-Type": type]), port: port)
      #expect(answer.status == 200)
      #expect(answer.fields["content-type"] == "application/fhir+xml; charset=utf-8")
      #expect(answer.body.hasPrefix(#"<?xml version="1.0" encoding="UTF-8"?><Bundle xmlns="#))
      // What it says, our own reader reads again.
      let glance = try FHIRGlance(Array(answer.body.utf8), isXML: true)
      #expect(glance.resourceType == "Bundle" && glance.bundleType == "message")
      #expect(glance.eventSystem == "urn:s" && glance.eventCode == "servicerequest-request")
      #expect(answer.body.contains(#"<identifier value="b-1"/><code value="ok"/>"#))
    }
    #expect(tests.intake.taken.map(\.bytes) == [Array(Self.bundle.utf8)])
  }

  @Test func `a resource in XML is taken at its path`() async throws {
    try await tests.listening { port, _ in
      let task = #"<Task xmlns="http://hl7.org/fhir"><id value="t1"/></Task>"#
      let answer = try await RawHTTP.send(
        Self.post(task, to: "/Task/t1").replacing(
          "POST".utf8, with: "PUT".utf8, maxReplacements: 1),
        port: port)
      #expect(answer.status == 202)
      #expect(answer.body.contains("<OperationOutcome xmlns=\"http://hl7.org/fhir\">"))
    }
    #expect(tests.intake.taken.count == 1)
  }

  /// Path, Accept, and the form of the answer to a body in XML.
  @Test(arguments: [
    ("/Task", "application/fhir+json", FHIRFormat?.some(.json)), ("/Task", "*/*", .xml),
    ("/Task", "application/fhir+json;q=0.5, application/fhir+xml;q=0.4", .json),
    ("/Task", "text/html, application/xml;q=0.9, */*;q=0.8", .xml),
    ("/Task", "application/*;q=0.2, application/fhir+xml;q=0", .json),
    ("/Task?_format=json", "application/fhir+xml", .json),
    ("/Task?a=b&_format=application/fhir%2Bjson", "text/html", .json),
    ("/Task?_format=application/fhir+json", "*/*", .json),
    ("/Task?_format=ttl", "*/*", nil), ("/Task", "text/html", nil), ("/Task", "*/*;q=0", nil),
  ])
  func `the form of the answer is the one asked for, else that of the body`(
    path: String, accept: String, form: FHIRFormat?
  ) {
    let fields: HTTPFields = [.accept: accept, .contentType: "application/fhir+xml"]
    #expect(FHIRFormat.wanted(fields, path: path) == form)
  }

  @Test(arguments: [
    ("{}", "json.", "JSON under the name of XML"), ("", "format.empty", "nothing"),
    ("<Bundle/>", "fhir.not-a-resource", "no namespace"),
    (
      #"<!DOCTYPE a [<!ENTITY b "canary">]><Bundle xmlns="http://hl7.org/fhir">&b;</Bundle>"#,
      "xml.", "an entity"
    ),
    (
      #"<Task xmlns="http://hl7.org/fhir"><id value="canary"/></Task>"#, "fhir.wrong-resource",
      "another resource"
    ),
  ])
  func `a body that cannot be read as XML is kept, and refused in XML`(
    body: String, code: String, name: String
  ) async throws {
    try await tests.listening { port, _ in
      let answer = try await RawHTTP.send(Self.post(body), port: port)
      #expect(answer.status == 400)
      #expect(answer.body.contains(#"<severity value="error"/>"#))
      #expect(answer.body.contains(code == "json." ? "xml." : code))
      #expect(!answer.body.contains("canary"))
    }
    #expect(tests.intake.taken.map(\.bytes) == [Array(body.utf8)])
  }

  @Test func `what cannot be answered in the form asked for is refused in JSON`() async throws {
    try await tests.listening { port, _ in
      let answer = try await RawHTTP.send(
        RawHTTP.request("GET /metadata", ["Accept": "text/turtle"]), port: port)
      #expect(answer.status == 406)
      #expect(try answer.issue().bars == "REC_NOT_ACCEPTABLE")
    }
  }

  @Test func `the capability statement in XML says what that in JSON says`() async throws {
    try await tests.listening { port, _ in
      let xml = try await RawHTTP.send(
        RawHTTP.request("GET /metadata?_format=xml"), port: port)
      #expect(xml.status == 200)
      #expect(
        try FHIRGlance(Array(xml.body.utf8), isXML: true).resourceType == "CapabilityStatement")
      #expect(
        xml.body.contains(
          #"<format value="application/fhir+json"/><format value="application/fhir+xml"/>"#))
      let json = try await RawHTTP.send(RawHTTP.request("GET /metadata"), port: port)
      #expect(
        try json.json()["format"] as? [String] == ["application/fhir+json", "application/fhir+xml"])
    }
  }

  @Test func `text that means something to XML or JSON is written as text`() throws {
    let text = "<&>\"\\\u{1}\t\u{FFFF}é\u{1F600}\n"
    let element = FHIRElement.resource("Basic", [.init("id", text), .init("none", String?.none)])
    let json =
      try JSONSerialization.jsonObject(with: Data(element.bytes(.json))) as? [String: String]
    #expect(json == ["resourceType": "Basic", "id": text])
    let read = try FHIRGlance(element.bytes(.xml), isXML: true)
    #expect(read.id == "<&>\"\\\u{FFFD}\t\u{FFFD}é\u{1F600}\n")
  }
}
