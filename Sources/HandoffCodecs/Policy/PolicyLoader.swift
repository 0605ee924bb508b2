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
    let version = mandatory("version", of: &root).flatMap { entry in
      parsed(entry, "a whole number from 1 to 4294967295") {
        UInt32($0).flatMap { $0 > 0 ? $0 : nil }
      }
    }
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
    refuseRest(of: root)
    guard let version, let rows, faults.isEmpty else { return nil }
    return Policy(
      version: version, hash: hash, rows: rows,
      fallback: (fallback ?? nil) ?? Policy.default.fallback,
      railDelivery: delivery ?? Policy.default.railDelivery, windows: windows ?? RuleWindows(),
      calendar: calendar ?? .england, sources: sources ?? [:], sourceDefaults: sourceDefaults)
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
      let kind = mandatory("kind", of: &mapping).flatMap { entry in
        parsed(entry, "1 to 40 lower-case letters, digits and hyphens") { HandoffKind($0) }
      }
      let priority = mapping.take("priority").map { entry in
        parsed(entry, "1 to 40 lower-case letters, digits and hyphens") { Priority($0) }
      }
      let clocks = clocks(&mapping)
      guard let kind, let clocks else { continue }
      if let first = lines[kind]?[priority ?? nil] {
        fault(mapping.line, path, "the same kind and priority as in line \(first)")
      }
      lines[kind, default: [:]][priority ?? nil] = mapping.line
      rows.append(Policy.Row(kind: kind, priority: priority ?? nil, clocks: clocks))
    }
    return rows
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
    let note = mapping.take("note").flatMap { entry in
      parsed(entry, "text of at most 200 characters") { $0.count <= 200 ? $0 : nil }
    }
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
      guard let entry = mapping.take(window.key) else { continue }
      switch window.field {
      case .elapsed(let path):
        if let elapsed = elapsed(entry) { windows[keyPath: path] = elapsed }
      case .length(let path):
        if let length = length(entry) { windows[keyPath: path] = length }
      }
    }
    refuseRest(of: mapping)
    return windows
  }

  private mutating func calendar(_ entry: YAMLMapping.Entry) -> BusinessCalendar {
    guard var mapping = mapping(entry) else { return .england }
    var calendar = BusinessCalendar.england
    if let holidays = mapping.take("bankHolidays") {
      switch text(holidays) {
      case "england": break
      case "none": calendar.holidays = []
      default: fault(holidays, "must be england or none")
      }
    }
    for (line, path, text) in texts(mapping.take("closed")) {
      if let date = CivilDate(text) {
        calendar.holidays.insert(date)
      } else {
        fault(line, path, "must be a day such as 2026-12-25")
      }
    }
    for (line, path, text) in texts(mapping.take("alwaysOpen")) {
      if let service = OrganisationID(text) {
        calendar.alwaysOpen.insert(service)
      } else {
        fault(line, path, "must be a service such as ods:RTH")
      }
    }
    refuseRest(of: mapping)
    return calendar
  }

  // MARK: Values

  mutating func fault(_ entry: YAMLMapping.Entry, _ problem: String) {
    fault(entry.line, entry.path, problem)
  }

  mutating func fault(_ line: Int, _ path: String, _ problem: String) {
    faults.append(PolicyDocument.Fault(line: line, key: path, problem: problem))
  }

  mutating func refuseRest(of mapping: YAMLMapping) {
    for entry in mapping.rest { fault(entry, "unknown key") }
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

  private func text(_ entry: YAMLMapping.Entry) -> String? { entry.node.scalar?.string }

  mutating func parsed<Value>(
    _ entry: YAMLMapping.Entry, _ expected: String, _ parse: (String) -> Value?
  ) -> Value? {
    if let value = text(entry).flatMap(parse) { return value }
    fault(entry, "must be \(expected)")
    return nil
  }

  private mutating func flag(_ entry: YAMLMapping.Entry) -> Bool? {
    parsed(entry, "true or false") { Bool($0) }
  }

  private mutating func mandatoryLength(
    _ key: String, of mapping: inout YAMLMapping
  ) -> ClockLength? {
    mandatory(key, of: &mapping).flatMap { length($0) }
  }

  /// Longer than nothing: a clock of no length would be due before anybody could answer.
  private mutating func length(_ entry: YAMLMapping.Entry) -> ClockLength? {
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

/// One window of the rules, as a key of the file.
struct PolicyWindow {
  enum Field {
    case elapsed(any WritableKeyPath<RuleWindows, Elapsed> & Sendable)
    case length(any WritableKeyPath<RuleWindows, ClockLength> & Sendable)
  }

  var key: String
  var field: Field
  var comment: String

  static let all: [PolicyWindow] = [
    PolicyWindow(
      key: "reorder", field: .elapsed(\.reorder),
      comment: "within it events are put in the order in which they happened"),
    PolicyWindow(
      key: "reroute", field: .length(\.reroute), comment: "from a refusal to the next step (A11)"),
    PolicyWindow(
      key: "rerouteUrgent", field: .length(\.rerouteUrgent),
      comment: "the same for every priority that says urgent"),
    PolicyWindow(
      key: "hold", field: .length(\.hold), comment: "one question to the sender (A08)"),
    PolicyWindow(
      key: "holdCap", field: .length(\.holdCap), comment: "the sum of the pauses of accept"),
    PolicyWindow(
      key: "bookingGrace", field: .elapsed(\.bookingGrace),
      comment: "after a booked hour without a word of it (A09)"),
    PolicyWindow(
      key: "confirmation", field: .length(\.confirmation),
      comment: "two acceptances beside each other (A05)"),
    PolicyWindow(
      key: "repeats", field: .elapsed(\.repeats),
      comment: "after it a repeat begins a new episode (A01)"),
    PolicyWindow(
      key: "memory", field: .elapsed(\.memory), comment: "how long an event is known again"),
    PolicyWindow(
      key: "illegal", field: .elapsed(\.illegal),
      comment: "how long an illegal event waits for what makes it legal (A14)"),
    PolicyWindow(
      key: "need", field: .elapsed(\.need),
      comment: "two requests of one need within it are one (A04, A06)"),
    PolicyWindow(
      key: "needUrgent", field: .elapsed(\.needUrgent),
      comment: "the same for every priority that says urgent"),
    PolicyWindow(
      key: "resend", field: .elapsed(\.resend),
      comment: "within it the same content under another id is a plain repeat (A02)"),
    PolicyWindow(
      key: "orphan", field: .elapsed(\.orphan),
      comment: "an answer waits so long for its request, after reorder (A13)"),
    PolicyWindow(
      key: "bounce", field: .elapsed(\.bounce), comment: "hops within it are one to and fro (A15)"),
    PolicyWindow(
      key: "dischargeHome", field: .elapsed(\.dischargeHome),
      comment: "from a discharge on pathway 1 to its start (A20)"),
    PolicyWindow(
      key: "dischargeBed", field: .elapsed(\.dischargeBed),
      comment: "from a discharge on pathway 2 or 3 to its start (A20)"),
    PolicyWindow(
      key: "readyRequest", field: .elapsed(\.readyRequest),
      comment: "from ready for discharge to a request (A21)"),
    PolicyWindow(
      key: "readyAccept", field: .elapsed(\.readyAccept),
      comment: "from ready for discharge to an acceptance (A21)"),
    PolicyWindow(
      key: "death", field: .elapsed(\.death), comment: "how long a death is remembered (A23)"),
    PolicyWindow(
      key: "negative", field: .length(\.negative),
      comment: "from a refusal of the person to the sender's answer to it (A22)"),
    PolicyWindow(
      key: "supersededGrace", field: .elapsed(\.supersededGrace),
      comment: "after a merge the old number may still be on its way (A16)"),
    PolicyWindow(
      key: "ended", field: .elapsed(\.ended), comment: "how long an ended handoff is kept"),
  ]
}
