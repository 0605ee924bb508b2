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

  /// What a policy consists of.
  private struct Content: Hashable, Sendable {
    var version: UInt32
    var hash: RecordHash
    var rows: [Row] { didSet { index = Index(rows) } }
    var fallback: Clocks
    var railDelivery: [Code: ClockLength]
    var windows: RuleWindows
    var calendar: BusinessCalendar
    var sources: [Code: SourcePolicy]
    var sourceDefaults: SourcePolicy
    var register: OrganisationRegister?
    var profiles: [PolicyProfile]
    var profile: Code?
    var index: Index
  }

  /// Behind one reference and never changed: a policy goes along with every event that is judged, and
  /// a copy of all that it consists of costs as much as judging.
  private final class Box: Sendable {
    let content: Content
    /// Of each row, and of ``Content/fallback`` behind them.
    let clocks: [HeldClocks]

    init(_ content: Content) {
      self.content = content
      clocks = (content.rows.map(\.clocks) + [content.fallback]).map { HeldClocks($0) }
    }
  }

  private var box: Box

  private var content: Content {
    _read { yield box.content }
    _modify {
      var content = box.content
      defer { box = Box(content) }
      yield &content
    }
  }

  public init(
    version: UInt32, hash: RecordHash, rows: [Row], fallback: Clocks,
    railDelivery: [Code: ClockLength], windows: RuleWindows, calendar: BusinessCalendar,
    profiles: [PolicyProfile] = [], sources: [Code: SourcePolicy] = [:],
    sourceDefaults: SourcePolicy = SourcePolicy()
  ) {
    box = Box(
      Content(
        version: version, hash: hash, rows: rows, fallback: fallback, railDelivery: railDelivery,
        windows: windows, calendar: calendar, sources: sources, sourceDefaults: sourceDefaults,
        register: nil, profiles: profiles, profile: nil, index: Index(rows)))
  }

  public static func == (left: Policy, right: Policy) -> Bool {
    left.box === right.box || left.box.content == right.box.content
  }

  public func hash(into hasher: inout Hasher) { hasher.combine(box.content) }

  public var version: UInt32 {
    get { box.content.version }
    set { content.version = newValue }
  }

  /// SHA-256 of the bytes that the policy was read from.
  public var hash: RecordHash {
    get { box.content.hash }
    set { content.hash = newValue }
  }

  public var rows: [Row] {
    _read { yield box.content.rows }
    _modify { yield &content.rows }
  }

  /// For kinds that the table does not know.
  public var fallback: Clocks {
    _read { yield box.content.fallback }
    _modify { yield &content.fallback }
  }

  /// T_deliver of a rail that is slower than T_ack, such as MESH with 24 h.
  public var railDelivery: [Code: ClockLength] {
    _read { yield box.content.railDelivery }
    _modify { yield &content.railDelivery }
  }

  public var windows: RuleWindows {
    _read { yield box.content.windows }
    _modify { yield &content.windows }
  }

  public var calendar: BusinessCalendar {
    _read { yield box.content.calendar }
    _modify { yield &content.calendar }
  }

  /// What is expected of each source, by its code.
  public var sources: [Code: SourcePolicy] {
    _read { yield box.content.sources }
    _modify { yield &content.sources }
  }

  /// What is expected of a source that no row names.
  public var sourceDefaults: SourcePolicy {
    _read { yield box.content.sourceDefaults }
    _modify { yield &content.sourceDefaults }
  }

  /// What parties are looked up in (A17); `nil` means that nothing is unknown.
  ///
  /// Not of the policy's file, and not part of ``hash``: an activation names the two side by side.
  public var register: OrganisationRegister? {
    _read { yield box.content.register }
    _modify { yield &content.register }
  }

  /// Named sections that a logged record switches on and off.
  public var profiles: [PolicyProfile] {
    _read { yield box.content.profiles }
    _modify { yield &content.profiles }
  }

  /// The profile that these values are under; `nil` for the policy as it stands.
  public internal(set) var profile: Code? {
    get { box.content.profile }
    set { content.profile = newValue }
  }

  /// The clocks of a handoff: the row of its priority, else `urgent` for every priority that says
  /// so, else the row for all, else the fallback.
  public func clocks(kind: HandoffKind?, priority: Priority?) -> Clocks {
    held(clocksOf: kind, priority).value
  }

  /// The same clocks behind a reference: they are asked for after every event.
  func held(clocksOf kind: HandoffKind?, _ priority: Priority?) -> HeldClocks {
    let row = kind.flatMap { box.content.index.row(kind: $0, priority: priority) }
    return box.clocks[row ?? box.clocks.count - 1]
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

    /// Where the row of a kind stands in the table, asked several times for every event that is judged.
    func row(kind: HandoffKind, priority: Priority?) -> Int? {
      var place = firstPlace(of: kind)
      var (urgent, any): (Int?, Int?) = (nil, nil)
      let entries = entries.span
      while place < entries.count, entries[place].kind == kind {
        let row = entries[place].row
        if let own = entries[place].priority {
          if own == priority { return row }
          if urgent == nil, own == .urgent { urgent = row }
        } else if any == nil {
          any = row
        }
        place += 1
      }
      // Whether a priority says urgent takes longest to tell.
      guard let urgent, priority?.isUrgent == true else { return any }
      return urgent
    }

    /// Where the entries of a kind begin, or the first after them would stand.
    private func firstPlace(of kind: HandoffKind) -> Int {
      let number = kind.text.order
      let numbers = numbers.span
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
