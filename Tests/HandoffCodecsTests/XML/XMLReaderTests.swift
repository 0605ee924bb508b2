import HandoffCore
import Testing

@testable import HandoffCodecs

struct XMLReaderTests {
  private func parse(_ text: String, _ limits: MappingLimits = .init()) throws -> XMLTree {
    try XMLReader.parse(Array(text.utf8)[...], limits: limits)
  }

  private func refusal(_ text: String, _ limits: MappingLimits = .init()) -> String? {
    do throws(MappingError) {
      _ = try XMLReader.parse(Array(text.utf8)[...], limits: limits)
      return nil
    } catch {
      return error.code.description
    }
  }

  @Test func `elements, attributes, text, sections and comments are read`() throws {
    let root = try parse(
      """
      <?xml version='1.0' encoding="UTF-8"?><!-- a --><?pi?>
      <a:r xmlns:a="urn:a" xmlns="urn:d" x = 'a"&lt;&#65;&#x42;'>
        one<b a:y="2"/><!-- - -->&amp;<![CDATA[<two>]]> </a:r>
      """)
    #expect(root.name == "r" && root.namespace == "urn:a")
    #expect(root.attribute("x") == "a\"<AB" && root.text == "one&<two>")
    #expect(root.children.map(\.name) == ["b"] && root.children[0].namespace == "urn:d")
    #expect(root.children[0].attribute("y") == "2")
  }

  @Test(arguments: [
    #"<!DOCTYPE r [<!ENTITY a "b">]><r>&a;</r>"#,
    #"<!DOCTYPE r SYSTEM "file:///etc/passwd"><r/>"#,
    #"<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY l "lol"><!ENTITY m "&l;&l;">]><r>&m;</r>"#,
  ])
  func `a document type is refused, so nothing can be fetched or blown up`(text: String) {
    #expect(refusal(text) == "xml.doctype")
  }

  @Test(arguments: [
    ("<r>&a;</r>", "xml.entity"), ("<r>&#0;</r>", "xml.entity"), ("<r>&#xD800;</r>", "xml.entity"),
    ("<r>&#x110000;</r>", "xml.entity"), ("<r>&amp</r>", "xml.entity"),
    ("<r>&#;</r>", "xml.entity"),
    ("<r>&#+1;</r>", "xml.entity"), ("<r><!ENTITY a 'b'></r>", "xml.syntax"),
    ("<r", "xml.syntax"), ("<r>", "xml.syntax"), ("<r></s>", "xml.syntax"),
    ("<r/><r/>", "xml.syntax"), ("text", "xml.syntax"), ("<r a=1/>", "xml.syntax"),
    ("<r a='<'/>", "xml.syntax"), ("<r a='1'b='2'/>", "xml.syntax"),
    ("<r a='1' a='2'/>", "xml.duplicate-name"), ("<x:r/>", "xml.namespace"),
    ("<1/>", "xml.syntax"), ("<r><!-- </r>", "xml.syntax"), ("<r><![CDATA[</r>", "xml.syntax"),
    ("<?xml version='1.0' encoding='UTF-16'?><r/>", "xml.encoding"),
  ])
  func `what is not well-formed is refused by its fault`(text: String, expected: String) {
    #expect(refusal(text) == expected)
  }

  @Test func `a namespace ends with its element`() {
    #expect(refusal("<r><a xmlns:p='urn:p'><p:b/></a><p:b/></r>") == "xml.namespace")
  }

  @Test func `depth, count and size are bounded`() {
    var limits = MappingLimits()
    limits.nestingMax = 3
    #expect(refusal("<a><b><c/></b></a>", limits) == nil)
    #expect(refusal("<a><b><c><d/></c></b></a>", limits) == "xml.nesting")
    limits = MappingLimits()
    limits.jsonValuesMax = 3
    #expect(refusal("<a x='1' y='2'/>", limits) == nil)
    #expect(refusal("<a x='1' y='2' z='3'/>", limits) == "xml.too-many-nodes")
    limits = MappingLimits()
    limits.messageBytesMax = 4
    #expect(refusal("<abc/>", limits) == "xml.too-long")
  }

  @Test func `bytes that are no UTF-8 are refused, wherever they stand`() {
    let bytes: [UInt8] = Array("<r a='".utf8) + [0xFF] + Array("'/>".utf8)
    #expect(throws: MappingError.self) { try XMLReader.parse(bytes[...], limits: .init()) }
  }

  @Test func `FHIR in XML is the values of its JSON`() throws {
    let root = try parse(
      """
      <Task xmlns="http://hl7.org/fhir"><id value="1"/>
       <text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml">n</div></text>
       <contained><Patient><id value="p"/></Patient></contained>
       <extension url="u"><valueBoolean value="true"/></extension>
       <status value="requested" id="s"><extension url="v"><valueCode value="w"/></extension></status>
       <note><text value="a"/></note><note><text value="b"/></note></Task>
      """)
    let json = FHIRXML.resource(root)
    let node = FHIRNode(value: json, path: "Task")
    #expect(node["resourceType"]?.text == "Task" && node["status"]?.text == "requested")
    #expect(node["_status"]?["extension"]?["valueCode"]?.text == "w")
    #expect(node["contained"]?["resourceType"]?.text == "Patient")
    #expect(
      node["extension"]?["url"]?.text == "u" && node["extension"]?["valueBoolean"]?.isTrue == true)
    #expect(node.all("note").map { $0["text"]?.text } == ["a", "b"])
    #expect(node["text"]?["div"] == nil)
  }
}
