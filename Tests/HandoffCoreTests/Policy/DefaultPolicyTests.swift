import HandoffCore
import Testing

/// The table that ships, against the table of the design, row by row as it is written there.
@Suite struct `The policy that ships` {
  /// Kind, priority, T_ack, T_accept, T_start, T_fb, basis.
  private static let table = """
    ambulance-ed         *              1min  15min 45min       24h  N
    111-ucr              *              5min  30min 2h          24h  N+P
    gp-ucr               *              5min  30min 2h          24h  N+P
    ed-mh-liaison        *              5min  30min 1h          24h  N+P
    mh-crisis            *              5min  4h    24h         24h  N+P
    mh-crisis            very-urgent    5min  1h    4h          24h  N+P
    gp-community-mh      *              1h    5wd   4wk         7d   N+P
    mh-follow-up         *              1h    24h   72h         24h  N
    gp-suspected-cancer  *              1h    2wd   -           7d   N+P
    gp-hospital          *              4h    7d    18wk        7d   N+P
    gp-hospital          urgent         1h    3wd   6wk         7d   P
    diagnostics          *              1h    3wd   6wk         7d   N+P
    hospital-council     *              1h    24h   ready+24h   24h  P
    hospital-council     urgent         15min 4h    sameDay     24h  P
    hospital-council     self-discharge 15min 4h    sameDay     24h  P
    community-bed        *              15min 4h    ready+24h   24h  P
    home-care            *              1h    24h   ready+48h   2wd  N+P
    virtual-ward         *              15min 2h    sameDay     24h  P
    virtual-ward         step-up        15min 1h    4h          24h  P
    care-home            *              1h    24h   ready+72h   24h  P
    discharge-summary    *              15min 3h    -           24h  N
    outpatient-letter    *              1h    3h    -           7d   N
    social-prescribing   *              1wd   3wd   10wd        10wd P
    pharmacy             *              5min  4h    24h         24h  P
    mutual-aid           *              30s   2min  3h          24h  P
    mutual-aid           c1             30s   2min  15min       24h  P
    mutual-aid           c2             30s   2min  40min       24h  P
    mutual-aid           c3             30s   2min  2h          24h  P
    mutual-aid           c4             30s   2min  3h          24h  P
    """

  @Test func `has every row of the design's table, and no other`() {
    let rows = Policy.default.rows.map { row in
      let clocks = row.clocks
      let anchor = clocks.startAnchor == .request ? "" : "ready+"
      return [
        "\(row.kind)", row.priority.map { "\($0)" } ?? "*", "\(clocks.acknowledge)",
        "\(clocks.accept)", clocks.start.map { "\(anchor)\($0)" } ?? "-", "\(clocks.feedback)",
        clocks.basis.rawValue,
      ]
    }
    let table = Self.table.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    for (row, wanted) in zip(rows, table) { #expect(row == wanted) }
    #expect(rows.count == table.count)
  }

  @Test func `kinds are told apart, long names that begin alike among them`() throws {
    let names = [
      "a", "long-name-of-it", "long-name-of-it-", "long-name-of-it-a", "long-name-of-it-b",
      "long-name-of-it-b-and-more", "z",
    ]
    var policy = Policy.default
    policy.rows = try names.reversed().map { name in
      var clocks = policy.fallback
      clocks.note = name
      return Policy.Row(kind: try #require(HandoffKind(name)), priority: nil, clocks: clocks)
    }
    for name in names {
      #expect(policy.clocks(kind: HandoffKind(name), priority: .routine).note == name)
    }
    for name in ["long-name-of-i", "long-name-of-it-aa", "long-name-of-it-c", "b"] {
      #expect(policy.clocks(kind: HandoffKind(name), priority: nil) == policy.fallback)
    }
  }

  @Test func `names the source of every row`() {
    #expect(Policy.default.rows.allSatisfy { !$0.clocks.note.isEmpty && $0.clocks.basis != .local })
  }

  @Test func `has the further clocks of the design`() throws {
    let windows = Dictionary(
      uniqueKeysWithValues: PolicyWindow.all.map {
        ($0.key, "\($0.length(in: Policy.default.windows))")
      })
    let wanted = [
      "hold": "2wd", "holdCap": "10wd", "reroute": "1wd", "rerouteUrgent": "2h", "negative": "1wd",
      "confirmation": "2h", "reorder": "15min", "need": "336h", "needUrgent": "48h",
      "dischargeHome": "2h", "dischargeBed": "4h", "readyRequest": "2h", "readyAccept": "24h",
      "orphan": "24h", "bounce": "720h", "bookingGrace": "24h", "resend": "24h",
    ]
    for (key, length) in wanted { #expect(windows[key] == length, "\(key)") }
    let mesh = try #require(Code("mesh"))
    #expect(Policy.default.railDelivery == [mesh: .hours(24)])
    let cancer = Policy.default.clocks(kind: HandoffKind("gp-suspected-cancer"), priority: nil)
    #expect(cancer.outcome == .days(28))
    let routine: Set = [
      "gp-community-mh", "gp-suspected-cancer", "gp-hospital", "diagnostics", "social-prescribing",
    ]
    for row in Policy.default.rows {
      let wanted: ClockLength = routine.contains("\(row.kind)") ? .weeks(18) : .days(30)
      #expect(row.clocks.complete == wanted, "\(row.kind)")
    }
  }

  @Test func `every window has a key of its own`() {
    #expect(Set(PolicyWindow.all.map(\.key)).count == PolicyWindow.all.count)
  }
}
