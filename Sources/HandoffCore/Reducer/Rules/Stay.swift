/// What was said of a person's stay, or of their death: about 150 bytes, kept for 30 days, of a
/// death for a year.
public struct StayMark: Hashable, Sendable {
  /// One of ``StayMark/types``.
  public var type: EventType
  public var witness: Witness
  /// Who says so.
  public var saidBy: OrganisationID?
  /// Discharge pathway 0 to 3.
  public var pathway: UInt8?
  /// Discharge Ready Date, where one is said.
  public var readyAt: Timestamp?

  public init(
    type: EventType, witness: Witness, saidBy: OrganisationID?, pathway: UInt8? = nil,
    readyAt: Timestamp? = nil
  ) {
    self.type = type
    self.witness = witness
    self.saidBy = saidBy
    self.pathway = pathway
    self.readyAt = readyAt
  }

  /// What is remembered of a stay.
  public static let types: Set<EventType> = [
    .readyForDischarge, .dischargeReadinessWithdrawn, .discharged, .dischargeCancelled,
    .patientDied,
  ]
  /// The most that is remembered of a person: the oldest go first.
  static let countMax = 64

  /// In the order in which it happened.
  static func precedes(_ left: StayMark, _ right: StayMark) -> Bool {
    (left.witness.occurredAt, left.witness.eventID)
      < (right.witness.occurredAt, right.witness.eventID)
  }

  /// When nothing rests on it any more.
  func forgetting(_ windows: RuleWindows) -> Timestamp {
    witness.arrivedAt.advanced(by: type == .patientDied ? windows.death : windows.ended)
  }
}

extension Person {
  /// Remembers what an event says of the stay.
  mutating func hearOfStay(_ event: HandoffEvent, _ witness: Witness) {
    guard StayMark.types.contains(event.type) else { return }
    let mark = StayMark(
      type: event.type, witness: witness, saidBy: event.spokenBy ?? event.from?.organisation,
      pathway: event.dischargePathway, readyAt: event.dischargeReadyAt)
    let position = stay.firstIndex { StayMark.precedes(mark, $0) } ?? stay.endIndex
    stay.insert(mark, at: position)
    guard stay.count > StayMark.countMax,
      let oldest = stay.firstIndex(where: { $0.type != .patientDied })
    else { return }
    stay.remove(at: oldest)
  }

  /// Forgets what nothing rests on any more, and what was said of it.
  ///
  /// In the order in which it happened: what ended a period goes no sooner than what began it. A death
  /// is remembered for as long as a handoff is, or its clocks would begin to run again.
  mutating func forgetStay(at now: Timestamp, _ windows: RuleWindows) {
    guard !stay.isEmpty else { return }
    var isOldest = true
    stay.removeAll { mark in
      let isOver = mark.forgetting(windows) <= now
      if mark.type == .patientDied { return isOver && handoffs.isEmpty }
      isOldest = isOldest && isOver
      return isOldest
    }
    let known = Set(stay.map(\.witness.eventID))
    alerts.removeAll {
      ($0.rule == .a20 || $0.rule == .a21) && !known.contains($0.beganWith)
    }
  }

  /// The person's death as it was said last: a date that is corrected counts as corrected.
  var death: StayMark? {
    stay.filter { $0.type == .patientDied }
      .max {
        ($0.witness.arrivedAt, $0.witness.eventID) < ($1.witness.arrivedAt, $1.witness.eventID)
      }
  }

  /// Whether a handoff is one that `hospital` hands a stay on by: not a letter, nor another's.
  func handsOn(_ handoff: Handoff, _ hospital: OrganisationID?) -> Bool {
    handoff.current.isRequested && !handoff.current.isDocument
      && (hospital == nil || handoff.current.from == nil || handoff.current.from == hospital)
  }
}
