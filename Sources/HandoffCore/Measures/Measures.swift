/// The measures of a stretch of history: events and verdicts in, in any order of the two.
///
/// A value without clock or I/O. What is said twice counts once: handoffs are known by their id, and
/// of each step the first word counts. A handoff belongs to the week in which it was requested.
public struct Measures: Sendable {
  /// One handoff, as far as measures look at it.
  struct Journey: Sendable {
    var key: PatientKey
    var kind: HandoffKind?
    var priority: Priority?
    var from: OrganisationID?
    var to: OrganisationID?
    var rail: Code
    /// `nil` while only answers are known; then it is not measured.
    var requestedAt: Timestamp?
    var isFeedbackOwed: Bool?
    var receivedAt: Timestamp?
    var acceptedAt: Timestamp?
    var startedAt: Timestamp?
    var completedAt: Timestamp?
    var hasOutcome = false
    var isFeedbackSent = false
    var isWithdrawn = false
  }

  /// One stay that ended.
  struct Stay: Sendable {
    var key: PatientKey
    var organisation: OrganisationID?
    var rail: Code
    var readyAt: Timestamp?
    var dischargedAt: Timestamp
    var pathway: UInt8?
  }

  /// Names the kinds of the two-hour standard.
  static let urgentCommunityKinds: Set<String> = ["111-ucr", "gp-ucr"]

  let policy: Policy
  let register: OrganisationRegister?
  let strata: MeasureStrata
  private(set) var journeys: [HandoffID: Journey] = [:]
  private(set) var stays: [Stay] = []
  private(set) var alerts: [AlertID: Verdict] = [:]
  private var ready: [PatientKey: Timestamp] = [:]
  private var discharges: Set<EventID> = []

  /// Feedback, documents and opening hours are read from `policy`, places from `register`.
  public init(
    policy: Policy, register: OrganisationRegister? = nil, strata: MeasureStrata = MeasureStrata()
  ) {
    self.policy = policy
    self.register = register ?? policy.register
    self.strata = strata
  }

  /// Takes in a verdict; of each alert the one that became known first counts.
  public mutating func take(_ verdict: Verdict) {
    guard verdict.action == .opened, verdict.handoffID != nil else { return }
    if let known = alerts[verdict.alertID], known.revision <= verdict.revision { return }
    alerts[verdict.alertID] = verdict
  }

  /// Takes in an event.
  public mutating func take(_ event: HandoffEvent) {
    guard event.type.isLifecycle, let id = event.handoffID else { return takeStay(event) }
    var journey =
      journeys[id]
      ?? Journey(
        key: event.patientKey, from: event.from?.organisation, to: event.to?.organisation,
        rail: event.rail)
    let at = event.occurredAt
    switch event.type {
    case .handoffRequested:
      guard journey.requestedAt == nil else { break }
      journey.requestedAt = at
      journey.rail = event.rail
      journey.from = event.from?.organisation ?? event.spokenBy ?? journey.from
      journey.to = event.to?.organisation ?? journey.to
      journey.kind = event.kind
      journey.priority = event.priority
      journey.isFeedbackOwed = event.isFeedbackOwed
    case .received: journey.receivedAt.lower(to: at)
    case .accepted, .booked: journey.acceptedAt.lower(to: at)
    case .started:
      journey.acceptedAt.lower(to: at)
      journey.startedAt.lower(to: at)
    case .completed:
      journey.completedAt.lower(to: at)
      journey.hasOutcome = journey.hasOutcome || event.outcome != nil
    case .feedbackSent, .feedbackAcknowledged: journey.isFeedbackSent = true
    case .cancelled, .voided: journey.isWithdrawn = true
    default: break
    }
    journeys[id] = journey
  }

  private mutating func takeStay(_ event: HandoffEvent) {
    switch event.type {
    case .readyForDischarge:
      ready[event.patientKey] = event.dischargeReadyAt ?? event.occurredAt
    case .dischargeReadinessWithdrawn: ready[event.patientKey] = nil
    case .discharged:
      guard discharges.insert(event.id).inserted else { return }
      stays.append(
        Stay(
          key: event.patientKey, organisation: event.spokenBy ?? event.from?.organisation,
          rail: event.rail, readyAt: ready.removeValue(forKey: event.patientKey),
          dischargedAt: event.occurredAt, pathway: event.dischargePathway))
    case .dischargeCancelled:
      guard let index = stays.lastIndex(where: { $0.key == event.patientKey }) else { return }
      ready[event.patientKey] = stays.remove(at: index).readyAt
    default: break
    }
  }
}
