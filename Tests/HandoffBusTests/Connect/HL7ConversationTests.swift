import Foundation
import HandoffCodecs
import HandoffConnectors
import HandoffCore
import TestSupport
import Testing

@testable import HandoffBus

/// Conversations of HL7 v2 messages from the wire to the events, without a broker.
struct HL7ConversationTests {
  private static let patient = "PID|1||4711^^^RTH^MR\r"

  private static func message(
    _ type: String, _ id: String, by receiver: Bool = false, _ rest: String
  ) -> String {
    let ends = receiver ? "CASE|RNU|PAS|RTH" : "PAS|RTH|CASE|RNU"
    return "MSH|^~\\&|\(ends)|20261123090000+0000||\(type)|\(id)|P|2.5\r" + rest
  }

  private func events(
    _ texts: [String], kinds: [String: String] = [:]
  ) throws -> [ConnectorCheck.Event] {
    var source = ConnectorConfiguration(
      name: try #require(Code("pas")), source: .mllp(.init()))
    source.mapping.namesAreODSCodes = true
    for (code, kind) in kinds { source.mapping.kinds[code] = HandoffKind(kind) }
    var check = ConnectorCheck(source, now: Timestamp(milliseconds: 1_764_000_000_000))
    return texts.flatMap { check.check(Array($0.utf8)) }.flatMap(\.events)
  }

  @Test func `a no-show that names its appointment alone is of the handoff that was booked`()
    throws
  {
    let events = try events([
      Self.message("REF^I12", "M1", Self.patient + "RF1|P|R|Med||O|R-100^RTH\r"),
      Self.message(
        "SIU^S12", "M2", by: true,
        "SCH|A-1|B-2" + String(repeating: "|", count: 24)
          + "R-100^RTH\rTQ1|1||||||20261201093000+0000\r" + Self.patient),
      Self.message("SIU^S15", "M3", by: true, "SCH|A-1|B-2\r" + Self.patient),
      Self.message("SIU^S26", "M4", by: true, "SCH|A-1|B-2\r" + Self.patient),
    ])
    #expect(events.map(\.type) == ["HandoffRequested", "Booked", "Booked", "NotAttended"])
    #expect(Set(events.map(\.handoff)).count == 1 && events[0].handoff != nil)
    #expect(events[1].bookedFor == "2026-12-01T09:30:00Z" && events[2].bookedFor == nil)
    #expect(events.allSatisfy { $0.from == events[0].from && $0.to == events[0].to })
  }

  @Test func `a referral of IHE 360X goes from request to outcome under its order number`() throws {
    let events = try events([
      Self.message("OMG^O19", "M1", Self.patient + "ORC|NW|O-1^RTH\rOBR|1|O-1^RTH||Cardio\r"),
      Self.message("OSU^O51", "M2", by: true, "ORC|SC|O-1^RTH|F-1||IP\r"),
      Self.message("OMG^O19", "M3", by: true, Self.patient + "ORC|SC|O-1^RTH|F-1||A\r"),
      Self.message("OMG^O19", "M4", by: true, Self.patient + "ORC|SC|O-1^RTH|F-1||CM\r"),
    ])
    #expect(
      events.map(\.type) == [
        "HandoffRequested", "Accepted", "Interim", "Completed", "FeedbackSent",
      ])
    #expect(Set(events.map(\.handoff)).count == 1 && events[0].handoff != nil)
    #expect(events.map(\.speaker) == ["sender"] + Array(repeating: "receiver", count: 4))
  }

  @Test func `a decline of 360X says why, and a withdrawal is the initiator's`() throws {
    let request = Self.message(
      "OMG^O19", "M1", Self.patient + "ORC|NW|O-1^RTH\rOBR|1|O-1^RTH||Cardio\r")
    let declined = try events([
      request,
      Self.message("OSU^O51", "M2", by: true, "ORC|SC|O-1^RTH|||CA|||||||||||CAP\r"),
    ])
    #expect(declined.map(\.type) == ["HandoffRequested", "Rejected"])
    #expect(declined[1].reason == "CAP")
    let withdrawn = try events([
      request, Self.message("OSU^O51", "M2", "ORC|DC|O-1^RTH|||CA\r"),
    ])
    #expect(withdrawn.map(\.type) == ["HandoffRequested", "Cancelled"])
  }

  @Test func `a bed that the connector's kinds make a request is started by the admission`() throws
  {
    let visit = "PV1|1|I" + String(repeating: "|", count: 17) + "V-1^^^RTH\r"
    let texts = [
      Self.message("ADT^A05", "M1", Self.patient + visit),
      Self.message("ADT^A01", "M2", by: true, Self.patient + visit),
    ]
    let asked = try events(texts, kinds: ["A05": "community-bed"])
    #expect(asked.map(\.type) == ["HandoffRequested", "BedAssigned", "Started"])
    #expect(asked[2].handoff == asked[0].handoff && asked[0].kind == "community-bed")
    #expect(try events(texts).map(\.type) == ["BedAssigned"])
  }

  @Test func `a referral is started and completed by the stay that names it`() throws {
    let referral = "RF1|P|R|Med||O|R-100^GP\r"
    let events = try events([
      Self.message("REF^I12", "M1", Self.patient + referral),
      Self.message("ADT^A01", "M2", by: true, Self.patient + referral),
      Self.message("ADT^A03", "M3", by: true, Self.patient + referral),
    ])
    let ofReferral = events.filter { $0.handoff != nil }
    #expect(ofReferral.map(\.type) == ["HandoffRequested", "Started", "Completed"])
    #expect(Set(ofReferral.map(\.handoff)).count == 1)
  }

  @Test func `feedback is acknowledged by the referrer's AA`() throws {
    let events = try events([
      Self.message("OMG^O19", "M1", Self.patient + "ORC|NW|O-1^RTH\rOBR|1|O-1^RTH||Cardio\r"),
      Self.message(
        "MDM^T02", "M2", by: true,
        Self.patient + "ORC|RE|O-1^RTH\rTXA|1|DS" + String(repeating: "|", count: 15) + "AU\r"),
      Self.message("ACK^T02", "M3", "MSA|AA|M2\r"),
    ])
    #expect(events.map(\.type) == ["HandoffRequested", "FeedbackSent", "FeedbackAcknowledged"])
    #expect(events[2].handoff == events[0].handoff && events[2].speaker == "sender")
  }

  @Test(.enabled(if: PackageRoot.hasSamples, "../shared/samples is not here"))
  func `the cancellation of the samples is of the referral that they request`() throws {
    func text(_ name: String) throws -> String {
      let file = PackageRoot.samples.appending(path: "hl7v2-microsoft/\(name).hl7")
      return try String(contentsOf: file, encoding: .utf8)
    }
    let events = try events([try text("REF-I12-01"), try text("REF-I14-01")])
    #expect(events.map(\.type) == ["HandoffRequested", "Cancelled"])
    #expect(events[0].handoff == events[1].handoff)
  }
}
