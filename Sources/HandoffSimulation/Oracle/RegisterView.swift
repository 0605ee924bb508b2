import HandoffCore

/// What the register says of the parties of a handoff (A17), and who counts as whom.
struct RegisterView {
  let policy: Policy

  private var register: OrganisationRegister? { policy.register }

  /// The code of a practice that is not known (GP Connect).
  private static let noPractice = "ods:V81999"

  private static func isNoPractice(_ id: OrganisationID?) -> Bool {
    id?.description == noPractice
  }

  /// Everything that is wrong with the two parties at a moment, by limb.
  func causes(from: OrganisationID?, to: OrganisationID?, _ kind: HandoffKind?, at: Timestamp)
    -> Set<String>
  {
    var causes: Set<String> = []
    if Self.isNoPractice(to) { causes.insert("no-practice") }
    guard let register else { return causes }
    let parts = kind.flatMap { register.parts[$0] }
    if let from {
      if let absence = absence(of: from, at: at) {
        causes.insert("sender-\(absence)")
      } else if !hasRole(from, among: parts?.senders ?? []) {
        causes.insert("sender-role")
      }
    }
    guard let to, !Self.isNoPractice(to) else { return causes }
    if let absence = absence(of: to, at: at) {
      causes.insert("receiver-\(absence)")
    } else if !hasRole(to, among: parts?.receivers ?? []) {
      causes.insert("receiver-role")
    } else if let from, let place = register.organisations[from]?.place,
      let taken = register.organisations[to]?.catchment, !taken.isEmpty, !taken.contains(place)
    {
      causes.insert("outside-catchment")
    }
    return causes
  }

  /// Why an organisation is not there on the local day of a moment; `nil` where it is.
  private func absence(of id: OrganisationID, at moment: Timestamp) -> String? {
    guard let register else { return nil }
    let day = LondonTime(moment).date
    guard let entry = register.organisations[id] else {
      return register.isComplete && id.description.hasPrefix("ods:") ? "unknown" : nil
    }
    if let last = entry.validTo, last < day {
      let closed = LondonTime(date: last.advanced(byDays: 1)).timestamp
      let grace = policy.windows.closedGrace.due(from: closed, in: policy.calendar, for: id)
      return moment < grace ? "closed-in-grace" : "closed"
    }
    if let first = entry.validFrom, day < first { return "not-open" }
    return nil
  }

  private func hasRole(_ id: OrganisationID, among roles: Set<OrganisationRole>) -> Bool {
    guard let own = register?.organisations[id]?.roles, !own.isEmpty, !roles.isEmpty else {
      return true
    }
    return own.contains { roles.contains($0) }
  }

  /// Whether a speaker is the party, of its line by succession, or its registered agent.
  func speaks(_ speaker: OrganisationID, for party: OrganisationID?) -> Bool {
    guard let party else { return false }
    if speaker == party { return true }
    let line = heirs(of: party)
    return line.contains(speaker) || heirs(of: speaker).contains(party)
      || ([party] + line).contains {
        register?.organisations[$0]?.agents.contains(speaker) ?? false
      }
  }

  /// Who took over, and who took over from them.
  private func heirs(of id: OrganisationID) -> Set<OrganisationID> {
    var heirs: Set<OrganisationID> = []
    var news = [id]
    while let next = news.popLast() {
      for heir in register?.organisations[next]?.successors ?? []
      where heirs.insert(heir).inserted { news.append(heir) }
    }
    return heirs
  }
}
