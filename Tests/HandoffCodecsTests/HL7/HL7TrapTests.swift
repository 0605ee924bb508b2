import HandoffCore
import Testing

@testable import HandoffCodecs

/// What domain.md §0 and §5 warn of, as far as HL7 v2 is concerned, trap by trap.
struct HL7TrapTests {
  private static let header = HL7Fixture.header

  @Test func `four facts are called received, and each is a type of its own`() {
    func ack(_ verdict: String) -> EventType? {
      HL7Fixture.map(
        HL7Fixture.header("ACK", from: "CASE|RNU", to: "PAS|RTH") + "MSA|\(verdict)|M1\r"
      ).fact?.type
    }
    func answer(_ status: String) -> EventType? {
      HL7Fixture.map(
        HL7Fixture.header("RRI^I12", from: "CASE|RNU", to: "PAS|RTH") + "MSA|AA|M1\r"
          + "RF1|\(status)|R|Med||O|R-100^RTH\r"
      ).fact?.type
    }
    #expect(ack("CA") == .transportAccepted)
    #expect(ack("AA") == .received)
    #expect(answer("P") == .received)
    #expect(answer("A") == .accepted)
  }

  @Test func `MSH-10 that repeats over people and types ties nothing together`() throws {
    let one = HL7Fixture.map(
      HL7Fixture.header("REF^I12", id: "MSG1") + HL7Fixture.patient + HL7Fixture.referral)
    let other = HL7Fixture.map(
      HL7Fixture.header("REF^I12", id: "MSG1") + "PID|1||99^^^RTH^MR\r"
        + "RF1|P|R|Med||O|R-200^RTH\r")
    #expect(one.message?.messageID == other.message?.messageID)
    #expect(one.fact?.conversation == nil && other.fact?.conversation == nil)
    #expect(one.fact?.handoff != other.fact?.handoff)
    #expect(one.message?.person != other.message?.person)
  }

  @Test func `MSH-3 and MSH-4 may be empty`() throws {
    let text =
      HL7Fixture.header("REF^I12", from: "|") + HL7Fixture.patient + HL7Fixture.referral
    let outcome = HL7Fixture.map(text)
    #expect(outcome.fact?.from == nil && outcome.fact?.to?.organisation == "RNU")
    #expect(outcome.fact?.handoff?.assigner == "RTH")
    #expect(outcome.message?.reference?.assigner == nil)
    #expect(outcome.fact?.unproven == [] && outcome.message?.unproven == [])
  }

  @Test func `MSH-7 stays the same over a stay while EVN-2 moves`() throws {
    func moved(_ time: String) -> MappedMessage? {
      HL7Fixture.map(
        HL7Fixture.header("ADT^A02", at: "20261123090000+0000")
          + "EVN|A02|\(time)\r" + HL7Fixture.patient
      ).message
    }
    let first = try #require(moved("20261123100000+0000"))
    let second = try #require(moved("20261123140000+0000"))
    #expect(first.recordedAt == second.recordedAt)
    #expect(first.facts[0].occurredAt != second.facts[0].occurredAt)
    #expect(second.facts[0].provenance["occurredAt"] == "EVN-2")
  }

  @Test func `MSH-7 without a zone is London time, and of twelve digits a time too`() {
    let summer = HL7Fixture.map(
      HL7Fixture.header("ADT^A01", at: "202607010900") + HL7Fixture.patient)
    #expect(summer.fact?.occurredAt?.hl7Text == "20260701080000+0000")
    #expect(summer.fact?.provenance["occurredAt"] == "MSH-7")
  }

  @Test func `RF1-6 may carry the id in component 3 with component 1 empty`() {
    let text = HL7Fixture.header("REF^I12") + HL7Fixture.patient + "RF1|P|R|Med||O|^^R-100\r"
    #expect(HL7Fixture.map(text).fact?.handoff?.value == "R-100")
  }

  @Test func `an extended id without component 1 is none, for its component 3 is a scheme`() {
    let visit = "PV1|1|I" + String(repeating: "|", count: 17) + "^5^M11\r"
    #expect(
      HL7Fixture.map(HL7Fixture.header("ADT^A04") + HL7Fixture.patient + visit).reason
        == "adt.no-visit-reference")
  }

  @Test func `a cancellation that still says P in RF1-1 cancels`() {
    let text =
      HL7Fixture.header("REF^I14", id: "MSG00112") + HL7Fixture.patient
      + "RF1|P^Pending^HL70283|R|Med||O|R-100^RTH\r"
    #expect(HL7Fixture.map(text).fact?.type == .cancelled)
  }

  @Test func `a status code of the sender's own is kept as the reason`() {
    let text =
      HL7Fixture.header("REF^I14^REF_I12") + HL7Fixture.patient
      + "RF1|C^Cancelled^Local|R|Med||O|R-100^RTH\r"
    #expect(HL7Fixture.map(text).fact?.reason?.description == "RF1-1:C")
  }

  @Test(arguments: ["I12", "I13", "I15"])
  func `a receiver that writes C as its status does not do the work`(event: String) {
    let text =
      HL7Fixture.header("RRI^\(event)", from: "CASE|RNU", to: "PAS|RTH") + "MSA|AA|M1\r"
      + "RF1|C^Cancelled^Local|R|Med||O|R-100^RTH\r"
    let fact = HL7Fixture.map(text).fact
    #expect(fact?.type == .rejected && fact?.reason?.description == "RF1-1:C")
  }

  @Test func `EVN-1 that names another event than MSH-9 is not believed`() {
    let text = HL7Fixture.header("ADT^A03") + "EVN|A01|20261123\r" + HL7Fixture.patient
    #expect(HL7Fixture.map(text).fact?.type == .discharged)
  }

  @Test(arguments: ["0000255355", "3478526985", "9378954317", "7778521234"])
  func `an NHS number that fails its check digit is refused, or keys the person as untraced`(
    number: String
  ) throws {
    let text =
      HL7Fixture.header("REF^I12") + "PID|1||\(number)^^^NHS^NH\r" + HL7Fixture.referral
    #expect(HL7Fixture.map(text).reason == "identity.nhs-number-check-digit PID-3")
    var context = MappingContext()
    context.checkDigit = .treatAsUntraced
    let person = try #require(HL7Fixture.map(text, context).message?.person)
    #expect(person.nhsNumber == nil && person.nhsNumberStatus == .checkDigitFailed)
    #expect(person.localIDs.map(\.type) == ["NH-unverified"])
  }

  @Test func `a merge names both people and cancels nothing`() throws {
    let text =
      HL7Fixture.header("ADT^A40") + HL7Fixture.patient + "MRG|0815^^^RTH^MR\r"
    let fact = try #require(HL7Fixture.map(text).fact)
    #expect(fact.type == .patientMerged && fact.priorPerson != nil)
  }

  @Test func `a transfer that is called off before it says it was made keeps its own time`() {
    let text =
      HL7Fixture.header("ADT^A12") + "EVN|A12|20261122080000+0000\r" + HL7Fixture.patient
    #expect(HL7Fixture.map(text).fact?.occurredAt?.hl7Text == "20261122080000+0000")
  }
}
