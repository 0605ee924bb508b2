import HandoffCore
import Yams

extension PolicyLoader {
  /// A profile and where it stands, to be judged once the policy around it is known.
  struct ReadProfile {
    /// Where something stands.
    struct Place {
      var line: Int
      var path: String
    }

    var profile: PolicyProfile
    var place: Place
    /// Of its parts, by what a comparison calls them: `gp-hospital urgent`, `window reroute`.
    var places: [String: Place]
  }

  mutating func profiles(_ entry: YAMLMapping.Entry) -> [ReadProfile] {
    guard let list = entry.node.sequence, list.count <= PolicyDocument.profilesMax else {
      fault(entry, "must be a list of at most \(PolicyDocument.profilesMax) profiles")
      return []
    }
    var profiles: [ReadProfile] = []
    for (index, node) in list.enumerated() {
      let path = "\(entry.path)[\(index)]"
      guard var mapping = YAMLMapping(node, path: path) else {
        fault(node.mark?.line ?? entry.line, path, "must be a profile")
        continue
      }
      guard let read = profile(&mapping) else { continue }
      if let first = profiles.first(where: { $0.profile.name == read.profile.name }) {
        fault(mapping.line, path, "the same name as in line \(first.place.line)")
      }
      profiles.append(read)
    }
    return profiles
  }

  private mutating func profile(_ mapping: inout YAMLMapping) -> ReadProfile? {
    let name = mandatory("name", of: &mapping).flatMap { entry in
      parsed(entry, "1 to 40 lower-case letters, digits and hyphens") { text in
        HandoffKind(text).flatMap { Code($0.description) }
      }
    }
    let note = mapping.take("note").flatMap { self.note($0) }
    let loosens = mapping.take("loosens").flatMap { flag($0) } ?? false
    let reason = mapping.take("reason")
    let because = reason.flatMap { self.note($0) }
    if loosens, because?.isEmpty ?? true {
      fault(mapping.line, "\(mapping.path).reason", "missing: why does it loosen?")
    }
    if let reason, !loosens { fault(reason, "goes with loosens: true") }
    var places: [String: ReadProfile.Place] = [:]
    let rows = mapping.take("clocks").map { profileRows($0, &places) } ?? []
    let windows = mapping.take("windows").map { profileWindows($0, &places) } ?? [:]
    refuseRest(of: mapping)
    guard let name else { return nil }
    let profile = PolicyProfile(
      name: name, note: note ?? "", rows: rows, windows: windows,
      loosensBecause: loosens ? because ?? "" : nil)
    return ReadProfile(
      profile: profile, place: ReadProfile.Place(line: mapping.line, path: mapping.path),
      places: places)
  }

  private mutating func profileRows(
    _ entry: YAMLMapping.Entry, _ places: inout [String: ReadProfile.Place]
  ) -> [PolicyProfile.Row] {
    guard let list = entry.node.sequence, list.count <= PolicyDocument.rowsMax else {
      fault(entry, "must be a list of at most \(PolicyDocument.rowsMax) rows")
      return []
    }
    var rows: [PolicyProfile.Row] = []
    for (index, node) in list.enumerated() {
      let path = "\(entry.path)[\(index)]"
      guard var mapping = YAMLMapping(node, path: path) else {
        fault(node.mark?.line ?? entry.line, path, "must be a row of clocks")
        continue
      }
      let (kind, priority) = place(&mapping)
      var clocks: [PolicyClock: ClockLength] = [:]
      for clock in PolicyClock.allCases {
        clocks[clock] = mapping.take(clock.rawValue).flatMap { length($0) }
      }
      refuseRest(of: mapping)
      guard let kind else { continue }
      if rows.contains(where: { $0.kind == kind && $0.priority == priority }) {
        fault(mapping.line, path, "the same kind and priority twice in one profile")
      }
      let row = PolicyProfile.Row(kind: kind, priority: priority, clocks: clocks)
      places[row.name] = ReadProfile.Place(line: mapping.line, path: path)
      rows.append(row)
    }
    return rows
  }

  private mutating func profileWindows(
    _ entry: YAMLMapping.Entry, _ places: inout [String: ReadProfile.Place]
  ) -> [String: ClockLength] {
    guard var mapping = mapping(entry) else { return [:] }
    var windows: [String: ClockLength] = [:]
    for window in PolicyWindow.all {
      guard let entry = mapping.take(window.key) else { continue }
      guard window.tighter != .neither else {
        fault(entry, "is what is remembered, and no profile may set it")
        continue
      }
      windows[window.key] = length(entry, of: window)
      places["window \(window.key)"] = ReadProfile.Place(line: entry.line, path: entry.path)
    }
    refuseRest(of: mapping)
    return windows
  }

  /// A profile must know its kinds, and loosen nothing that it does not own up to.
  mutating func judge(_ read: ReadProfile, of policy: Policy) {
    for row in read.profile.rows where !policy.kinds.contains(row.kind) {
      let place = read.places[row.name] ?? read.place
      fault(place.line, place.path, "no row of clocks is of the kind \(row.kind)")
    }
    guard read.profile.loosensBecause == nil else { return }
    for change in policy.loosenings(of: read.profile.name) {
      let subject = change.subject.split(separator: ": ", maxSplits: 1).map(String.init)
      let place = read.places[subject[0]] ?? read.place
      let what = subject.last ?? ""
      fault(
        place.line, place.path,
        "loosens \(what) from \(change.before ?? "none") to \(change.after ?? "none"): "
          + "a profile tightens, or says loosens: true and its reason")
    }
  }
}

extension PolicyProfile.Row {
  /// As a comparison calls it.
  fileprivate var name: String { "\(kind)" + (priority.map { " \($0)" } ?? "") }
}
