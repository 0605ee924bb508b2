import HandoffCore

/// The transitions of a handoff, transcribed from domain.md §2.3 with its notes and §8 for the oracle
/// alone: the reducer has a table of its own.
///
/// A row for each state, a column for each event in the order of the page; then Interim,
/// CouldNotComplete (note 10) and Disposition (§8), which are no columns there.
enum OracleTable {
  /// What an event does in a state.
  enum Move: Hashable {
    /// Recorded, counted, or late evidence: nothing changes.
    case nothing
    case go(HandoffState)
    /// Nothing changes, and the receiver must be heard again (note 4, A24).
    case mustBeSeen
    /// Back to the state before the question.
    case answered
    /// Illegal: kept until something makes it legal, A14 after W_reorder.
    case illegal
    /// Two ends, or activity after one.
    case conflict
    /// An amendment that comes too late to be seen.
    case tooLate
    /// The receiver withdraws after it accepted (note 5).
    case withdraw
    /// The transport fails after it delivered.
    case undelivered
    /// Evidence that refutes a failure or an expiry (§8, Transport).
    case refute(HandoffState)
  }

  private static let columns: [EventType] = [
    .handoffAmended, .transportAccepted, .delivered, .transportFailed, .received,
    .recipientRefusedPatient, .accepted, .rejected, .infoRequested, .redirected, .booked,
    .notAttended, .started, .completed, .feedbackSent, .feedbackAcknowledged, .cancelled, .voided,
    .expired, .interim, .couldNotComplete, .disposition,
  ]

  // = nothing · a must be seen · b answered · x illegal · c conflict · l too late · w withdraw
  // u undelivered · r refute · letters of a state in capitals.
  private static let rows: [HandoffState: String] = [
    .requested: "= IT DE FA RE FA AC RJ OH RD BO x ST x x x CA VO EX x x x",
    .inTransit: "= = DE FA RE FA AC RJ OH RD BO x ST x x x CA VO EX x x x",
    .delivered: "a = = u RE FA AC RJ OH RD BO x ST x x x CA VO EX x x x",
    .received: "a = = x = x AC RJ OH RD BO x ST x x x CA VO EX x x x",
    .onHold: "b = = x = x AC RJ = RD BO x ST x x x CA VO EX x x x",
    .accepted: "a = = x = x = w OH RD BO x ST CO = x CA VO EX = FA x",
    .booked: "a = = x = x = w OH RD = AC ST CO = x CA VO EX = FA x",
    .started: "l = = x = x = c = RD = x = CO = x c VO x = FA x",
    .completed: "l = = x = x = c x x x x = = = CL c VO x = = x",
    .closed: "l = = x = x = c x x x x = = = = c VO x = = =",
    .rejected: "l = = = = = c = x RD c c c c = = = VO = = c =",
    .redirected: "l = = = = = c c x RD c c c c = = = VO = = c =",
    .cancelled: "l = = = = = c = x RD c c c c = = = VO = = c =",
    .voided: "l = = = = = c c x RD c c c c = = = = = = c =",
    .failed: "l = = = r = r c x RD r c r c = = = VO = = c =",
    .expired: "l = = = r = r c x RD r c r c = = = VO = = c =",
  ]

  private static let states: [String: HandoffState] = [
    "IT": .inTransit, "DE": .delivered, "FA": .failed, "RE": .received, "AC": .accepted,
    "RJ": .rejected, "OH": .onHold, "RD": .redirected, "BO": .booked, "ST": .started,
    "CO": .completed, "CL": .closed, "CA": .cancelled, "VO": .voided, "EX": .expired,
  ]

  /// What `type` does in `state`; a request that is no repeat is an amendment (§8, Ends).
  static func move(_ state: HandoffState, _ type: EventType) -> Move {
    let name = type == .handoffRequested ? .handoffAmended : type
    guard let column = columns.firstIndex(of: name), let row = rows[state] else { return .nothing }
    let word = String(row.split(separator: " ")[column])
    switch word {
    case "=": return .nothing
    case "a": return .mustBeSeen
    case "b": return .answered
    case "x": return .illegal
    case "c": return .conflict
    case "l": return .tooLate
    case "w": return .withdraw
    case "u": return .undelivered
    case "r":
      let refuted: [EventType: HandoffState] = [
        .received: .received, .accepted: .accepted, .booked: .booked, .started: .started,
      ]
      return refuted[type].map { .refute($0) } ?? .nothing
    default: return states[word].map { .go($0) } ?? .nothing
    }
  }

  /// Who may say what (§2.3, "Who may set", and §8).
  static func may(_ role: SpeakerRole, say type: EventType) -> Bool {
    let sender: Set<EventType> = [
      .handoffRequested, .handoffAmended, .cancelled, .voided, .disposition, .redirected,
      .feedbackAcknowledged,
    ]
    let receiver: Set<EventType> = [
      .received, .recipientRefusedPatient, .accepted, .rejected, .infoRequested, .redirected,
      .booked, .notAttended, .started, .interim, .completed, .couldNotComplete, .feedbackSent,
      .delivered, .transportFailed, .expired,
    ]
    let platform: Set<EventType> = [
      .transportAccepted, .delivered, .transportFailed, .expired, .feedbackAcknowledged,
    ]
    switch role {
    case .sender: return sender.contains(type)
    case .receiver: return receiver.contains(type)
    case .platform: return platform.contains(type)
    }
  }

  /// Whether an event proves that the receiver has the request (A07): its own word, or the
  /// transport's that it was delivered; neither a failure nor an expiry, and no redirection.
  static func isHeard(_ type: EventType) -> Bool {
    let words: Set<EventType> = [
      .delivered, .received, .recipientRefusedPatient, .accepted, .rejected, .infoRequested,
      .booked, .notAttended, .started, .interim, .completed, .couldNotComplete, .feedbackSent,
    ]
    return words.contains(type)
  }

  /// Whether an event answers by itself the silence that an alert is about: it leads out of where the
  /// rule waits, or is what the rule waits for; `nil` where no step of the handoff does.
  static func answers(_ type: EventType, _ key: Claim.Key) -> Bool? {
    func leadsOut(of waiting: HandoffState...) -> Bool {
      // Failed transport is no answer to anything.
      type != .transportFailed
        && waiting.contains { state in
          switch move(state, type) {
          case .go(let next): !waiting.contains(next)
          case .withdraw, .answered: true
          default: false
          }
        }
    }
    switch (key.rule, key.cause) {
    case (.a07, _):
      return type == .delivered || type == .received || leadsOut(of: .requested, .inTransit)
    case (.a08, ""): return leadsOut(of: .inTransit, .delivered, .received)
    case (.a08, "hold"): return type == .handoffRequested || leadsOut(of: .onHold)
    case (.a09, _):
      // A question to the sender stops no clock of the start.
      return type == .booked || type == .notAttended
        || type != .infoRequested && leadsOut(of: .accepted, .booked)
    case (.a10, ""): return leadsOut(of: .started)
    case (.a10, "outcome"):
      return leadsOut(
        of: .requested, .inTransit, .delivered, .received, .onHold, .accepted, .booked, .started)
    case (.a10, "feedback"): return leadsOut(of: .completed)
    case (.a24, ""):
      let ends: Set<EventType> = [.redirected, .cancelled, .voided, .expired]
      return ends.contains(type) || isHeard(type) && type != .delivered
    default: return nil
    }
  }

  /// 408 and 425 say nothing of what happened (note 2; §8, Transport).
  static func isUnknown(_ reason: Code?) -> Bool {
    let code = reason?.description ?? ""
    return code == "timeout" || code.hasSuffix("408") || code.hasSuffix("425")
  }

  /// Of what happened at one moment: as a handoff runs.
  static func rank(_ type: EventType) -> Int {
    type == .handoffRequested ? -1 : columns.firstIndex(of: type) ?? columns.count
  }

  /// Whether an event is a step of a handoff, and not of the person's stay.
  static func isStep(_ type: EventType) -> Bool {
    type == .handoffRequested || columns.contains(type)
  }
}
