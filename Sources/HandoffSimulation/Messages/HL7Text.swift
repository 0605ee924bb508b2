internal import HandoffCodecs
internal import HandoffCore

/// An event as an HL7 v2 message (`HL7-Messages.md` says what is read from each).
struct HL7Text {
  let event: HandoffEvent
  let person: String
  /// Of a merge, who is left.
  let survivor: String?

  /// Its segments, each with its end; `nil` where no message says this.
  var text: String? {
    switch event.type {
    case .handoffRequested: message("REF^I12", [referral("P"), patient()])
    case .handoffAmended: message("REF^I13", [referral("P"), patient()])
    case .cancelled: message("REF^I14", [referral("P"), patient()])
    case .voided: message("REF^I14", [referral("P", reason: "EIE"), patient()])
    case .received: message("RRI^I12", [referral("P"), patient()])
    case .accepted: message("RRI^I12", [referral("A"), patient()])
    case .rejected: message("RRI^I12", [referral("R", reason: "\(reason)"), patient()])
    case .infoRequested: message("RRI^I15", [referral("P"), patient()])
    case .booked:
      message(
        "SIU^S12",
        [
          segment("SCH", [1: event.messageName, 26: handoff]),
          segment("TQ1", [1: "1", 7: event.bookedFor.map(Self.time) ?? ""]), patient(),
        ])
    case .notAttended: message("SIU^S26", [segment("SCH", [26: handoff]), patient()])
    case .started: admission("A04", [segment("PV1", [2: "O"]), referral("A")])
    case .completed:
      message("OSU^O51", [patient(), segment("ORC", [1: "SC", 2: handoff, 5: "CM"])])
    case .feedbackSent:
      message(
        "MDM^T02",
        [
          segment("EVN", [1: "T02", 2: Self.time(event.occurredAt)]), patient(),
          segment("ORC", [1: "RE", 2: handoff]),
          segment("TXA", [1: "1", 2: "DS", 12: event.messageName, 17: "AU"]),
        ])
    case .readyForDischarge: admission("A16", [segment("PV1", [2: "I"])])
    case .dischargeReadinessWithdrawn: admission("A25", [segment("PV1", [2: "I"])])
    case .discharged: admission("A03", [segment("PV1", [2: "I"])])
    case .dischargeCancelled: admission("A13", [segment("PV1", [2: "I"])])
    case .patientDied:
      message(
        "ADT^A31", [evn("A31"), patient([29: Self.time(event.occurredAt), 30: "Y"])])
    case .patientMerged:
      survivor.flatMap { survivor in
        message(
          "ADT^A40",
          [
            evn("A40"), segment("PID", [1: "1", 3: "\(survivor)^^^NHS^NH"]),
            segment("MRG", [1: "\(person)^^^NHS^NH"]),
          ])
      }
    default: nil
    }
  }

  // MARK: Segments

  private func message(_ type: String, _ segments: [String]) -> String {
    let (from, to) = event.ends
    let header =
      "MSH|^~\\&|BATON|\(from)|BATON|\(to)|\(Self.time(event.recordedAt ?? event.occurredAt))||"
      + "\(type)|\(event.messageName)|T|2.4\r"
    return header + segments.joined()
  }

  private func admission(_ trigger: String, _ segments: [String]) -> String {
    message("ADT^\(trigger)", [evn(trigger), patient()] + segments)
  }

  private func evn(_ trigger: String) -> String {
    segment("EVN", [1: trigger, 2: Self.time(event.occurredAt)])
  }

  private func patient(_ more: [Int: String] = [:]) -> String {
    segment("PID", [1: "1", 3: "\(person)^^^NHS^NH"].merging(more) { $1 })
  }

  private func referral(_ status: String, reason: String = "") -> String {
    segment(
      "RF1",
      [
        1: status, 2: event.priority?.isUrgent == true ? "S" : "R",
        3: event.needCode?.description ?? "", 6: handoff, 10: reason,
      ])
  }

  private var handoff: String { "\(event.handoffID?.description ?? "")^\(event.assigner)" }
  private var reason: String { event.reason?.description ?? "" }

  /// Fields by number; none of what is written needs an escape.
  private func segment(_ name: String, _ fields: [Int: String]) -> String {
    let last = fields.filter { !$0.value.isEmpty }.keys.max() ?? 0
    let values = (0..<last).map { fields[$0 + 1] ?? "" }
    return ([name] + values).joined(separator: "|") + "\r"
  }

  /// In UTC, as fine as it is known.
  static func time(_ moment: Timestamp) -> String {
    RFC3339.text(moment).filter { $0.isNumber || $0 == "." } + "+0000"
  }
}
