internal import HandoffCodecs
package import HandoffCore

/// A policy that changes on the way: in one seed of four a profile is switched on and off again.
extension Campaign {
  /// The default policy with a profile that halves clocks and the windows of a stay, and tightens what
  /// follows a refusal.
  package static let policy: Policy = {
    var policy = Policy.default
    var profile = PolicySwitches.profile(of: policy)
    profile.windows["reroute"] = .elapsed(.hours(4))
    profile.windows["rerouteUrgent"] = .elapsed(.hours(1))
    profile.windows["negative"] = .elapsed(.hours(6))
    policy.profiles = [profile]
    return policy
  }()

  /// Whether the profile is switched in the run of a seed.
  static func isSwitched(_ seed: UInt64) -> Bool { seed % 4 == 1 }
}
