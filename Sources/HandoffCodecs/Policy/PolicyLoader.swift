import HandoffCore
import Yams

/// Reads a policy out of a YAML mapping and collects every fault on the way.
struct PolicyLoader {
  private(set) var faults: [PolicyDocument.Fault] = []

  /// The policy; what it holds counts only where ``faults`` stayed empty.
  mutating func policy(_ root: YAMLMapping, hash: RecordHash) -> Policy? {
    var root = root
    if let format = mandatory("format", of: &root), text(format) != PolicyDocument.format {
      fault(format, "must be \(PolicyDocument.format)")
    }
    let version = version(of: &root)
    let rows = mandatory("clocks", of: &root).map { self.rows($0) }
    let fallback = root.take("fallback").map { entry -> Clocks? in
      guard var mapping = mapping(entry) else { return nil }
      return clocks(&mapping)
    }
    let delivery = root.take("railDelivery").map { railDelivery($0) }
    let windows = root.take("windows").map { self.windows($0) }
    let calendar = root.take("calendar").map { self.calendar($0) }
    let sourceDefaults =
      root.take("sourceDefaults").map { self.sourceDefaults($0) } ?? SourcePolicy()
    let sources = root.take("sources").map { self.sources($0, defaults: sourceDefaults) }
    refuseRest(of: root, but: "profiles")
    let isSound = faults.isEmpty
    let profiles = root.take("profiles").map { self.profiles($0) } ?? []
    guard let version, let rows, isSound else { return nil }
    let policy = Policy(
      version: version, hash: hash, rows: rows,
      fallback: (fallback ?? nil) ?? Policy.default.fallback,
      railDelivery: delivery ?? Policy.default.railDelivery, windows: windows ?? RuleWindows(),
      calendar: calendar ?? .england, profiles: profiles.map(\.profile), sources: sources ?? [:],
      sourceDefaults: sourceDefaults)
    for profile in profiles { judge(profile, of: policy) }
    return policy
  }

  /// Counts up with every change of a file.
  mutating func version(of root: inout YAMLMapping) -> UInt32? {
    mandatory("version", of: &root).flatMap { entry in
      parsed(entry, "a whole number from 1 to 4294967295") {
        UInt32($0).flatMap { $0 > 0 ? $0 : nil }
      }
    }
  }

  /// In the order of their lines.
  var sortedFaults: PolicyDocument.Faults {
    PolicyDocument.Faults(faults: faults.sorted { ($0.line, $0.key) < ($1.line, $1.key) })
  }

  // MARK: Sections

  private mutating func rows(_ entry: YAMLMapping.Entry) -> [Policy.Row] {
    guard let list = entry.node.sequence, !list.isEmpty, list.count <= PolicyDocument.rowsMax else {
      fault(entry, "must be a list of 1 to \(PolicyDocument.rowsMax) rows")
      return []
    }
    var rows: [Policy.Row] = []
    var lines: [HandoffKind: [Priority?: Int]] = [:]
    for (index, node) in list.enumerated() {
      let path = "\(entry.path)[\(index)]"
      guard var mapping = YAMLMapping(node, path: path) else {
        fault(node.mark?.line ?? entry.line, path, "must be a row of clocks")
        continue
      }
      let (kind, priority) = place(&mapping)
      let clocks = clocks(&mapping)
      guard let kind, let clocks else { continue }
      if let first = lines[kind]?[priority] {
        fault(mapping.line, path, "the same kind and priority as in line \(first)")
      }
      lines[kind, default: [:]][priority] = mapping.line
      rows.append(Policy.Row(kind: kind, priority: priority, clocks: clocks))
    }
    return rows
  }

  /// The kind and the priority of a row.
  mutating func place(_ mapping: inout YAMLMapping) -> (HandoffKind?, Priority?) {
    let expected = "1 to 40 lower-case letters, digits and hyphens"
    let kind = mandatory("kind", of: &mapping).flatMap { entry in
      parsed(entry, expected) { HandoffKind($0) }
    }
    let priority = mapping.take("priority").flatMap { entry in
      parsed(entry, expected) { Priority($0) }
    }
    return (kind, priority)
  }

  private mutating func clocks(_ mapping: inout YAMLMapping) -> Clocks? {
    let acknowledge = mandatoryLength("acknowledge", of: &mapping)
    let accept = mandatoryLength("accept", of: &mapping)
    let complete = mandatoryLength("complete", of: &mapping)
    let feedback = mandatoryLength("feedback", of: &mapping)
    let start = mandatory("start", of: &mapping).flatMap { entry in
      text(entry) == "none" ? nil : length(entry)
    }
    let deliver = mapping.take("deliver").flatMap { length($0) }
    let outcome = mapping.take("outcome").flatMap { length($0) }
    let anchor = mapping.take("startFrom").flatMap { entry in
      parsed(entry, "request or dischargeReady") { Clocks.StartAnchor(rawValue: $0) }
    }
    let isFeedbackOwed = mapping.take("feedbackOwed").flatMap { flag($0) }
    let isDocument = mapping.take("document").flatMap { flag($0) }
    let basis = mapping.take("basis").flatMap { entry in
      parsed(entry, "N, P, N+P or local") { Clocks.Basis(rawValue: $0) }
    }
    let note = mapping.take("note").flatMap { self.note($0) }
    refuseRest(of: mapping)
    guard let acknowledge, let accept, let complete, let feedback else { return nil }
    return Clocks(
      acknowledge: acknowledge, deliver: deliver, accept: accept, start: start,
      startAnchor: anchor ?? .request, complete: complete, outcome: outcome,
      feedback: feedback, isFeedbackOwed: isFeedbackOwed ?? true, isDocument: isDocument ?? false,
      basis: basis ?? .local, note: note ?? "")
  }

  private mutating func railDelivery(_ entry: YAMLMapping.Entry) -> [Code: ClockLength] {
    guard let mapping = mapping(entry) else { return [:] }
    var delivery: [Code: ClockLength] = [:]
    for rail in mapping.rest {
      guard let code = Code(rail.path.dropFirst(entry.path.count + 1)) else {
        fault(rail, "the rail must be a code such as mesh")
        continue
      }
      if let length = length(rail) { delivery[code] = length }
    }
    return delivery
  }

  private mutating func windows(_ entry: YAMLMapping.Entry) -> RuleWindows {
    var windows = RuleWindows()
    guard var mapping = mapping(entry) else { return windows }
    for window in PolicyWindow.all {
      guard let entry = mapping.take(window.key), let length = length(entry, of: window) else {
        continue
      }
      window.set(length, in: &windows)
    }
    refuseRest(of: mapping)
    return windows
  }

  // MARK: Values

  mutating func fault(_ entry: YAMLMapping.Entry, _ problem: String) {
    fault(entry.line, entry.path, problem)
  }

  mutating func fault(_ line: Int, _ path: String, _ problem: String) {
    faults.append(PolicyDocument.Fault(line: line, key: path, problem: problem))
  }

  mutating func refuseRest(of mapping: YAMLMapping, but later: String? = nil) {
    for entry in mapping.rest where entry.path != later { fault(entry, "unknown key") }
  }

  mutating func mandatory(
    _ key: String, of mapping: inout YAMLMapping
  ) -> YAMLMapping.Entry? {
    if let entry = mapping.take(key) { return entry }
    fault(mapping.line, mapping.path.isEmpty ? key : "\(mapping.path).\(key)", "missing")
    return nil
  }

  mutating func mapping(_ entry: YAMLMapping.Entry) -> YAMLMapping? {
    if let mapping = YAMLMapping(entry.node, path: entry.path) { return mapping }
    fault(entry, "must be a mapping of keys to values")
    return nil
  }

  func text(_ entry: YAMLMapping.Entry) -> String? { entry.node.scalar?.string }

  mutating func parsed<Value>(
    _ entry: YAMLMapping.Entry, _ expected: String, _ parse: (String) -> Value?
  ) -> Value? {
    if let value = text(entry).flatMap(parse) { return value }
    fault(entry, "must be \(expected)")
    return nil
  }

  mutating func note(_ entry: YAMLMapping.Entry) -> String? {
    parsed(entry, "text of at most 200 characters") { $0.count <= 200 ? $0 : nil }
  }

  mutating func flag(_ entry: YAMLMapping.Entry) -> Bool? {
    parsed(entry, "true or false") { Bool($0) }
  }

  private mutating func mandatoryLength(
    _ key: String, of mapping: inout YAMLMapping
  ) -> ClockLength? {
    mandatory(key, of: &mapping).flatMap { length($0) }
  }

  /// Longer than nothing: a clock of no length would be due before anybody could answer.
  mutating func length(_ entry: YAMLMapping.Entry) -> ClockLength? {
    parsed(entry, "a length such as 45s, 15min, 2h, 7d, 4wk, 3wd or sameDay") { text in
      switch ClockLength(text) {
      case .elapsed(let elapsed) where elapsed <= .zero: nil
      case .days(0), .workingDays(0): nil
      case let length: length
      }
    }
  }

  mutating func elapsed(_ entry: YAMLMapping.Entry) -> Elapsed? {
    parsed(entry, "elapsed time such as 15min or 24h") { text in
      guard case .elapsed(let elapsed) = ClockLength(text), elapsed > .zero else { return nil }
      return elapsed
    }
  }

  /// The length of a window, in the unit that it takes.
  mutating func length(_ entry: YAMLMapping.Entry, of window: PolicyWindow) -> ClockLength? {
    switch window.field {
    case .elapsed: elapsed(entry).map { .elapsed($0) }
    case .length: length(entry)
    }
  }

  mutating func texts(
    _ entry: YAMLMapping.Entry?
  ) -> [(line: Int, path: String, text: String)] {
    guard let entry else { return [] }
    guard let list = entry.node.sequence else {
      fault(entry, "must be a list")
      return []
    }
    return list.enumerated().map { index, node in
      (node.mark?.line ?? entry.line, "\(entry.path)[\(index)]", node.scalar?.string ?? "")
    }
  }
}
