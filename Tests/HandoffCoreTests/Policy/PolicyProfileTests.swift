import HandoffCore
import TestSupport
import Testing

/// A policy whose profile `winter` halves what a hospital has to accept an urgent referral.
private func policy(named name: String = "winter") throws -> Policy {
  var policy = Policy.default
  policy.profiles = [
    PolicyProfile(
      name: try #require(Code(name)),
      rows: [
        PolicyProfile.Row(
          kind: try #require(HandoffKind("gp-hospital")), priority: .urgent,
          clocks: [.acknowledge: .minutes(20)])
      ],
      windows: ["readyRequest": .minutes(30), "dischargeHome": .minutes(10)])
  ]
  return policy
}

private func activation(_ policy: Policy, _ profile: String?) -> EventRecord.Content {
  .rulesActivation(
    RulesActivation(
      rulesVersion: 1, policyHash: policy.hash, profile: profile.flatMap { Code($0) },
      isCommanded: true))
}

@Suite struct `A profile` {
  @Test func `judges what is requested while it is on, and nothing before or after`() throws {
    let policy = try policy()
    var scene = Scene(policy: policy)
    scene.say(.handoffRequested, at: 0, id: 1, handoff: HandoffID(rawValue: 1))
    scene.apply(activation(policy, "winter"), at: 1)
    scene.say(.handoffRequested, at: 2, id: 2, handoff: HandoffID(rawValue: 2))
    scene.apply(activation(policy, nil), at: 3)
    scene.say(.handoffRequested, at: 4, id: 3, handoff: HandoffID(rawValue: 3))
    scene.tick(at: 120)
    let silent = scene.verdicts.filter { $0.rule == .a07 }
    #expect(silent.map(\.handoffID?.rawValue) == [2, 1, 3])
    #expect(silent.map(\.opened.minute) == [22, 60, 64])
    #expect(silent.map(\.profile) == [Code("winter"), nil, nil])
    #expect(Set(silent.map(\.policyHash)) == [policy.hash])
  }

  @Test func `judges a stay that was said while it is on, and none that was said before`() throws {
    let policy = try policy()
    var scene = Scene(policy: policy)
    _ = scene.stay(.readyForDischarge, at: 0)
    scene.apply(activation(policy, "winter"), at: 1)
    #expect(scene.tick(at: 119).isEmpty)
    #expect(scene.tick(at: 120).compactMap(\.cause?.description) == ["request"])
    #expect(scene.verdicts.last?.profile == nil)
    _ = scene.stay(.dischargeReadinessWithdrawn, at: 130)
    _ = scene.stay(.readyForDischarge, at: 140, pathway: 1, 77)
    scene.apply(activation(policy, nil), at: 141)
    #expect(scene.tick(at: 170).compactMap(\.cause?.description) == ["request"])
    #expect(scene.verdicts.last?.opened.minute == 170)
    #expect(scene.verdicts.last?.profile == Code("winter"))
  }

  @Test func `is named by the alert of a discharge that it judges, whatever is on then`() throws {
    let policy = try policy()
    var scene = Scene(policy: policy)
    scene.apply(activation(policy, "winter"), at: 1)
    _ = scene.stay(.discharged, at: 2)
    scene.apply(activation(policy, nil), at: 3)
    #expect(scene.tick(at: 12).short == ["A20 opened"])
    #expect(scene.verdicts.last?.profile == Code("winter"))
    #expect(scene.stay(.dischargeCancelled, at: 13).map(\.profile) == [Code("winter")])
  }

  @Test func `judges a stay that was stored before stays kept their windows by what is in force`()
    throws
  {
    let policy = try policy()
    var before = Scene(policy: policy)
    before.apply(activation(policy, "winter"), at: 1)
    _ = before.stay(.readyForDischarge, at: 2)
    var person = try #require(before.reducer.person(for: Scene.key))
    #expect(person.stay.map(\.policy) == [1])
    person.stay[0].policy = nil
    var scene = Scene(policy: policy)
    try scene.reducer.restore(before.reducer.state)
    try scene.reducer.restore(person)
    #expect(scene.tick(at: 32).compactMap(\.profile) == [Code("winter")])
    scene.apply(activation(policy, nil), at: 33)
    #expect(scene.tick(at: 34).compactMap(\.profile) == [])
  }

  @Test func `is remembered in what is stored`() throws {
    let policy = try policy()
    var scene = Scene(policy: policy)
    scene.apply(activation(policy, "winter"), at: 1)
    scene.say(.handoffRequested, at: 2)
    _ = scene.stay(.discharged, at: 3)
    var restored = Scene(policy: policy)
    try restored.reducer.restore(scene.reducer.state)
    try restored.reducer.restore(try #require(scene.reducer.person(for: Scene.key)))
    restored.tick(at: 30)
    scene.tick(at: 30)
    #expect(scene.verdicts.map(\.rule) == [.a20, .a07])
    #expect(restored.verdicts == scene.verdicts)
  }

  @Test(arguments: [1, PersonReducer.rulesVersion + 1] as [UInt32])
  func `is judged by the rules of this program, and its verdicts say so`(logged: UInt32) throws {
    let policy = try policy()
    var scene = Scene(policy: policy)
    scene.apply(
      .rulesActivation(RulesActivation(rulesVersion: logged, policyHash: policy.hash)), at: 1)
    scene.say(.handoffRequested, at: 2)
    scene.tick(at: 120)
    #expect(scene.verdicts.map(\.rulesVersion) == [PersonReducer.rulesVersion])
  }

  @Test func `that the policy does not have is an alert about ourselves, and changes nothing`()
    throws
  {
    let policy = try policy()
    var scene = Scene(policy: policy)
    scene.apply(activation(policy, "summer"), at: 1)
    #expect(scene.verdicts.map(\.rule) == [.s05])
    #expect(scene.verdicts.first?.cause == Code("profile"))
    scene.say(.handoffRequested, at: 2)
    scene.tick(at: 70)
    #expect(scene.verdicts.last?.rule == .a07)
    #expect(scene.verdicts.last?.opened.minute == 62)
    #expect(scene.verdicts.last?.profile == nil)
    scene.apply(activation(policy, "winter"), at: 71)
    #expect(scene.verdicts.suffix(1).map(\.rule) == [.s05])
    #expect(scene.verdicts.last?.action == .resolved)
    var restored = Scene(policy: policy)
    try restored.reducer.restore(scene.reducer.state)
  }
}

@Suite struct `The difference of two policies` {
  private func changes(_ change: (inout Policy) throws -> Void) rethrows -> [String] {
    var policy = Policy.default
    try change(&policy)
    return PolicyDifference(from: .default, to: policy).changes.map {
      "\($0.subject): \($0.before ?? "-") → \($0.after ?? "-"), \($0.tightness?.rawValue ?? "-")"
    }
  }

  @Test func `of a policy and itself is empty`() throws {
    #expect(changes { _ in }.isEmpty)
    #expect(PolicyDifference(from: try policy(), to: try policy()).isEmpty)
  }

  @Test func `names each clock, and whether it is tighter`() throws {
    #expect(
      changes { policy in
        policy.rows[0].clocks.accept = .minutes(10)
        policy.rows[1].clocks.start = nil
        policy.rows[2].clocks.outcome = .days(3)
        policy.rows[3].clocks.feedback = .days(2)
        policy.fallback.accept = .workingDays(7)
      } == [
        "ambulance-ed: accept: 15min → 10min, tighter",
        "111-ucr: start: 2h → none, looser",
        "gp-ucr: outcome: none → 3d, tighter",
        "ed-mh-liaison: feedback: 24h → 2d, looser",
        "fallback: accept: 7d → 7wd, looser",
      ])
  }

  @Test func `knows which way a window is tighter`() {
    #expect(
      changes { policy in
        policy.windows.reroute = .hours(4)
        policy.windows.need = .hours(24)
        policy.windows.memory = .hours(24)
      } == [
        "window reroute: 1wd → 4h, tighter", "window need: 336h → 24h, looser",
        "window memory: 720h → 24h, -",
      ])
  }

  @Test func `tells days and services of the calendar`() throws {
    let day = try #require(CivilDate("2027-06-01"))
    #expect(
      changes { policy in
        policy.calendar.holidays.insert(day)
        policy.calendar.alwaysOpen.insert(Scene.hospital)
        policy.calendar.services[Scene.gp] = ServiceHours(days: [1])
      } == [
        "calendar 2027-06-01: working day → closed, looser",
        "calendar ods:K81001: - → Mon, looser",
        "calendar ods:RTH: - → always open, tighter",
      ])
  }

  @Test func `tells of profiles whether they promise more`() throws {
    let winter = try policy()
    #expect(
      PolicyDifference(from: .default, to: winter).changes.map(\.subject) == ["profile winter"])
    var harder = winter
    harder.profiles[0].rows[0].clocks[.acknowledge] = .minutes(10)
    #expect(PolicyDifference(from: winter, to: harder).changes.map(\.tightness) == [.tighter])
    #expect(PolicyDifference(from: harder, to: winter).loosenings.count == 1)
  }

  @Test(arguments: [
    ("2h", "3h", Tightness.tighter), ("7d", "1wk", .same), ("24h", "1d", .mixed),
    ("5wd", "7d", .looser), ("24h", "1wd", .tighter), ("sameDay", "24h", .mixed),
    ("5d", "3wd", .mixed),
    ("sameDay", "1wd", .tighter), ("8h", "sameDay", .mixed), ("10wd", "2wk", .looser),
  ])
  func `compares lengths of other units from every hour of a year`(
    one: String, other: String, tightness: Tightness
  ) throws {
    let (one, other) = (try #require(ClockLength(one)), try #require(ClockLength(other)))
    #expect(one.tightness(than: other) == tightness)
    let back: Tightness =
      switch tightness {
      case .tighter: .looser
      case .looser: .tighter
      case .same, .mixed: tightness
      }
    #expect(other.tightness(than: one) == back)
  }
}

@Suite struct `The hours of a service` {
  private func moment(_ day: String, _ hour: Int64) throws -> Timestamp {
    LondonTime(date: try #require(CivilDate(day)), timeOfDay: .hours(hour)).timestamp
  }

  @Test func `move its working days`() throws {
    var calendar = BusinessCalendar.england
    calendar.services[Scene.hospital] = ServiceHours(
      days: [1, 2, 3, 4, 5, 6], closed: [try #require(CivilDate("2026-11-28"))])
    let friday = try moment("2026-11-20", 15)
    let day = ClockLength.workingDays(1)
    #expect(
      day.due(from: friday, in: calendar, for: Scene.hospital) == (try moment("2026-11-21", 15)))
    #expect(day.due(from: friday, in: calendar, for: Scene.gp) == (try moment("2026-11-23", 15)))
    // The Saturday after is closed for it, and Christmas is for all but who works on holidays.
    let next = try moment("2026-11-27", 15)
    #expect(
      day.due(from: next, in: calendar, for: Scene.hospital) == (try moment("2026-11-30", 15)))
    let eve = try moment("2026-12-24", 15)
    #expect(day.due(from: eve, in: calendar, for: Scene.hospital) == (try moment("2026-12-26", 15)))
    calendar.services[Scene.hospital]?.worksOnHolidays = true
    #expect(day.due(from: eve, in: calendar, for: Scene.hospital) == (try moment("2026-12-25", 15)))
  }

  @Test func `tell what came out of hours, where they are known`() throws {
    var calendar = BusinessCalendar.england
    calendar.services[Scene.hospital] = ServiceHours(
      days: [1, 2, 3, 4, 5], opening: ServiceHours.Opening("08:00-20:00"))
    calendar.alwaysOpen = [Scene.stranger]
    #expect(calendar.isOpen(Scene.hospital, at: try moment("2026-07-01", 8)) == true)
    #expect(calendar.isOpen(Scene.hospital, at: try moment("2026-07-01", 20)) == false)
    #expect(calendar.isOpen(Scene.hospital, at: try moment("2026-07-04", 12)) == false)
    #expect(calendar.isOpen(Scene.gp, at: try moment("2026-07-01", 12)) == nil)
    #expect(calendar.isOpen(Scene.stranger, at: try moment("2026-07-04", 3)) == true)
  }

  @Test func `are never such that no working day would come`() {
    #expect(ServiceHours(days: []) == nil)
    #expect(ServiceHours(days: [0]) == nil)
    #expect(ServiceHours(days: [8]) == nil)
  }

  @Test(arguments: ["08:00", "8:00-9:00", "09:00-09:00", "10:00-09:00", "00:00-24:01", "a-b", ""])
  func `are refused where they are none`(text: String) {
    #expect(ServiceHours.Opening(text) == nil)
  }
}
