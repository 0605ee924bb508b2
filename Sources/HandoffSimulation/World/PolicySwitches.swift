internal import HandoffCodecs
internal import HandoffCore

/// A profile of the policy that is switched on for the second third of a run, and off again.
///
/// It halves clocks and windows of a stay. A handoff stays under what was in force when its request
/// arrived, and a stay under what was when it was spoken of, whatever is switched later.
struct PolicySwitches: Sendable {
  /// The profile's name in the policy of a simulation.
  static let name = code("simulated-winter")

  /// The windows that it halves.
  private static let ofStays = ["readyRequest", "dischargeHome", "dischargeBed"]

  let policy: Policy
  private let profiled: Policy
  /// From when on, and up to before when, the profile is in force.
  let on: Timestamp
  let off: Timestamp

  /// `nil` where the policy has no such profile, or the run is shorter than three days.
  init?(_ policy: Policy, from start: Timestamp, to end: Timestamp) {
    let length = end.since(start)
    guard let profiled = policy.under(Self.name), length >= .hours(72) else { return nil }
    self.policy = policy
    self.profiled = profiled
    let third = length.nanoseconds / 3 / 1_000_000 * 1_000_000
    on = start.advanced(by: Elapsed(nanoseconds: third))
    off = start.advanced(by: Elapsed(nanoseconds: 2 * third))
  }

  /// What a handoff is judged by whose request arrives at `arrival`.
  func policy(at arrival: Timestamp) -> Policy {
    on <= arrival && arrival < off ? profiled : policy
  }

  /// The records that switch, each with its time.
  var records: [(at: Timestamp, record: WireRecord)] {
    [(on, Self.name), (off, nil)].map { at, profile in
      let activation = RulesActivation(
        rulesVersion: PersonReducer.rulesVersion, policyHash: policy.hash, profile: profile,
        registerHash: policy.register?.hash, isCommanded: true)
      return (at, WireCodec().encode(activation, at: at))
    }
  }

  /// The profile: acceptances, starts and feedback of every kind, and what a stay has, in half the
  /// time.
  static func profile(of policy: Policy) -> PolicyProfile {
    var profile = PolicyProfile(name: name, note: "made for simulations")
    profile.rows = policy.rows.map { row in
      var clocks: [PolicyClock: ClockLength] = [:]
      for clock in [PolicyClock.accept, .start, .feedback] {
        clocks[clock] = clock.length(in: row.clocks).flatMap(half)
      }
      return PolicyProfile.Row(kind: row.kind, priority: row.priority, clocks: clocks)
    }.filter { !$0.clocks.isEmpty }
    for window in PolicyWindow.all where ofStays.contains(window.key) {
      profile.windows[window.key] = half(of: window.length(in: policy.windows))
    }
    return profile
  }

  private static func half(of length: ClockLength) -> ClockLength? {
    switch length {
    case .elapsed(let elapsed):
      elapsed >= .minutes(2) ? .elapsed(.minutes(elapsed.nanoseconds / 120_000_000_000)) : nil
    case .days(let days): days > 1 ? .days(days / 2) : nil
    case .workingDays(let days): days > 1 ? .workingDays(days / 2) : nil
    case .sameDay: nil
    }
  }
}
