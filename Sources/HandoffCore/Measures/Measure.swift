/// What is measured of the principles that the bus is for (domain.md §6.1).
///
/// Each measure is of handoffs that were requested, or of stays; a group of them is by a
/// ``MeasureDimension``.
public enum Measure: String, CaseIterable, Hashable, Sendable {
  case loopClosure = "loop-closure"
  case duplicated
  case dropped
  case alertDelay = "alert-delay"
  case alerts
  case timeToAccept = "time-to-accept"
  case firstContact = "first-contact"
  case outOfHours = "out-of-hours"
  case urgentCommunityResponse = "urgent-community-response"
  case outcomeKnown = "outcome-known"
  case readyToDischarged = "ready-to-discharged"
  case homeDirect = "home-direct"

  /// How its value is made.
  public enum Form: Hashable, Sendable {
    /// A part of a whole, from 0 to 1.
    case share
    /// A part of a whole, for a thousand of it.
    case perThousand
    /// The 50th and 90th centile of times, in seconds.
    case centiles
  }

  public var form: Form {
    switch self {
    case .loopClosure, .outOfHours, .urgentCommunityResponse, .outcomeKnown, .homeDirect: .share
    case .duplicated, .dropped, .alerts: .perThousand
    case .alertDelay, .timeToAccept, .firstContact, .readyToDischarged: .centiles
    }
  }

  /// The principle that it is of, by the number in domain.md §6.1.
  public var principle: String {
    switch self {
    case .loopClosure, .duplicated, .dropped, .alertDelay: "5a joined-up"
    case .alerts: "9 a great place to work"
    case .timeToAccept, .firstContact, .outOfHours: "2 equality across the county"
    case .urgentCommunityResponse: "3 stay well in own homes"
    case .outcomeKnown: "1a better experience"
    case .readyToDischarged: "6b beds"
    case .homeDirect: "6a beds"
    }
  }

  /// What is divided by what, or timed from when to when.
  public var definition: String {
    switch self {
    case .loopClosure:
      "Handoffs whose outcome reached the sender, of those requested and not withdrawn: feedback "
        + "sent or acknowledged after completion; completion alone where none is owed; receipt of "
        + "a document."
    case .duplicated: "Handoffs with an alert A02, A04, A05 or A06, for 1,000 requested."
    case .dropped: "Handoffs with an alert A07 to A11, for 1,000 requested."
    case .alertDelay:
      "From the deadline to the moment when its alert was known, of alerts about handoffs."
    case .alerts: "Alerts about handoffs, for 1,000 requested."
    case .timeToAccept: "From the request to its acceptance, booking or start."
    case .firstContact: "From the request to Started."
    case .outOfHours:
      "Handoffs requested while the receiving service was closed, of those to services whose hours "
        + "the policy gives."
    case .urgentCommunityResponse:
      "Urgent community responses started within 2 hours, of those requested and not withdrawn."
    case .outcomeKnown: "Completed handoffs that say what came of them, of those completed."
    case .readyToDischarged: "From the Discharge Ready Date to the discharge, of stays that ended."
    case .homeDirect: "Discharges on pathway 0, of those whose pathway is known."
    }
  }
}

/// By what handoffs are put into groups; each is in exactly one.
public enum MeasureDimension: String, CaseIterable, Hashable, Sendable {
  /// The place of the sender, or of the receiver where the sender has none.
  case place
  /// The primary care network of the sender, or of the receiver where the sender has none.
  case pcn
  /// How the request travelled.
  case rail
  case kind
  /// The deprivation quintile, 1 the most deprived: of the person, or of the receiver's population.
  case quintile
  /// The receiving organisation; of stays the hospital.
  case provider
}

/// Deprivation quintiles, joined at analysis time: no record of the bus ever holds one.
public struct MeasureStrata: Hashable, Sendable {
  public var ofPersons: [PatientKey: UInt8]
  public var ofOrganisations: [OrganisationID: UInt8]

  public init(
    ofPersons: [PatientKey: UInt8] = [:], ofOrganisations: [OrganisationID: UInt8] = [:]
  ) {
    self.ofPersons = ofPersons
    self.ofOrganisations = ofOrganisations
  }
}
