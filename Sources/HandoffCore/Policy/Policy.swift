/// What is promised by when: the clocks of each kind of handoff, the windows of the rules, the
/// business calendar.
///
/// A value made from one versioned file, or ``default``; every verdict names it by ``hash``.
public struct Policy: Hashable, Sendable {
  /// The clocks of one kind; a row without priority is for all that have none of their own.
  public struct Row: Hashable, Sendable {
    public var kind: HandoffKind
    public var priority: Priority?
    public var clocks: Clocks

    public init(kind: HandoffKind, priority: Priority?, clocks: Clocks) {
      self.kind = kind
      self.priority = priority
      self.clocks = clocks
    }
  }

  public var version: UInt32
  /// SHA-256 of the bytes that the policy was read from.
  public var hash: RecordHash
  public var rows: [Row] { didSet { index = Index(rows) } }
  /// For kinds that the table does not know.
  public var fallback: Clocks
  /// T_deliver of a rail that is slower than T_ack, such as MESH with 24 h.
  public var railDelivery: [Code: ClockLength]
  public var windows: RuleWindows
  public var calendar: BusinessCalendar
  /// What is expected of each source, by its code.
  public var sources: [Code: SourcePolicy]
  /// What is expected of a source that no row names.
  public var sourceDefaults: SourcePolicy
  /// What parties are looked up in (A17); `nil` means that nothing is unknown.
  ///
  /// Not of the policy's file, and not part of ``hash``: an activation names the two side by side.
  public var register: OrganisationRegister?
  /// Named sections that a logged record switches on and off.
  public var profiles: [PolicyProfile]
  /// The profile that these values are under; `nil` for the policy as it stands.
  public internal(set) var profile: Code?

  private var index: Index

  public init(
    version: UInt32, hash: RecordHash, rows: [Row], fallback: Clocks,
    railDelivery: [Code: ClockLength], windows: RuleWindows, calendar: BusinessCalendar,
    profiles: [PolicyProfile] = [], sources: [Code: SourcePolicy] = [:],
    sourceDefaults: SourcePolicy = SourcePolicy()
  ) {
    self.version = version
    self.hash = hash
    self.rows = rows
    self.fallback = fallback
    self.railDelivery = railDelivery
    self.windows = windows
    self.calendar = calendar
    self.sources = sources
    self.sourceDefaults = sourceDefaults
    self.profiles = profiles
    index = Index(rows)
  }

  /// The clocks of a handoff: the row of its priority, else `urgent` for every priority that says
  /// so, else the row for all, else the fallback.
  public func clocks(kind: HandoffKind?, priority: Priority?) -> Clocks {
    row(kind: kind, priority: priority).map { rows[$0].clocks } ?? fallback
  }

  /// Where a row stands in the table, asked several times for every event that is judged.
  private func row(kind: HandoffKind?, priority: Priority?) -> Int? {
    guard let kind else { return nil }
    var low = index.firstPlace(of: kind)
    var (urgent, any): (Int?, Int?) = (nil, nil)
    while low < index.entries.count, index.entries[low].kind == kind {
      let entry = index.entries[low]
      if let priority, entry.priority == priority { return entry.row }
      if entry.priority == nil {
        any = any ?? entry.row
      } else if urgent == nil, entry.priority == .urgent, priority?.isUrgent == true {
        urgent = entry.row
      }
      low += 1
    }
    return urgent ?? any
  }

  /// The kinds that the table knows, in its order.
  public var kinds: [HandoffKind] {
    var kinds: [HandoffKind] = []
    for row in rows where !kinds.contains(row.kind) { kinds.append(row.kind) }
    return kinds
  }

  /// Rows in the order of kinds and, within one, of the table: where two rows are for the same kind
  /// and priority, the first counts; a loader refuses them.
  private struct Index: Hashable, Sendable {
    struct Entry: Hashable, Sendable {
      var kind: HandoffKind
      var priority: Priority?
      var row: Int
    }

    let entries: [Entry]
    /// Of each entry the kind as a number of the same order, which is compared at once.
    private let numbers: [UInt128]

    init(_ rows: [Row]) {
      entries = rows.enumerated()
        .map { Entry(kind: $1.kind, priority: $1.priority, row: $0) }
        .sorted { ($0.kind, $0.row) < ($1.kind, $1.row) }
      numbers = entries.map { $0.kind.text.order }
    }

    /// Where the entries of a kind begin, or the first after them would stand.
    func firstPlace(of kind: HandoffKind) -> Int {
      let number = kind.text.order
      var (low, high) = (0, numbers.count)
      while low < high {
        let middle = (low + high) / 2
        if numbers[middle] < number { low = middle + 1 } else { high = middle }
      }
      // Of long names that begin alike the numbers are equal.
      while low < numbers.count, numbers[low] == number, entries[low].kind < kind { low += 1 }
      return low
    }
  }
}
