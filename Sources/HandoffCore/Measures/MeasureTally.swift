/// What one measure comes to in one group: a part of a whole, or times.
public struct MeasureTally: Hashable, Sendable {
  public internal(set) var part = 0
  /// Of how many; for centiles the number of times.
  public internal(set) var whole = 0
  /// Seconds, for centiles.
  var seconds: [Int64] = []

  /// Adds one that is part of the whole or not.
  mutating func count(_ isPart: Bool) {
    whole += 1
    if isPart { part += 1 }
  }

  mutating func time(from start: Timestamp, to end: Timestamp) {
    whole += 1
    seconds.append(max(0, end.since(start).nanoseconds / 1_000_000_000))
  }

  /// The `percent`th centile by nearest rank; `nil` of nothing.
  func centile(_ percent: Int) -> Int64? {
    guard !seconds.isEmpty else { return nil }
    let sorted = seconds.sorted()
    return sorted[max(0, (sorted.count * percent + 99) / 100 - 1)]
  }
}

/// A group of handoffs: in a week, by a dimension; both absent for the whole.
public struct MeasureGroup: Hashable, Comparable, Sendable {
  /// The Monday of the week in which they were requested.
  public var week: CivilDate?
  /// The dimension's value; `unknown` where it is not known; `nil` for all together.
  public var value: String?

  public init(week: CivilDate? = nil, value: String? = nil) {
    self.week = week
    self.value = value
  }

  public static func < (left: Self, right: Self) -> Bool {
    let weeks = (left.week?.dayNumber ?? .min, right.week?.dayNumber ?? .min)
    guard weeks.0 == weeks.1 else { return weeks.0 < weeks.1 }
    return (left.value ?? "") < (right.value ?? "")
  }
}

extension Measures {
  /// Every tally of every group, and under the value `nil` of all groups together.
  ///
  /// The parts add up to the whole: each handoff and each stay is in exactly one group.
  public func tallies(
    by dimension: MeasureDimension? = nil, weekly: Bool = false
  ) -> [Measure: [MeasureGroup: MeasureTally]] {
    var tallies: [Measure: [MeasureGroup: MeasureTally]] = [:]
    func add(
      _ measure: Measure, _ group: MeasureGroup, _ change: (inout MeasureTally) -> Void
    ) {
      change(&tallies[measure, default: [:]][group, default: MeasureTally()])
      guard group.value != nil else { return }
      let whole = MeasureGroup(week: group.week)
      change(&tallies[measure, default: [:]][whole, default: MeasureTally()])
    }
    let flagged = flags()
    for (id, journey) in journeys {
      guard let requestedAt = journey.requestedAt else { continue }
      let group = MeasureGroup(
        week: weekly ? Self.monday(of: requestedAt) : nil,
        value: dimension.map { value($0, of: journey) })
      let flag = flagged[id] ?? Flag()
      measure(journey, requestedAt, flag) { add($0, group, $1) }
    }
    for stay in stays {
      let group = MeasureGroup(
        week: weekly ? Self.monday(of: stay.dischargedAt) : nil,
        value: dimension.map { value($0, of: stay) })
      if let readyAt = stay.readyAt {
        add(.readyToDischarged, group) { $0.time(from: readyAt, to: stay.dischargedAt) }
      }
      if let pathway = stay.pathway { add(.homeDirect, group) { $0.count(pathway == 0) } }
    }
    return tallies
  }

  /// What alerts say of one handoff.
  private struct Flag {
    var isDuplicated = false
    var isDropped = false
    var alerts: [Verdict] = []
  }

  private func flags() -> [HandoffID: Flag] {
    var flags: [HandoffID: Flag] = [:]
    for verdict in alerts.values {
      guard let id = verdict.handoffID else { continue }
      flags[id, default: Flag()].alerts.append(verdict)
      switch verdict.rule {
      case .a02, .a04, .a05, .a06: flags[id]?.isDuplicated = true
      case .a07, .a08, .a09, .a10, .a11: flags[id]?.isDropped = true
      default: break
      }
    }
    return flags
  }

  private func measure(
    _ journey: Journey, _ requestedAt: Timestamp, _ flag: Flag,
    _ add: (Measure, (inout MeasureTally) -> Void) -> Void
  ) {
    add(.duplicated) { $0.count(flag.isDuplicated) }
    add(.dropped) { $0.count(flag.isDropped) }
    add(.alerts) {
      $0.whole += 1
      $0.part += flag.alerts.count
    }
    for verdict in flag.alerts {
      add(.alertDelay) { $0.time(from: verdict.opened, to: verdict.knownAt) }
    }
    if let accepted = journey.acceptedAt {
      add(.timeToAccept) { $0.time(from: requestedAt, to: accepted) }
    }
    if let started = journey.startedAt {
      add(.firstContact) { $0.time(from: requestedAt, to: started) }
    }
    if let to = journey.to, let isOpen = policy.calendar.isOpen(to, at: requestedAt) {
      add(.outOfHours) { $0.count(!isOpen) }
    }
    if journey.completedAt != nil { add(.outcomeKnown) { $0.count(journey.hasOutcome) } }
    guard !journey.isWithdrawn else { return }
    add(.loopClosure) { $0.count(isClosed(journey)) }
    if Self.urgentCommunityKinds.contains(journey.kind?.description ?? "") {
      let due = requestedAt.advanced(by: .hours(2))
      add(.urgentCommunityResponse) { $0.count(journey.startedAt.map { $0 <= due } ?? false) }
    }
  }

  private func isClosed(_ journey: Journey) -> Bool {
    let clocks = policy.clocks(kind: journey.kind, priority: journey.priority)
    if clocks.isDocument { return journey.receivedAt != nil }
    guard journey.completedAt != nil else { return false }
    return journey.isFeedbackSent || !(journey.isFeedbackOwed ?? clocks.isFeedbackOwed)
  }

  // MARK: Groups

  private static func monday(of moment: Timestamp) -> CivilDate {
    let date = LondonTime(moment).date
    return date.advanced(byDays: Int32(1 - date.weekday))
  }

  private func value(_ dimension: MeasureDimension, of journey: Journey) -> String {
    switch dimension {
    case .kind: (journey.kind ?? .unspecified).description
    default: value(dimension, journey.key, journey.rail, [journey.from, journey.to], journey.to)
    }
  }

  private func value(_ dimension: MeasureDimension, of stay: Stay) -> String {
    value(dimension, stay.key, stay.rail, [stay.organisation], stay.organisation)
  }

  private func value(
    _ dimension: MeasureDimension, _ key: PatientKey, _ rail: Code, _ parties: [OrganisationID?],
    _ provider: OrganisationID?
  ) -> String {
    let value: String? =
      switch dimension {
      case .place: register?.place(of: parties)?.description
      case .pcn:
        parties.lazy.compactMap { party in party.flatMap { register?[$0]?.network } }.first?
          .description
      case .rail: rail.description
      case .kind: "stay"
      case .quintile:
        (strata.ofPersons[key] ?? provider.flatMap { strata.ofOrganisations[$0] })
          .map { "\($0)" }
      case .provider: provider?.description
      }
    return value ?? "unknown"
  }
}
