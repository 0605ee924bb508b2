import HandoffCodecs
import HandoffConnectors
import HandoffCore
import HandoffStores
import TestSupport
import Testing

@testable import HandoffBus

/// Conversations of FHIR and its kin from the wire to the events, without a broker.
struct FHIRConversationTests {
  private let secrets = Secrets.generate()

  private func events(_ texts: [String]) throws -> [HandoffEvent] {
    var source = ConnectorConfiguration(name: try #require(Code("ers")), source: .mllp(.init()))
    source.mapping.namesAreODSCodes = true
    let frames = FrameMapper(source.mapping)
    let mapper = IngestMapper(secrets: secrets, source: source)
    var correlation = CorrelationTable()
    var events: [HandoffEvent] = []
    for (number, text) in texts.enumerated() {
      for mapped in frames.map(Array(text.utf8)) {
        let frame = StoredFrame(
          sequence: Int64(number), receptionID: ReceptionID(rawValue: UInt128(number + 1)),
          source: source.name, rail: source.rail,
          receivedAt: Timestamp(milliseconds: 1_764_000_000_000), bytes: Array(text.utf8))
        let result = mapper.map(frame, as: mapped.outcome, correlation: &correlation)
        _ = correlation.commit()
        if case .events(let ingested) = result { events += ingested.drafts.map(\.event) }
      }
    }
    return events
  }

  private func worklist(_ items: [(ubrn: String, state: String)]) -> String {
    let entries = items.map { item in
      #"{"extension":[{"url":"https://x/Extension-eRS-RejectedTriageResponse-WorkListItem-1","#
        + #""extension":[{"url":"patient","valueReference":{"identifier":{"system":"#
        + #""http://fhir.nhs.net/Id/nhs-number","value":"9990500002"}}},"#
        + #"{"url":"status","valueCodeableConcept":{"coding":[{"code":"\#(item.state)"}]}}]}],"#
        + #""item":{"reference":"ReferralRequest/\#(item.ubrn)"}}"#
    }
    return #"{"resourceType":"List","status":"current","mode":"snapshot","entry":["#
      + entries.joined(separator: ",") + "]}"
  }

  @Test func `a worklist polled again says nothing new, whatever its order`() throws {
    let first = try events([
      worklist([("000000000001", "REJECTED"), ("000000000002", "DID_NOT_ATTEND")])
    ])
    let again = try events([
      worklist([
        ("000000000003", "REJECTED"), ("000000000002", "DID_NOT_ATTEND"),
        ("000000000001", "REJECTED"),
      ])
    ])
    #expect(Set(first.map(\.id)).count == 2)
    #expect(Set(first.map(\.id)).isSubset(of: again.map(\.id)))
    let changed = try events([worklist([("000000000001", "DID_NOT_ATTEND")])])
    #expect(Set(changed.map(\.id)).isDisjoint(with: first.map(\.id)))
  }

  @Test func `a part of a Task belongs to the handoff of the Task above it`() throws {
    func task(_ id: String, _ request: String, _ members: String = "") -> String {
      #"{"resourceType":"Task","id":"\#(id)","status":"requested","intent":"order",\#(members)"#
        + #""focus":{"reference":"ServiceRequest/\#(request)"},"for":{"identifier":{"system":"#
        + #""https://fhir.nhs.uk/Id/nhs-number","value":"9990500002"}}}"#
    }
    let events = try events([
      task("t-0", "sr-0"), task("t-1", "sr-1", #""partOf":[{"reference":"Task/t-0"}],"#),
    ])
    #expect(events.count == 2 && events[0].handoffID != nil)
    #expect(events[1].parentHandoffID == events[0].handoffID)
  }

  @Test func `an ITK3 response finds the document that it answers`() throws {
    let document =
      #"<Bundle xmlns="http://hl7.org/fhir"><id value="b-1"/><type value="message"/><entry>"#
      + #"<resource><MessageHeader><id value="m-1"/><event><code value="ITK007C"/></event>"#
      + #"</MessageHeader></resource></entry><entry><resource><Composition><id value="c-1"/>"#
      + #"</Composition></resource></entry><entry><resource><Patient><identifier><system value="#
      + #""https://fhir.nhs.uk/Id/nhs-number"/><value value="9990500002"/></identifier>"#
      + "</Patient></resource></entry></Bundle>"
    let response =
      #"{"resourceType":"Bundle","id":"b-2","type":"message","entry":[{"resource":{"#
      + #""resourceType":"MessageHeader","id":"m-2","event":{"code":"ITK008M"},"response":"#
      + #"{"identifier":"m-1","code":"ok"}}},{"resource":{"resourceType":"OperationOutcome","#
      + #""issue":[{"details":{"coding":[{"code":"30001"}]}}]}}]}"#
    let events = try events([document, response])
    #expect(events.map(\.type) == [.handoffRequested, .received])
    #expect(events[0].handoffID == events[1].handoffID && events[0].handoffID != nil)
    #expect(events[0].patientKey == events[1].patientKey)
  }
}
