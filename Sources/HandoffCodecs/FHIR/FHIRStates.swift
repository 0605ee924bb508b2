import HandoffCore

/// One thing that a status says: an event, and in whose part it is said.
struct Said: Hashable, Sendable {
  var type: EventType
  var speaker: SpeakerRole

  static func sender(_ type: EventType) -> Said { Said(type: type, speaker: .sender) }
  static func receiver(_ type: EventType) -> Said { Said(type: type, speaker: .receiver) }
  static func platform(_ type: EventType) -> Said { Said(type: type, speaker: .platform) }
}

/// What a status of a standard means for a handoff.
enum Meaning: Hashable, Sendable {
  case says([Said])
  /// Understood, and nothing a handoff rests on; the code says why.
  case nothing(Code)
}

/// One reviewed row: a status as the standard spells it, and its meaning.
struct StatusRow: Sendable {
  var status: String
  var meaning: Meaning
  /// Why, where the standard's own words leave it open.
  var note: String

  init(_ status: String, _ said: Said..., note: String = "") {
    self.status = status
    meaning = .says(said)
    self.note = note
  }

  init(_ status: String, nothing reason: StaticString, note: String = "") {
    self.status = status
    meaning = .nothing(code(reason))
    self.note = note
  }
}

extension [StatusRow] {
  func meaning(of status: String?) -> Meaning? {
    first { $0.status == status }?.meaning
  }
}

/// The statuses of FHIR resources, reviewed row by row (domain.md §1.1, §2.2).
///
/// The page <doc:FHIRMappings> shows these tables; a test keeps it the same.
enum FHIRStates {
  /// ServiceRequest.status outside a message: the requester's own word.
  static let serviceRequest: [StatusRow] = [
    .init("active", .sender(.handoffRequested)),
    .init("on-hold", .sender(.handoffAmended), note: "the requester's own pause"),
    .init("revoked", .sender(.cancelled)),
    .init("entered-in-error", .sender(.voided)),
    .init("completed", .receiver(.completed), note: "set once the work is done"),
    .init("draft", nothing: "fhir.draft"),
    .init("unknown", nothing: "fhir.status-unknown"),
  ]

  /// Task.status of a Task that asks to fulfil a request (Gravity SDOH; R4 `received`, `ready`).
  static let task: [StatusRow] = [
    .init("requested", .sender(.handoffRequested)),
    .init("received", .receiver(.received)),
    .init("accepted", .receiver(.accepted)),
    .init("ready", .receiver(.accepted), note: "accepted and prepared, not begun"),
    .init("rejected", .receiver(.rejected)),
    .init("in-progress", .receiver(.started), note: "with an output also Interim"),
    .init("on-hold", .receiver(.infoRequested)),
    .init("failed", .receiver(.couldNotComplete)),
    .init("completed", .receiver(.completed), note: "with an output also FeedbackSent"),
    .init("cancelled", .sender(.cancelled), note: "both may set it; R4 does not say who did"),
    .init("entered-in-error", .sender(.voided)),
    .init("draft", nothing: "fhir.draft"),
  ]

  /// Encounter.status of the receiver's Encounter in a BaRS answer.
  static let barsEncounter: [StatusRow] = [
    .init("planned", .receiver(.received)),
    .init("triaged", .receiver(.received)),
    .init("in-progress", .receiver(.accepted), note: "allocated"),
    .init("arrived", .receiver(.started)),
    .init("finished", .receiver(.completed)),
    .init(
      "cancelled", .receiver(.rejected),
      note: "after Started the reducer takes it for CouldNotComplete"),
    .init("onleave", nothing: "bars.no-handoff-meaning"),
    .init("entered-in-error", nothing: "bars.no-handoff-meaning"),
    .init("unknown", nothing: "bars.no-handoff-meaning"),
  ]

  /// Appointment.status; the speaker is the receiver, but the sender in a booking-request.
  static let appointment: [StatusRow] = [
    .init("booked", .receiver(.booked)),
    .init("arrived", .receiver(.started)),
    .init("checked-in", .receiver(.started)),
    .init("fulfilled", .receiver(.started), note: "it took place"),
    .init("noshow", .receiver(.notAttended)),
    .init(
      "cancelled", .receiver(.booked),
      note: "reason booking-cancelled and no bookedFor: the slot is gone, the handoff is not"),
    .init("entered-in-error", .receiver(.booked), note: "as cancelled"),
    .init("proposed", nothing: "fhir.booking-proposed"),
    .init("pending", nothing: "fhir.booking-proposed"),
    .init("waitlist", nothing: "fhir.booking-proposed"),
  ]
}

/// What a BaRS request means by MessageHeader.reason and ServiceRequest.status (domain.md §1.1).
enum BaRSRequests {
  struct Row: Sendable {
    /// `new`, `update`, `delete`; `nil` where any or none.
    var reason: String?
    var status: String?
    var type: EventType
  }

  /// The first row that fits counts.
  static let rows: [Row] = [
    Row(reason: "delete", status: nil, type: .voided),
    Row(reason: nil, status: "entered-in-error", type: .voided),
    Row(reason: nil, status: "revoked", type: .cancelled),
    Row(reason: "update", status: "active", type: .handoffAmended),
    Row(reason: "update", status: "on-hold", type: .handoffAmended),
    Row(reason: "new", status: "active", type: .handoffRequested),
  ]

  static func type(reason: String?, status: String?) -> EventType? {
    // A message that gives no reason is the first one.
    let reason = reason ?? "new"
    return rows.first {
      ($0.reason == nil || $0.reason == reason) && ($0.status == nil || $0.status == status)
    }?.type
  }
}
