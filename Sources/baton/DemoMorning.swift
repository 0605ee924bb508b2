import Foundation
import HandoffCore

/// One thing that somebody sends in the demo's morning.
struct DemoStep: Sendable {
  /// How it travels.
  enum Rail: Sendable {
    case mllp
    /// A file of this name in the drop folder.
    case file(String)
  }

  /// Seconds since the morning began.
  let second: Double
  /// Who does what, as the demo tells it.
  let story: String
  let rail: Rail
  let bytes: [UInt8]
}

/// A morning of handoffs between a GP, a hospital, a mental health trust, a council and a voluntary
/// body: some are lost, some come twice, most go well.
///
/// Everything in it is invented. NHS numbers are from the range set aside for tests (999…).
struct DemoMorning: Sendable {
  /// In the order in which they are sent.
  let steps: [DemoStep]
  /// Seconds after which everything that the morning is about has been said, with time for the
  /// last deadline of the demo's policy and for the sources to say that nothing is on its way.
  static let length: Double = 24

  /// - Parameters:
  ///   - start: when the morning begins; the messages carry times from here on.
  ///   - run: told apart from other runs by this, so that a second demo repeats no id.
  init(start: Date, run: String) {
    let pen = DemoPen(start: start, run: run)
    steps = (Self.referrals(pen) + Self.discharges(pen) + Self.troubles(pen))
      .sorted { $0.second < $1.second }
  }

  /// Persons A, B and D: the GP refers by HL7 v2, hospital and mental health trust answer.
  private static func referrals(_ pen: DemoPen) -> [DemoStep] {
    let first = pen.referral("A", at: 0, to: .hospital, code: "306185001", priority: "R")
    return [
      DemoStep(
        second: 0, story: "Marsh Lane Surgery refers person A to County Hospital",
        rail: .mllp, bytes: first),
      DemoStep(
        second: 0.2, story: "Marsh Lane Surgery refers person B; nobody will look at it",
        rail: .mllp,
        bytes: pen.referral("B", at: 0.2, to: .hospital, code: "306185001", priority: "A")),
      DemoStep(
        second: 0.6, story: "the GP system hears nothing in time and sends person A again",
        rail: .mllp, bytes: first),
      DemoStep(
        second: 1.2, story: "County Hospital accepts person A", rail: .mllp,
        bytes: pen.answer("A", at: 1.2, by: .hospital, status: "A")),
      DemoStep(
        second: 2, story: "Marsh Lane Surgery refers person D to Vale Mental Health",
        rail: .mllp,
        bytes: pen.referral("D", at: 2, to: .mentalHealth, code: "306206005", priority: "R")),
      DemoStep(
        second: 3, story: "Vale Mental Health turns person D away; nobody takes it further",
        rail: .mllp,
        bytes: pen.answer("D", at: 3, by: .mentalHealth, status: "R", reason: "OTH")),
      DemoStep(
        second: 13, story: "County Hospital finds person B after all and accepts, late",
        rail: .mllp, bytes: pen.answer("B", at: 13, by: .hospital, status: "A")),
    ]
  }

  /// Persons C and E: the hospital asks council and voluntary body by NDJSON in a drop folder.
  private static func discharges(_ pen: DemoPen) -> [DemoStep] {
    func line(
      _ person: String, _ second: Double, _ type: String, _ story: String,
      to receiver: DemoOrganisation, kind: String, _ more: [String: String] = [:]
    ) -> DemoStep {
      DemoStep(
        second: second, story: story,
        rail: .file("\(pen.id(person))-\(type).ndjson"),
        bytes: pen.submission(
          person, at: second, type: type, from: .hospital, to: receiver, kind: kind, more: more))
    }
    return [
      line(
        "C", 1.5, "HandoffRequested", "County Hospital asks the council to take person C home",
        to: .council, kind: "hospital-council"),
      line(
        "C", 2.2, "Received", "the council's system has person C; nobody picks it up",
        to: .council, kind: "hospital-council"),
      line(
        "E", 2.5, "HandoffRequested", "County Hospital asks Good Neighbours to visit person E",
        to: .voluntary, kind: "social-prescribing"),
      line(
        "E", 3.5, "Accepted", "Good Neighbours accepts person E",
        to: .voluntary, kind: "social-prescribing"),
      line(
        "E", 4.5, "Started", "Good Neighbours visits person E", to: .voluntary,
        kind: "social-prescribing"),
      line(
        "E", 5.5, "Completed", "Good Neighbours is done with person E", to: .voluntary,
        kind: "social-prescribing", ["outcome": "needs-met"]),
      line(
        "E", 6, "FeedbackSent", "Good Neighbours tells the hospital how it went",
        to: .voluntary, kind: "social-prescribing"),
      line(
        "E", 6.5, "FeedbackAcknowledged", "the hospital has the feedback: a closed loop",
        to: .voluntary, kind: "social-prescribing", ["speaker": "sender"]),
      line(
        "G", 4, "HandoffRequested", "County Hospital asks the council about person G",
        to: .council, kind: "hospital-council"),
      line(
        "G", 5, "Completed", "the council says person G is done, and never said it had begun",
        to: .council, kind: "hospital-council", ["outcome": "done"]),
    ]
  }

  /// What goes wrong in the wires: an id used twice, a time-out, a broken message, a mere update.
  private static func troubles(_ pen: DemoPen) -> [DemoStep] {
    [
      DemoStep(
        second: 4.2,
        story: "the GP system uses a message id again, for another referral of person A",
        rail: .mllp,
        bytes: pen.referral(
          "A", at: 4.2, to: .hospital, code: "306206005", priority: "R", handoff: "F")),
      DemoStep(
        second: 1, story: "the gateway reports 408 for person B: that says nothing either way",
        rail: .file("\(pen.id("B"))-408.ndjson"),
        bytes: pen.submission(
          "B", at: 1, type: "TransportFailed", from: .surgery, to: .hospital,
          kind: "gp-hospital", more: ["reason": "408", "speaker": "platform"])),
      DemoStep(
        second: 5.2, story: "an interface engine sends a referral without a patient",
        rail: .mllp, bytes: pen.brokenReferral(at: 5.2)),
      DemoStep(
        second: 5.6, story: "the hospital updates an address: nothing is handed over",
        rail: .mllp, bytes: pen.update("A", at: 5.6)),
    ]
  }
}

/// The organisations of the demo; none of them exists.
enum DemoOrganisation: String, CaseIterable, Sendable {
  case surgery = "Z99101"
  case hospital = "ZH101"
  case mentalHealth = "ZM201"
  case council = "ZC301"
  /// Named by its service in an Open Referral directory: it has no ODS code.
  case voluntary = "7e2b0c4a-5c0e-4a57-9a3c-0d6f2f1b9e11"

  var isInRegister: Bool { self != .voluntary }

  var system: String {
    switch self {
    case .surgery: "SURGERY"
    case .hospital: "PAS"
    case .mentalHealth: "CAREPATH"
    case .council: "CASELOAD"
    case .voluntary: "DIARY"
    }
  }
}
