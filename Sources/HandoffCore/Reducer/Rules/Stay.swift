/// What was said of a person's stay, or of their death: about 150 bytes, kept for 30 days, of a
/// death for a year; the readiness and the discharge that stand for as long as an alert rests on
/// them.
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
  /// Whether it takes back a death that was reported in error.
  public var isRetraction: Bool
  /// The ordinal of the activation that was in force when it was said: a stay keeps its windows, as a
  /// handoff keeps its clocks, when a profile is switched while somebody waits.
  ///
  /// `nil` in what was stored before version 3 of the rules: such a stay is judged as it was then, by
  /// what is in force.
  public var policy: UInt16?

  public init(
    type: EventType, witness: Witness, saidBy: OrganisationID?, pathway: UInt8? = nil,
    readyAt: Timestamp? = nil, isRetraction: Bool = false, policy: UInt16? = nil
  ) {
    self.policy = policy
    self.isRetraction = isRetraction
    self.type = type
    self.witness = witness
    self.saidBy = saidBy
    self.pathway = pathway
    self.readyAt = readyAt
  }

  /// What is remembered of a stay.
  public static let types: Set<EventType> = [
    .readyForDischarge, .dischargeReadinessWithdrawn, .discharged, .dischargeCancelled,
    .patientDied, .recipientRefusedPatient,
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
    witness.arrivedAt.advanced(by: isDeath ? windows.death : windows.ended)
  }

  /// Whether it speaks of the person's death: the word of a register, or a receiver's 30004.
  var isDeath: Bool { type == .patientDied || type == .recipientRefusedPatient }
}

extension Person {
  /// Remembers what an event says of the stay.
  mutating func hearOfStay(_ event: HandoffEvent, _ witness: Witness, _ inForce: UInt16) {
    guard StayMark.types.contains(event.type) else { return }
    // Of what a receiver refuses only the deceased (30004) is a word about the person.
    if event.type == .recipientRefusedPatient, event.reason?.isDeceased != true { return }
    let mark = StayMark(
      type: event.type, witness: witness, saidBy: event.spokenBy ?? event.from?.organisation,
      pathway: event.dischargePathway, readyAt: event.dischargeReadyAt,
      isRetraction: event.type == .patientDied && event.reason == .retracted, policy: inForce)
    // Of somebody of whom no death was reported there is nothing to take back.
    if mark.isRetraction, !stay.contains(where: \.isDeath) { return }
    let position = stay.firstIndex { StayMark.precedes(mark, $0) } ?? stay.endIndex
    stay.insert(mark, at: position)
    guard stay.count > StayMark.countMax,
      let oldest = stay.firstIndex(where: { !$0.isDeath }) ?? stay.indices.first
    else { return }
    stay.remove(at: oldest)
  }

  /// Forgets what nothing rests on any more, and what was said of it.
  ///
  /// In the order in which it happened: what ended a period goes no sooner than what began it. A death
  /// is remembered for as long as a handoff is, or its clocks would begin to run again; the stay as it
  /// stands for as long as an alert does that rests on it.
  mutating func forgetStay(at now: Timestamp, _ windows: RuleWindows) {
    guard stay.contains(where: { $0.forgetting(windows) <= now }) else { return }
    // What an alert rests on resolves it, however late that is.
    let held = standingStay.map(\.witness.eventID).filter { id in
      alerts.contains { $0.isStanding && $0.beganWith == id }
    }
    var isOldest = true
    stay.removeAll { mark in
      let isOver = mark.forgetting(windows) <= now
      if mark.isDeath { return isOver && handoffs.isEmpty }
      isOldest = isOldest && isOver && !held.contains(mark.witness.eventID)
      return isOldest
    }
    let known = Set(stay.map(\.witness.eventID))
    alerts.removeAll {
      ($0.rule == .a20 || $0.rule == .a21) && !$0.isStanding && !known.contains($0.beganWith)
    }
  }

  /// What was said last of the stay, as far as it stands.
  private var standingStay: [StayMark] {
    [currentReadiness, currentDischarge].compactMap(\.self)
  }

  /// Whether a handoff that is over hands on the stay as it stands: without it the stay would seem to
  /// be handed on to nobody.
  func isHeldByStay(_ handoff: Handoff, _ register: OrganisationRegister?) -> Bool {
    !stay.isEmpty && standingStay.contains { handsOn(handoff, $0.saidBy, register) }
  }

  /// The person's death as it was said last: a date that is corrected counts as corrected.
  ///
  /// A register's word outranks a receiver's 30004, which knows no date and stands for the day on
  /// which it was said; one that was said after a death was taken back counts again.
  var death: StayMark? {
    let ofRegisters = stay.filter { $0.type == .patientDied }.max(by: Self.cameBefore)
    if let ofRegisters, !ofRegisters.isRetraction { return ofRegisters }
    return stay.first { mark in
      guard mark.type == .recipientRefusedPatient else { return false }
      return ofRegisters.map { Self.cameBefore($0, mark) } ?? true
    }
  }

  private static func cameBefore(_ left: StayMark, _ right: StayMark) -> Bool {
    (left.witness.arrivedAt, left.witness.eventID)
      < (right.witness.arrivedAt, right.witness.eventID)
  }

  /// Whether a handoff is one that `hospital` hands a stay on by: not a letter, nor another's.
  ///
  /// A care-transfer hub that is the hospital's registered agent asks for it.
  func handsOn(
    _ handoff: Handoff, _ hospital: OrganisationID?, _ register: OrganisationRegister?
  ) -> Bool {
    guard handoff.current.isRequested, !handoff.current.isDocument else { return false }
    guard let hospital, let sender = handoff.current.from else { return true }
    return handoff.current.speaks(sender, for: hospital, register)
  }
}

extension Moment {
  /// What a stay is judged by.
  func policy(of mark: StayMark) -> Policy { mark.policy.map { policies[Int($0)] } ?? inForce }
}

extension Code {
  /// The reason of a PatientDied that takes an earlier one back: the person lives.
  static let retracted = Code(known: "retracted")

  /// ITK3 30004, whatever stands before it.
  var isDeceased: Bool { description.hasSuffix("30004") }
}
