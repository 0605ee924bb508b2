import HandoffCore
import Yams

/// The sections `sources` and `sourceDefaults` of a policy file.
extension PolicyLoader {
  static let weekdays = [
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
  ]

  /// What is expected of sources that no row names.
  mutating func sourceDefaults(_ entry: YAMLMapping.Entry) -> SourcePolicy {
    guard var mapping = mapping(entry) else { return SourcePolicy() }
    let defaults = expectations(&mapping, SourcePolicy())
    refuseRest(of: mapping)
    return defaults
  }

  /// One row a source; what a row does not say is as the defaults.
  mutating func sources(
    _ entry: YAMLMapping.Entry, defaults: SourcePolicy
  ) -> [Code: SourcePolicy] {
    guard let list = entry.node.sequence, list.count <= PolicyDocument.rowsMax else {
      fault(entry, "must be a list of at most \(PolicyDocument.rowsMax) sources")
      return [:]
    }
    var sources: [Code: SourcePolicy] = [:]
    for (index, node) in list.enumerated() {
      let path = "\(entry.path)[\(index)]"
      guard var mapping = YAMLMapping(node, path: path) else {
        fault(node.mark?.line ?? entry.line, path, "must be a source and what is expected of it")
        continue
      }
      let code = mandatory("source", of: &mapping).flatMap { entry in
        parsed(entry, "a code such as mllp-rth") { Code($0) }
      }
      let source = row(&mapping, expectations(&mapping, defaults))
      refuseRest(of: mapping)
      guard let code else { continue }
      if sources.updateValue(source, forKey: code) != nil {
        fault(mapping.line, path, "the same source twice")
      }
    }
    return sources
  }

  /// What may be said of one source only.
  private mutating func row(
    _ mapping: inout YAMLMapping, _ defaults: SourcePolicy
  ) -> SourcePolicy {
    var source = defaults
    for (line, path, text) in texts(mapping.take("organisations")) {
      if let organisation = OrganisationID(text) {
        source.organisations.insert(organisation)
      } else {
        fault(line, path, "must be an organisation such as ods:RTH")
      }
    }
    if let entry = mapping.take("onboardedAt") { source.onboardedAt = moment(entry) }
    if let entry = mapping.take("maintenance") { source.maintenance = maintenance(entry) }
    return source
  }

  /// What may be said of one source and of all.
  private mutating func expectations(
    _ mapping: inout YAMLMapping, _ defaults: SourcePolicy
  ) -> SourcePolicy {
    var source = defaults
    if let length = mapping.take("interval").flatMap({ elapsed($0) }) { source.interval = length }
    if let length = mapping.take("skew").flatMap({ elapsed($0) }) { source.skew = length }
    if let length = mapping.take("ahead").flatMap({ elapsed($0) }) { source.ahead = length }
    if let length = mapping.take("countWindow").flatMap({ elapsed($0) }) {
      source.countWindow = length
    }
    if let least = mapping.take("repeatsLeast").flatMap({ count($0, 1...1_000_000) }) {
      source.repeatsLeast = least
    }
    if let percent = mapping.take("repeatsPercent").flatMap({ count($0, 0...100) }) {
      source.repeatsPercent = percent
    }
    return source
  }

  private mutating func maintenance(_ entry: YAMLMapping.Entry) -> [MaintenanceWindow] {
    guard let list = entry.node.sequence, list.count <= 100 else {
      fault(entry, "must be a list of at most 100 windows")
      return []
    }
    var windows: [MaintenanceWindow] = []
    for (index, node) in list.enumerated() {
      let path = "\(entry.path)[\(index)]"
      guard var mapping = YAMLMapping(node, path: path) else {
        fault(node.mark?.line ?? entry.line, path, "must have from and to, or weekday, at and for")
        continue
      }
      if let window = window(&mapping) { windows.append(window) }
      refuseRest(of: mapping)
    }
    return windows
  }

  private mutating func window(_ mapping: inout YAMLMapping) -> MaintenanceWindow? {
    guard let weekday = mapping.take("weekday") else {
      let from = mandatory("from", of: &mapping).flatMap { moment($0) }
      let end = mandatory("to", of: &mapping)
      guard let from, let end, let to = moment(end) else { return nil }
      guard from < to else {
        fault(end, "must be later than from")
        return nil
      }
      return .once(from: from, to: to)
    }
    let day = parsed(weekday, "a day such as sunday") { Self.weekdays.firstIndex(of: $0) }
    let at = mandatory("at", of: &mapping).flatMap { entry in
      parsed(entry, "a time of day such as 02:30") { Self.timeOfDay($0) }
    }
    let length = mandatory("for", of: &mapping).flatMap { entry -> Elapsed? in
      guard let length = elapsed(entry) else { return nil }
      if length <= .hours(168) { return length }
      fault(entry, "must be at most 168h")
      return nil
    }
    guard let day, let at, let length else { return nil }
    return .weekly(weekday: day + 1, at: at, length: length)
  }

  private mutating func moment(_ entry: YAMLMapping.Entry) -> Timestamp? {
    parsed(entry, "a moment with its zone such as 2026-04-01T00:00:00Z") { RFC3339.parse($0) }
  }

  private mutating func count(
    _ entry: YAMLMapping.Entry, _ range: ClosedRange<UInt32>
  ) -> UInt32? {
    parsed(entry, "a whole number from \(range.lowerBound) to \(range.upperBound)") { text in
      UInt32(text).flatMap { range.contains($0) ? $0 : nil }
    }
  }

  /// Minutes of a day: `00:00` to `23:59`.
  private static func timeOfDay(_ text: String) -> Elapsed? {
    let bytes = Array(text.utf8)
    guard bytes.count == 5, bytes[2] == UInt8(ascii: ":"),
      let hour = Int64(text.prefix(2)), let minute = Int64(text.suffix(2)),
      (0..<24).contains(hour), (0..<60).contains(minute), bytes[0] != UInt8(ascii: "+"),
      bytes[3] != UInt8(ascii: "+")
    else { return nil }
    return .minutes(hour * 60 + minute)
  }
}
