/// A named section of a policy, such as `winter` or `opel-4`, that a logged record switches on.
///
/// It may tighten; a profile that loosens anything says so with its reason, or its file is refused:
/// under pressure nobody should find that what was promised has quietly become less.
public struct PolicyProfile: Hashable, Sendable {
  /// The clocks of one kind at one priority that the profile sets; the others stay.
  public struct Row: Hashable, Sendable {
    public var kind: HandoffKind
    /// `nil` for the row of all priorities that have none of their own.
    public var priority: Priority?
    public var clocks: [PolicyClock: ClockLength]

    public init(kind: HandoffKind, priority: Priority?, clocks: [PolicyClock: ClockLength]) {
      self.kind = kind
      self.priority = priority
      self.clocks = clocks
    }
  }

  public var name: Code
  /// When it is for, and where its values come from.
  public var note: String
  public var rows: [Row]
  /// By ``PolicyWindow/key``; none that is ``PolicyWindow/Direction/neither``.
  public var windows: [String: ClockLength]
  /// Why it loosens, where it does.
  public var loosensBecause: String?

  public init(
    name: Code, note: String = "", rows: [Row] = [], windows: [String: ClockLength] = [:],
    loosensBecause: String? = nil
  ) {
    self.name = name
    self.note = note
    self.rows = rows
    self.windows = windows
    self.loosensBecause = loosensBecause
  }
}

extension Policy {
  /// The policy under one of its profiles; `nil` where it has none of that name.
  ///
  /// It keeps the hash of its file: a verdict names the file, and the profile beside it.
  public func under(_ name: Code) -> Policy? {
    guard let profile = profiles.first(where: { $0.name == name }) else { return nil }
    var policy = self
    policy.profile = name
    var rows = self.rows
    for change in profile.rows {
      var clocks = self.clocks(kind: change.kind, priority: change.priority)
      for (clock, length) in change.clocks { clock.set(length, in: &clocks) }
      clocks.basis = .local
      clocks.note = "profile \(name)"
      let row = Row(kind: change.kind, priority: change.priority, clocks: clocks)
      if let index = rows.firstIndex(where: {
        $0.kind == change.kind && $0.priority == change.priority
      }) {
        rows[index] = row
      } else {
        rows.append(row)
      }
    }
    policy.rows = rows
    for window in PolicyWindow.all {
      if let length = profile.windows[window.key] { window.set(length, in: &policy.windows) }
    }
    return policy
  }

  /// What a logged switch asks for; the policy alone where it has no profile of that name.
  func under(_ activation: RulesActivation) -> Policy {
    activation.profile.flatMap(under) ?? self
  }
}
