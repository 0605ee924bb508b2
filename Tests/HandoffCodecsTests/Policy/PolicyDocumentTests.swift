import HandoffCodecs
import HandoffCore
import TestSupport
import Testing

@Suite struct PolicyDocumentTests {
  private let minimal = """
    format: baton.policy.v1
    version: 3
    clocks:
      - kind: gp-hospital
        acknowledge: 4h
        accept: 7d
        start: none
        complete: 18wk
        feedback: 3wd

    """

  private func faults(_ text: String) -> [String] {
    do {
      _ = try PolicyDocument(Array(text.utf8))
      return []
    } catch {
      return error.faults.map(\.description)
    }
  }

  @Test func `the default prints as a file that reads back as itself`() throws {
    let text = PolicyDocument.render(.default)
    var policy = try PolicyDocument(Array(text.utf8)).policy
    #expect(policy.hash == WireCodec.recordHash(Array(text.utf8)))
    policy.hash = Policy.default.hash
    #expect(policy == .default)
  }

  @Test func `a policy with everything set prints as a file that reads back as itself`() throws {
    var policy = Policy.default
    policy.version = 9
    policy.rows[0].clocks.deliver = .workingDays(2)
    policy.rows[0].clocks.note = "\"quoted\": # and more\n"
    policy.railDelivery = [:]
    policy.windows.reorder = .minutes(7)
    policy.windows.hold = .days(3)
    policy.calendar.holidays.insert(try #require(CivilDate("2026-12-24")))
    policy.calendar.alwaysOpen = [.ods(try #require(ODSCode("RTH")))]
    policy.sourceDefaults.interval = .minutes(3)
    var source = policy.sourceDefaults
    source.organisations = [.ods(try #require(ODSCode("RTH")))]
    source.onboardedAt = JourneyGenerator.start
    source.maintenance = [
      .once(from: JourneyGenerator.start, to: JourneyGenerator.start.advanced(by: .hours(4))),
      .weekly(weekday: 7, at: .minutes(150), length: .hours(4)),
    ]
    source.repeatsPercent = 0
    policy.sources = [try #require(Code("mllp-rth")): source]
    let christmas = try #require(CivilDate("2026-12-25"))
    policy.calendar.services[.ods(try #require(ODSCode("RXQ")))] = ServiceHours(
      days: [1, 6, 7], worksOnHolidays: true, closed: [christmas],
      opening: ServiceHours.Opening("08:00-24:00"))
    policy.profiles = [
      PolicyProfile(
        name: try #require(Code("winter")), note: "agreed: \"yes\"",
        rows: [
          PolicyProfile.Row(
            kind: policy.rows[0].kind, priority: .urgent,
            clocks: [.acknowledge: .elapsed(.seconds(30)), .start: .minutes(30)])
        ], windows: ["reroute": .hours(4), "dischargeBed": .hours(3)]),
      PolicyProfile(
        name: try #require(Code("downtime")),
        rows: [
          PolicyProfile.Row(
            kind: policy.rows[0].kind, priority: nil, clocks: [.accept: .hours(1)])
        ], loosensBecause: "paper forms are typed in afterwards"),
    ]
    var read = try PolicyDocument(Array(PolicyDocument.render(policy).utf8)).policy
    read.hash = policy.hash
    #expect(read == policy)
    policy.calendar.holidays = [try #require(CivilDate("2026-12-24"))]
    read = try PolicyDocument(Array(PolicyDocument.render(policy).utf8)).policy
    #expect(read.calendar == policy.calendar)
  }

  @Test func `what a file leaves out is as in the default`() throws {
    let policy = try PolicyDocument(Array(minimal.utf8)).policy
    #expect(policy.version == 3)
    #expect(policy.rows.count == 1)
    #expect(policy.rows[0].clocks.start == nil)
    #expect(policy.rows[0].clocks.basis == .local)
    #expect(policy.fallback == Policy.default.fallback)
    #expect(policy.windows == Policy.default.windows)
    #expect(policy.calendar == .england)
  }

  @Test func `one changed byte gives another hash`() throws {
    let one = try PolicyDocument(Array(minimal.utf8)).policy.hash
    let other = try PolicyDocument(Array((minimal + "# a remark\n").utf8)).policy.hash
    #expect(one != other)
  }

  @Test func `a bad file is refused with every fault and its line`() {
    let text = """
      format: baton.policy.v2
      version: 0
      colour: blue
      clocks:
        - kind: GP Hospital
          acknowledge: 4 hours
          accept: 0h
          start: none
          complete: 18wk
          feedback: 3wd
          urgency: high
        - kind: gp-hospital
          accept: 7d
          start: tomorrow
          complete: 18wk
          feedback: 3wd
        - just text
      windows:
        reorder: 3wd
      calendar:
        bankHolidays: wales
        closed: [2026-02-30]
        alwaysOpen: RTH
      """
    #expect(
      faults(text) == [
        "line 1: format: must be baton.policy.v1",
        "line 2: version: must be a whole number from 1 to 4294967295",
        "line 3: colour: unknown key",
        "line 5: clocks[0].kind: must be 1 to 40 lower-case letters, digits and hyphens",
        "line 6: clocks[0].acknowledge: must be a length such as 45s, 15min, 2h, 7d, 4wk, 3wd or sameDay",
        "line 7: clocks[0].accept: must be a length such as 45s, 15min, 2h, 7d, 4wk, 3wd or sameDay",
        "line 11: clocks[0].urgency: unknown key",
        "line 12: clocks[1].acknowledge: missing",
        "line 14: clocks[1].start: must be a length such as 45s, 15min, 2h, 7d, 4wk, 3wd or sameDay",
        "line 17: clocks[2]: must be a row of clocks",
        "line 19: windows.reorder: must be elapsed time such as 15min or 24h",
        "line 21: calendar.bankHolidays: must be england or none",
        "line 22: calendar.closed[0]: must be a day such as 2026-02-30".replacing(
          "2026-02-30", with: "2026-12-25"),
        "line 23: calendar.alwaysOpen: must be a list",
      ])
  }

  @Test func `two rows of one kind and priority are a fault that names both`() {
    let row = minimal.split(separator: "\n").dropFirst(3).joined(separator: "\n")
    #expect(
      faults(minimal + row) == ["line 10: clocks[1]: the same kind and priority as in line 4"])
  }

  @Test(arguments: [
    "", "[]", "text", "{", "a: [1", "\t- x", "format: x\nformat: y", "&a [*a]", "%YAML 9",
  ])
  func `what is no policy at all is one fault or more`(text: String) {
    #expect(!faults(text).isEmpty)
  }

  @Test func `bytes that are no text, and too many of them, are refused`() {
    #expect(throws: PolicyDocument.Faults.self) { try PolicyDocument([0xff, 0xfe, 0x00]) }
    #expect(throws: PolicyDocument.Faults.self) {
      try PolicyDocument([UInt8](repeating: UInt8(ascii: "#"), count: PolicyDocument.bytesMax + 1))
    }
  }

  // MARK: Profiles and services

  private func profile(_ text: String) -> [String] {
    faults(minimal + "profiles:\n  - name: winter\n" + text)
  }

  @Test func `a profile that tightens is taken, and is in force only when it is switched on`()
    throws
  {
    let text =
      minimal + """
        profiles:
          - name: winter
            clocks: [{kind: gp-hospital, accept: 3d, start: 6wk}]
            windows: {reroute: 4h}

        """
    let policy = try PolicyDocument(Array(text.utf8)).policy
    let kind = try #require(HandoffKind("gp-hospital"))
    #expect(policy.clocks(kind: kind, priority: nil).accept == .days(7))
    let name = try #require(Code("winter"))
    let winter = try #require(policy.under(name))
    #expect(winter.clocks(kind: kind, priority: nil).accept == .days(3))
    #expect(winter.clocks(kind: kind, priority: nil).start == .weeks(6))
    #expect(winter.clocks(kind: kind, priority: nil).feedback == .workingDays(3))
    #expect(winter.windows.reroute == .hours(4))
    #expect(winter.hash == policy.hash)
    #expect(winter.profile == Code("winter"))
  }

  @Test(arguments: [
    (
      "    clocks: [{kind: gp-hospital, accept: 8d}]\n",
      "line 12: profiles[0].clocks[0]: loosens accept from 7d to 8d: a profile tightens, or says loosens: true and its reason"
    ),
    (
      "    clocks: [{kind: gp-hospital, feedback: 5d}]\n",
      "line 12: profiles[0].clocks[0]: loosens feedback from 3wd to 5d: a profile tightens, or says loosens: true and its reason"
    ),
    (
      "    windows: {need: 24h}\n",
      "line 12: profiles[0].windows.need: loosens window need from 336h to 24h: a profile tightens, or says loosens: true and its reason"
    ),
    (
      "    windows: {memory: 24h}\n",
      "line 12: profiles[0].windows.memory: is what is remembered, and no profile may set it"
    ),
    (
      "    clocks: [{kind: gp-dentist, accept: 1d}]\n",
      "line 12: profiles[0].clocks[0]: no row of clocks is of the kind gp-dentist"
    ),
    ("    loosens: true\n", "line 11: profiles[0].reason: missing: why does it loosen?"),
    ("    reason: winter\n", "line 12: profiles[0].reason: goes with loosens: true"),
    ("  - name: winter\n", "line 12: profiles[1]: the same name as in line 11"),
  ])
  func `a profile that loosens in silence is refused`(text: String, fault: String) {
    #expect(profile(text) == [fault])
  }

  @Test func `a profile that owns up to loosening is taken`() {
    #expect(
      profile(
        "    loosens: true\n    reason: agreed\n    clocks: [{kind: gp-hospital, accept: 8d}]\n"
      )
      .isEmpty)
  }

  @Test func `faults of the hours of services are told by line`() {
    let text =
      minimal + """
        calendar:
          alwaysOpen: [ods:RTH]
          services:
            - service: RXQ
              days: [Mon]
              open: 20:00-08:00
              bankHolidays: sometimes
              closed: [Christmas]
            - service: ods:RTH
            - {days: [monday]}

        """
    #expect(
      faults(text) == [
        "line 13: calendar.services[0].service: must be a service such as ods:RTH",
        "line 14: calendar.services[0].days: must be days such as [monday, saturday]",
        "line 15: calendar.services[0].open: must be hours of one day such as 08:00-20:00",
        "line 16: calendar.services[0].bankHolidays: must be true or false",
        "line 17: calendar.services[0].closed[0]: must be a day such as 2026-12-25",
        "line 18: calendar.services[1]: ods:RTH has its hours already",
        "line 19: calendar.services[2].service: missing",
      ])
  }

  @Test func `the example is the policy that ships, with profiles that only tighten`() throws {
    let bytes = Array(try GoldenFile.read("deploy/examples/policy.yaml").utf8)
    let policy = try PolicyDocument(bytes).policy
    let changes = PolicyDifference(from: .default, to: policy).changes
    #expect(changes.map(\.subject) == ["profile opel-3", "profile opel-4", "profile winter"])
    for profile in policy.profiles {
      #expect(policy.loosenings(of: profile.name).isEmpty)
      let under = try #require(policy.under(profile.name))
      let tightened = PolicyDifference(from: policy, to: under).changes
        .filter { $0.tightness != nil }
      #expect(tightened.allSatisfy { $0.tightness == .tighter })
      #expect(
        tightened.count == profile.rows.reduce(profile.windows.count) { $0 + $1.clocks.count })
    }
  }
}
