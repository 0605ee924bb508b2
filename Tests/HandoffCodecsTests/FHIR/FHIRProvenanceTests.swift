import HandoffCore
import TestSupport
import Testing

@testable import HandoffCodecs

/// Every value says where it was read, and what nobody read is named as lost.
struct FHIRProvenanceTests {
  private static let documents = [
    BaRSFixture().text, BaRSFixture.answer("cancelled").text, FHIRFixture.task("completed"),
    FHIRFixture.referral("BOOKED"), ITK3Fixture.document(), ITK3Fixture.responseText("30001", "ok"),
  ]

  @Test func `every value of a document's facts says where it was read`() throws {
    for text in Self.documents {
      let message = try #require(FHIRFixture.outcome(text).message)
      check(message, text)
    }
  }

  @Test(.enabled(if: PackageRoot.hasSamples, "../shared/samples is not here"))
  func `every value of a sample's facts says where it was read`() throws {
    var count = 0
    for name in Samples.names where !name.hasPrefix("hl7v2") && !name.hasSuffix(".txt") {
      for frame in FrameMapper().map(try Samples.bytes(name)) {
        guard case .mapped(let message) = frame.outcome else { continue }
        check(message, name)
        count += 1
      }
    }
    #expect(count > 30)
  }

  private func check(_ message: MappedMessage, _ name: String) {
    let own: [(String, Bool)] = [
      ("messageID", message.messageID != nil), ("messageType", true),
      ("sendingSystem", message.sendingSystem != nil),
      ("sendingOrganisation", message.sendingOrganisation != nil),
      ("receivingSystem", message.receivingSystem != nil),
      ("receivingOrganisation", message.receivingOrganisation != nil),
      ("recordedAt", message.recordedAt != nil), ("reference", message.reference != nil),
      ("person", message.person != nil),
    ]
    for (property, isSet) in own where isSet {
      #expect(message.provenance[property] != nil, "\(property) in \(name)")
    }
    for fact in message.facts {
      let all: [(String, Bool)] = [
        ("type", true), ("handoff", fact.handoff != nil), ("references", !fact.references.isEmpty),
        ("conversation", fact.conversation != nil), ("journey", fact.journey != nil),
        ("supersedes", fact.supersedes != nil), ("parentHandoff", fact.parentHandoff != nil),
        ("answers", fact.answers != nil), ("from", fact.from != nil), ("to", fact.to != nil),
        ("kind", fact.kind != nil), ("priority", fact.priority != nil),
        ("needCode", fact.needCode != nil), ("occurredAt", fact.occurredAt != nil),
        ("reason", fact.reason != nil), ("outcome", fact.outcome != nil),
        ("bookedFor", fact.bookedFor != nil), ("isFeedbackOwed", fact.isFeedbackOwed != nil),
        ("person", fact.person != nil),
      ]
      for (property, isSet) in all where isSet {
        #expect(fact.provenance[property] != nil, "\(property) of \(fact.type) in \(name)")
      }
    }
  }

  @Test func `what no value came from is lost by its place, in JSON and in XML`() throws {
    let text = FHIRFixture.task("accepted", #""note":[{"text":"secret"}],"priority":"urgent","#)
    let message = try #require(FHIRFixture.outcome(text).message)
    let lost = DocumentLostContent.paths(Array(text.utf8), after: message)
    #expect(lost.contains("Task.note[0].text") && lost.contains("Task.intent"))
    #expect(!lost.contains("Task.status") && !lost.contains("Task.priority"))
    #expect(!lost.contains { $0.contains("identifier") })
    #expect(!lost.joined().contains("secret"))
    let xml = ITK3Fixture.document()
    let document = try #require(FHIRFixture.outcome(xml).message)
    let lostOfXML = DocumentLostContent.paths(Array(xml.utf8), after: document)
    #expect(!lostOfXML.contains { $0.hasSuffix("identifier.value") })
    #expect(lostOfXML.contains { $0.hasSuffix("focus.reference") })
  }
}
