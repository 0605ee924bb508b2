/// Which organisations there are, from when until when, who followed whom, and what each may do.
///
/// A value made from one versioned file, as a ``Policy`` is; verdicts are judged by the register that
/// was in force when the event arrived. Where none is loaded nothing is unknown.
public struct OrganisationRegister: Hashable, Sendable {
  public var version: UInt32
  /// SHA-256 of the bytes that the register was read from.
  public var hash: RecordHash
  /// Whether an ODS code that it does not hold is unknown (A17): false for a register of a region,
  /// whose people are also referred to the rest of the country.
  public var isComplete: Bool
  public var organisations: [OrganisationID: RegisteredOrganisation]
  /// Who may send and receive a kind of handoff; a kind that is missing anybody may.
  public var parts: [HandoffKind: KindParts]

  public init(
    version: UInt32, hash: RecordHash, isComplete: Bool,
    organisations: [OrganisationID: RegisteredOrganisation],
    parts: [HandoffKind: KindParts] = OrganisationRegister.defaultParts
  ) {
    self.version = version
    self.hash = hash
    self.isComplete = isComplete
    self.organisations = organisations
    self.parts = parts
  }

  public subscript(id: OrganisationID) -> RegisteredOrganisation? { organisations[id] }

  /// The place of the first of `parties` that has one: the sender's, else the receiver's.
  public func place(of parties: [OrganisationID?]) -> Code? {
    parties.lazy.compactMap { party in party.flatMap { self[$0]?.place } }.first
  }

  /// The longest line of successors that is followed.
  public static let successionMax = 16
}

/// One organisation of the register.
public struct RegisteredOrganisation: Hashable, Sendable {
  /// The first local day on which it is open; `nil` means always.
  public var validFrom: CivilDate?
  /// The last local day on which it is open; `nil` means still.
  ///
  /// Codes are closed, and never used again.
  public var validTo: CivilDate?
  /// Who took over its work: one, or several where it was split.
  public var successors: [OrganisationID]
  /// What it is; empty where the register does not say, and then it may do anything.
  public var roles: Set<OrganisationRole>
  /// Who may speak for it: a care-transfer hub, a coordination platform.
  public var agents: Set<OrganisationID>
  /// The primary care network it belongs to.
  public var network: Code?
  /// The place (county partnership) it belongs to.
  public var place: Code?
  /// The places that it takes handoffs from; empty means every one.
  public var catchment: Set<Code>

  public init(
    validFrom: CivilDate? = nil, validTo: CivilDate? = nil, successors: [OrganisationID] = [],
    roles: Set<OrganisationRole> = [], agents: Set<OrganisationID> = [], network: Code? = nil,
    place: Code? = nil, catchment: Set<Code> = []
  ) {
    self.validFrom = validFrom
    self.validTo = validTo
    self.successors = successors
    self.roles = roles
    self.agents = agents
    self.network = network
    self.place = place
    self.catchment = catchment
  }
}

/// What an organisation is in the register.
public enum OrganisationRole: String, CaseIterable, Hashable, Sendable {
  case gp, acute, community, ambulance, council, voluntary, pharmacy, diagnostics, hub, platform
  case icb
  case mentalHealth = "mental-health"
  case careHome = "care-home"
  case homeCare = "home-care"
}

/// Who may take part in a kind of handoff; an empty set means everybody.
public struct KindParts: Hashable, Sendable {
  public var senders: Set<OrganisationRole>
  public var receivers: Set<OrganisationRole>

  public init(senders: Set<OrganisationRole> = [], receivers: Set<OrganisationRole> = []) {
    self.senders = senders
    self.receivers = receivers
  }
}

extension OrganisationRegister {
  /// The parts that the kinds of domain.md §4.2 leave no doubt about.
  public static let defaultParts: [HandoffKind: KindParts] = [
    HandoffKind(known: "ambulance-ed"): KindParts(senders: [.ambulance], receivers: [.acute]),
    HandoffKind(known: "mutual-aid"): KindParts(senders: [.ambulance], receivers: [.ambulance]),
    HandoffKind(known: "ed-mh-liaison"): KindParts(receivers: [.mentalHealth]),
    HandoffKind(known: "mh-crisis"): KindParts(receivers: [.mentalHealth]),
    HandoffKind(known: "hospital-council"): KindParts(receivers: [.council, .hub]),
    HandoffKind(known: "care-home"): KindParts(receivers: [.careHome, .council, .hub]),
    HandoffKind(known: "home-care"): KindParts(
      receivers: [.homeCare, .community, .council, .voluntary, .hub]),
    HandoffKind(known: "discharge-summary"): KindParts(receivers: [.gp]),
    HandoffKind(known: "outpatient-letter"): KindParts(receivers: [.gp]),
    HandoffKind(known: "pharmacy"): KindParts(receivers: [.pharmacy]),
  ]
}

// MARK: What it answers

extension OrganisationRegister {
  /// Whether an organisation is there on a day.
  public enum Presence: Hashable, Sendable {
    case open
    /// No code of the register.
    case unknown
    case notYetOpen
    /// Closed, with the last day on which it was open.
    case closed(after: CivilDate)
  }

  /// Whether an organisation is there on a local day.
  ///
  /// Only ODS codes can be unknown: other identifiers are of registers that nobody keeps whole.
  public func presence(of id: OrganisationID, on day: CivilDate) -> Presence {
    guard let entry = organisations[id] else {
      return isComplete && id.isODS ? .unknown : .open
    }
    if let validTo = entry.validTo, validTo < day { return .closed(after: validTo) }
    if let validFrom = entry.validFrom, day < validFrom { return .notYetOpen }
    return .open
  }

  /// Who does the work of a closed organisation on a day: the first open one in the line of its
  /// successors, in the order of the file; `nil` where the register names none.
  public func successor(of id: OrganisationID, on day: CivilDate) -> OrganisationID? {
    heirs(of: id).first { presence(of: $0, on: day) == .open }
  }

  /// Whether two codes are of one line: the same, or one took over from the other, by any number of
  /// steps up to ``successionMax``.
  ///
  /// The day does not matter: systems keep the old code for months, and take the new one early.
  public func isOneLine(_ left: OrganisationID, _ right: OrganisationID) -> Bool {
    left == right || heirs(of: left).contains(right) || heirs(of: right).contains(left)
  }

  /// Whether `speaker` may speak for `party`, or for one of its line, as a registered agent.
  public func isAgent(_ speaker: OrganisationID, of party: OrganisationID) -> Bool {
    if organisations[party]?.agents.contains(speaker) == true { return true }
    return heirs(of: party).contains { organisations[$0]?.agents.contains(speaker) == true }
  }

  /// The successors, nearest first, each once.
  private func heirs(of id: OrganisationID) -> [OrganisationID] {
    var heirs: [OrganisationID] = []
    var last = organisations[id]?.successors ?? []
    var step = 0
    while !last.isEmpty, step < Self.successionMax {
      let new = last.filter { $0 != id && !heirs.contains($0) }
      heirs += new
      last = new.flatMap { organisations[$0]?.successors ?? [] }
      step += 1
    }
    return heirs
  }
}

extension OrganisationID {
  /// Whether it is a code of the ODS register.
  var isODS: Bool { description.utf8.starts(with: "ods:".utf8) }
}
