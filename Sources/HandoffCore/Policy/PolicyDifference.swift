/// What changes from one policy to another, in the terms of who keeps it.
public struct PolicyDifference: Hashable, Sendable {
  /// One thing that changes.
  public struct Change: Hashable, Sendable {
    /// `gp-hospital urgent: accept`, `window reroute`, `calendar ods:RTH`, `profile winter`.
    public var subject: String
    public var before: String?
    public var after: String?
    /// `nil` where it is neither, such as a note.
    public var tightness: Tightness?

    public init(subject: String, before: String?, after: String?, tightness: Tightness?) {
      self.subject = subject
      self.before = before
      self.after = after
      self.tightness = tightness
    }
  }

  /// Clocks by kind and priority, windows, calendar, sources, profiles, in this order.
  public private(set) var changes: [Change] = []

  /// Compares two policies as they are in force: with the profile that each is under.
  public init(from old: Policy, to new: Policy) {
    compareClocks(old, new)
    compareWindows(old, new)
    compareCalendars(old.calendar, new.calendar)
    compareSources(old, new)
    compareProfiles(old, new)
  }

  public var isEmpty: Bool { changes.isEmpty }

  /// Those that let something go on for longer unseen than before.
  public var loosenings: [Change] {
    changes.filter { $0.tightness == .looser || $0.tightness == .mixed }
  }
}

extension PolicyDifference {
  private mutating func compareClocks(_ old: Policy, _ new: Policy) {
    struct Place: Hashable {
      var kind: HandoffKind?
      var priority: Priority?
    }
    var places: [Place] = []
    var seen: Set<Place> = []
    for row in old.rows + new.rows
    where seen.insert(Place(kind: row.kind, priority: row.priority)).inserted {
      places.append(Place(kind: row.kind, priority: row.priority))
    }
    places.append(Place(kind: nil, priority: nil))
    for place in places {
      let name =
        place.kind.map { kind in "\(kind)" + (place.priority.map { " \($0)" } ?? "") } ?? "fallback"
      compare(
        name, old.clocks(kind: place.kind, priority: place.priority),
        new.clocks(kind: place.kind, priority: place.priority), old.calendar, new.calendar)
    }
    let rails = Set(old.railDelivery.keys).union(new.railDelivery.keys)
    for rail in rails.sorted() {
      compare("rail \(rail)", old.railDelivery[rail], new.railDelivery[rail], new.calendar)
    }
  }

  private mutating func compare(
    _ name: String, _ old: Clocks, _ new: Clocks, _ oldCalendar: BusinessCalendar,
    _ newCalendar: BusinessCalendar
  ) {
    for clock in PolicyClock.allCases {
      let isBound = clock == .deliver && old.deliver == nil && new.deliver == nil
      guard !isBound else { continue }
      // By length: what the calendar changes is told once, under the calendar.
      compare(
        "\(name): \(clock.rawValue)", clock.length(in: old), clock.length(in: new), newCalendar)
    }
    if old.startAnchor != new.startAnchor {
      add(
        "\(name): startFrom", old.startAnchor.rawValue, new.startAnchor.rawValue,
        new.startAnchor == .request ? .tighter : .looser)
    }
    if old.isFeedbackOwed != new.isFeedbackOwed {
      add(
        "\(name): feedbackOwed", "\(old.isFeedbackOwed)", "\(new.isFeedbackOwed)",
        new.isFeedbackOwed ? .tighter : .looser)
    }
    if old.isDocument != new.isDocument {
      add("\(name): document", "\(old.isDocument)", "\(new.isDocument)", .mixed)
    }
    if old.basis != new.basis {
      add("\(name): basis", old.basis.rawValue, new.basis.rawValue, nil)
    }
  }

  /// A clock that is not there promises nothing: to get one is tighter.
  private mutating func compare(
    _ subject: String, _ old: ClockLength?, _ new: ClockLength?, _ calendar: BusinessCalendar,
    shorterIsTighter: Bool = true
  ) {
    guard old != new else { return }
    let tightness: Tightness
    switch (old, new) {
    case (let old?, let new?):
      let shorter = new.tightness(than: old, in: calendar)
      tightness = shorterIsTighter ? shorter : shorter.reversed
    case (nil, _): tightness = .tighter
    case (_, nil): tightness = .looser
    }
    add(subject, old?.description ?? "none", new?.description ?? "none", tightness)
  }

  private mutating func compareWindows(_ old: Policy, _ new: Policy) {
    for window in PolicyWindow.all {
      let (before, after) = (window.length(in: old.windows), window.length(in: new.windows))
      guard before != after else { continue }
      switch window.tighter {
      case .neither: add("window \(window.key)", "\(before)", "\(after)", nil)
      case .shorter: compare("window \(window.key)", before, after, new.calendar)
      case .longer:
        compare("window \(window.key)", before, after, new.calendar, shorterIsTighter: false)
      }
    }
  }

  /// More working days bring every deadline in working days nearer.
  private mutating func compareCalendars(_ old: BusinessCalendar, _ new: BusinessCalendar) {
    for day in old.holidays.symmetricDifference(new.holidays).sorted() {
      let isNew = new.holidays.contains(day)
      add(
        "calendar \(day)", isNew ? "working day" : "closed", isNew ? "closed" : "working day",
        isNew ? .looser : .tighter)
    }
    let services = old.alwaysOpen.union(new.alwaysOpen)
      .union(old.services.keys).union(new.services.keys)
    for service in services.sorted() {
      let (before, after) = (old.hoursText(of: service), new.hoursText(of: service))
      guard before != after else { continue }
      let length = ClockLength.workingDays(1)
      let tightness = length.tightness(
        than: length, in: new, otherIn: old, for: service)
      add("calendar \(service)", before, after, tightness == .same ? nil : tightness)
    }
  }

  private mutating func compareSources(_ old: Policy, _ new: Policy) {
    compare("sources", old.sourceDefaults, new.sourceDefaults)
    for code in Set(old.sources.keys).union(new.sources.keys).sorted() {
      compare("source \(code)", old.source(code), new.source(code))
    }
  }

  private mutating func compare(_ name: String, _ old: SourcePolicy, _ new: SourcePolicy) {
    let spans: [(String, KeyPath<SourcePolicy, Elapsed>)] = [
      ("interval", \.interval), ("skew", \.skew), ("ahead", \.ahead),
      ("countWindow", \.countWindow),
    ]
    for (key, path) in spans where old[keyPath: path] != new[keyPath: path] {
      add(
        "\(name): \(key)", "\(ClockLength.elapsed(old[keyPath: path]))",
        "\(ClockLength.elapsed(new[keyPath: path]))",
        new[keyPath: path] < old[keyPath: path] ? .tighter : .looser)
    }
    let counts: [(String, KeyPath<SourcePolicy, UInt32>)] = [
      ("repeatsLeast", \.repeatsLeast), ("repeatsPercent", \.repeatsPercent),
    ]
    for (key, path) in counts where old[keyPath: path] != new[keyPath: path] {
      add(
        "\(name): \(key)", "\(old[keyPath: path])", "\(new[keyPath: path])",
        new[keyPath: path] < old[keyPath: path] ? .tighter : .looser)
    }
    if old.organisations != new.organisations {
      add(
        "\(name): organisations",
        old.organisations.sorted().map(\.description).joined(separator: " "),
        new.organisations.sorted().map(\.description).joined(separator: " "), nil)
    }
    if old.onboardedAt != new.onboardedAt || old.maintenance != new.maintenance {
      add("\(name): onboarding or maintenance", nil, nil, nil)
    }
  }

  private mutating func compareProfiles(_ old: Policy, _ new: Policy) {
    let names = old.profiles.map(\.name) + new.profiles.map(\.name)
    for name in Set(names).sorted() {
      let before = old.profiles.first { $0.name == name }
      let after = new.profiles.first { $0.name == name }
      guard before != after else { continue }
      add(
        "profile \(name)", before.map(Self.text), after.map(Self.text),
        Self.tightness(name, old, new))
    }
  }

  /// A profile against itself as it was, each over its own policy's values.
  private static func tightness(_ name: Code, _ old: Policy, _ new: Policy) -> Tightness? {
    guard var before = old.under(name), var after = new.under(name) else { return nil }
    before.profiles = []
    after.profiles = []
    let kinds = Set(PolicyDifference(from: before, to: after).changes.compactMap(\.tightness))
    return kinds.count == 1 ? kinds.first : kinds.isEmpty ? nil : .mixed
  }

  private static func text(_ profile: PolicyProfile) -> String {
    let clocks = profile.rows.reduce(0) { $0 + $1.clocks.count }
    let loosens = profile.loosensBecause == nil ? "" : ", loosens"
    return "\(clocks) clocks, \(profile.windows.count) windows\(loosens)"
  }

  private mutating func add(
    _ subject: String, _ before: String?, _ after: String?, _ tightness: Tightness?
  ) {
    changes.append(
      Change(subject: subject, before: before, after: after, tightness: tightness))
  }
}

extension Policy {
  /// What one of its profiles loosens: empty for a profile that only tightens.
  public func loosenings(of profile: Code) -> [PolicyDifference.Change] {
    guard var after = under(profile) else { return [] }
    var before = self
    before.profiles = []
    after.profiles = []
    return PolicyDifference(from: before, to: after).loosenings
  }
}
