import HandoffCore
import Testing

@testable import HandoffCodecs

struct HL7OrderTests {
  private func map(_ type: String, _ rest: String) -> MappingOutcome {
    HL7Fixture.map(
      HL7Fixture.header(type, from: "SCH|RNU", to: "PAS|RTH") + HL7Fixture.patient + rest)
  }

  private static let appointment =
    "SCH|A-1" + String(repeating: "|", count: 25) + "R-100^RTH\rTQ1|1||||||20261201093000+0000\r"

  @Test func `a booking for an order that it names is Booked with its start`() {
    let fact = map("SIU^S12", Self.appointment).fact
    #expect(fact?.type == .booked && fact?.speaker == .receiver)
    #expect(fact?.handoff?.value == "R-100" && fact?.handoff?.assigner == "RTH")
    #expect(fact?.bookedFor?.hl7Text == "20261201093000+0000")
    #expect(map("SIU^S26", Self.appointment).fact?.type == .notAttended)
  }

  @Test func `a booking given up is a booking without a time any more`() {
    let fact = map("SIU^S15", Self.appointment).fact
    #expect(fact?.type == .booked && fact?.reason?.description == "booking-cancelled")
    #expect(fact?.bookedFor == nil && fact?.handoff?.value == "R-100")
  }

  @Test func `a booking that names its appointment alone can be joined by it`() {
    let fact = map("SIU^S26", "SCH|A-1|A-2\r").fact
    #expect(fact?.type == .notAttended && fact?.handoff == nil)
    #expect(fact?.references.map(\.value) == ["A-1", "A-2"])
    #expect(map("SIU^S12", "SCH|\r").reason == "siu.no-handoff-reference")
  }

  @Test func `a group's appointment is one for each of its patients`() {
    let message = map("SIU^S12", "PID|2||2^^^RTH^MR\rSCH|A-1\r").message
    #expect(message?.facts.map { $0.person?.localIDs.last?.value } == ["4711", "2"])
  }

  @Test func `a status that the order's own placer sends is no answer of the receiver`() {
    let own = map("OSU^O51", "ORC|SC|O-1^RNU|||SC\r")
    #expect(own.reason == "order.confirmed-by-placer")
    #expect(map("OSU^O51", "ORC|SC|O-1^RNU|||CA\r").fact?.type == .cancelled)
    let declined = map("OSU^O51", "ORC|SC|O-1^RTH|||CA|||||||||||CAP\r").fact
    #expect(declined?.type == .rejected && declined?.reason?.description == "CAP")
  }

  @Test func `an order with an urgency has it from TQ1-9, or where older versions put it`() {
    let timed = map("OMG^O19", "ORC|NW|O-1\rTQ1|||||||||S\rOBR|1\r").fact
    #expect(timed?.priority?.description == "very-urgent")
    #expect(timed?.provenance["priority"] == "TQ1-9")
    let older = map("ORM^O01", "ORC|NW|O-1|||||^^^^^A\rOBR|1\r").fact
    #expect(older?.provenance["priority"] == "ORC-7")
  }

  @Test func `results of several orders are facts of each, final only where all of one's are`() {
    let text =
      "OBR|1|O-1|||||||||||||||||||||||F\rOBR|2|O-2|||||||||||||||||||||||P\r"
      + "ORC|RE|O-3\rOBR|3|O-3|||||||||||||||||||||||F\rOBR|4|O-3|||||||||||||||||||||||P\r"
    let facts = map("ORU^R01", text).message?.facts ?? []
    #expect(
      facts.map { "\($0.type.rawValue) \($0.handoff?.value ?? "")" } == [
        "Completed O-1", "FeedbackSent O-1", "Interim O-2", "Interim O-3",
      ])
  }

  @Test func `an AA to feedback is the referrer's, and an AA to a booking says nothing`() {
    func ack(_ event: String) -> MappingOutcome {
      HL7Fixture.map(
        HL7Fixture.header("ACK^\(event)", from: "GP|A12345", to: "PAS|RTH") + "MSA|AA|M1\r")
    }
    let fact = ack("T02").fact
    #expect(fact?.type == .feedbackAcknowledged && fact?.speaker == .sender)
    #expect(fact?.from?.organisation == "A12345" && fact?.to?.organisation == "RTH")
    #expect(ack("S12").reason == "hl7.booking-acknowledged")
    #expect(ack("I12").fact?.type == .received)
  }

  @Test(arguments: [
    ("NW", EventType.handoffRequested), ("XO", .handoffAmended), ("CA", .cancelled),
  ])
  func `an order is a handoff, and ORC-1 says what becomes of it`(
    control: String, expected: EventType
  ) {
    let fact = map("OMG^O19", "ORC|\(control)|O-1\rOBR|1|||57698-3^Lipid panel^LN\r").fact
    #expect(fact?.type == expected && fact?.needCode?.description == "57698-3")
  }

  @Test func `several orders of one message are several facts`() {
    let message = map("OMG^O19", "ORC|NW|O-1\rOBR|1\rORC|SC|O-2\rORC|CA|O-3\r").message
    #expect(message?.facts.map(\.handoff?.value) == ["O-1", "O-3"])
  }

  @Test func `a result on an order is interim, and on no order no fact`() {
    #expect(map("ORU^R01", "ORC|RE|O-1\r").fact?.type == .interim)
    #expect(map("ORU^R01", "OBR|1|O-1\r").fact?.handoff?.system == code("OBR-2"))
    #expect(map("ORU^R01", "OBR|1\r").reason == "result.no-order-reference")
    #expect(map("MDM^T02", "ORC|RE|O-1\r").fact?.type == .interim)
    #expect(map("MDM^T01", "ORC|RE|O-1\r").reason == "mdm.no-document")
  }

  @Test func `messages and events that nobody takes here are refused by name`() {
    #expect(map("DFT^P03", "").reason == "hl7.unsupported-message MSH-9")
    #expect(map("ORU^R30", "").reason == "hl7.unsupported-event MSH-9")
    #expect(map("REF^I99", "").reason == "hl7.unsupported-event MSH-9")
    #expect(HL7Fixture.map("MSH|^~\\&|A|B\r").reason == "hl7.field-missing MSH-9")
  }

  @Test(arguments: ["2.1", "2.2", "2.3", "2.3.1", "2.4", "2.5.1", "2.8", "2.8.2", "2.9"])
  func `versions 2.1 to 2.9 are read`(version: String) {
    let text = HL7Fixture.header("ADT^A01", version: version) + HL7Fixture.patient
    #expect(HL7Fixture.map(text).fact?.type == .bedAssigned)
  }

  @Test(arguments: ["1.0", "2", "2.0", "2.10", "3.0", "x"])
  func `other versions are refused by name`(version: String) {
    let text = HL7Fixture.header("ADT^A01", version: version) + HL7Fixture.patient
    #expect(HL7Fixture.map(text).reason == "hl7.version-unsupported MSH-12")
  }
}
