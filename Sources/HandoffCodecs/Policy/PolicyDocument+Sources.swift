import HandoffCore

extension PolicyDocument {
  /// The sections on sources of a rendered file.
  static func sourceLines(of policy: Policy) -> [String] {
    var lines = [
      "", "# What is expected of sources that no row names.",
      "#   interval        usual time between two heartbeats; three without a word are silence (A18)",
      "#   skew            how far their clock may be off the broker's (A19)",
      "#   ahead           how far in the future what they report may lie (A19)",
      "#   repeatsLeast    repeats within an hour that count as many (A01), if they are also",
      "#   repeatsPercent  so many percent of the messages of that hour",
      "#   countWindow     how long totals may differ from what was counted (A26)",
      "sourceDefaults:",
    ]
    lines += expectations(of: policy.sourceDefaults).map { "  \($0)" }
    lines += [
      "", "# Sources by their code, such as:", "#   - source: mllp-rth",
      "#     organisations: [\"ods:RTH\"]         # whose answers it can carry",
      "#     onboardedAt: 2026-04-01T00:00:00Z  # answers to older messages raise nothing (A13)",
      "#     maintenance:", "#       - {weekday: sunday, at: \"02:00\", for: 4h}",
      "#       - {from: 2026-12-24T20:00:00Z, to: 2026-12-25T06:00:00Z}",
    ]
    lines.append(policy.sources.isEmpty ? "sources: []" : "sources:")
    for (code, source) in policy.sources.sorted(by: { $0.key < $1.key }) {
      lines.append("  - source: \(quoted("\(code)"))")
      if !source.organisations.isEmpty {
        let names = source.organisations.sorted().map { quoted("\($0)") }
        lines.append("    organisations: [\(names.joined(separator: ", "))]")
      }
      if let moment = source.onboardedAt {
        lines.append("    onboardedAt: \(RFC3339.text(moment))")
      }
      if !source.maintenance.isEmpty { lines.append("    maintenance:") }
      lines += source.maintenance.map { "      - \(text(of: $0))" }
      lines += expectations(of: source).map { "    \($0)" }
    }
    return lines
  }

  private static func expectations(of source: SourcePolicy) -> [String] {
    [
      "interval: \(ClockLength.elapsed(source.interval))",
      "skew: \(ClockLength.elapsed(source.skew))",
      "ahead: \(ClockLength.elapsed(source.ahead))",
      "repeatsLeast: \(source.repeatsLeast)",
      "repeatsPercent: \(source.repeatsPercent)",
      "countWindow: \(ClockLength.elapsed(source.countWindow))",
    ]
  }

  private static func text(of window: MaintenanceWindow) -> String {
    switch window {
    case .once(let from, let to):
      return "{from: \(RFC3339.text(from)), to: \(RFC3339.text(to))}"
    case .weekly(let weekday, let at, let length):
      let minutes = at.nanoseconds / 60_000_000_000
      let digits = [minutes / 60, minutes % 60].map { $0 < 10 ? "0\($0)" : "\($0)" }
      return "{weekday: \(PolicyLoader.weekdays[weekday - 1]), at: "
        + "\"\(digits.joined(separator: ":"))\", for: \(ClockLength.elapsed(length))}"
    }
  }
}
