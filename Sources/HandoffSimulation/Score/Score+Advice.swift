internal import HandoffCore

extension [Double] {
  /// Of sorted values the one that so many of a hundred do not exceed; `nil` where there are none.
  func percentile(_ percent: Int) -> Double? {
    isEmpty ? nil : self[Swift.min(count - 1, count * percent / 100)]
  }
}

extension Score.Row {
  /// What it would take to do better; `nil` where everything is found at once, and nothing in vain.
  var advice: String? {
    let isLate = (minutes(percentile: 95) ?? 0) > 5
    guard (recall ?? 1) < 1 || (precision ?? 1) < 1 || isLate else { return nil }
    let words: [String?] = [
      (recall ?? 1) < 1 ? "misses: \(missing)" : nil,
      (precision ?? 1) < 1 ? "says in vain: \(vain)" : nil,
      isLate ? "late: \(late)" : nil,
    ]
    return "\(rule.rawValue) " + words.compactMap(\.self).joined(separator: "; ")
  }

  private var missing: String {
    switch rule {
    case .a02: "a longer memory of contents (windows.memory)"
    case .a04, .a06: "need groups on every request, and a longer windows.need"
    case .a05: "an answer of each receiver through a connector that names it"
    case .a12, .a14, .a24: "versions and sequence numbers from the sender"
    case .a13: "a longer wait for the request costs time; a shorter one, false alarms"
    case .a15: "journey ids on every re-referral"
    case .a16: "merges told by every source, not by one"
    case .a18: "heartbeats in shorter intervals"
    case .a25: "sequence numbers from every source"
    default: "what is missed stands in the findings (--explain)"
    }
  }

  private var vain: String {
    switch rule {
    case .a04, .a06: "links (parent, group) on what belongs together, or a shorter windows.need"
    case .a07, .a08, .a09, .a10, .a11: "heartbeats that say how far each source is"
    case .a01: "a higher number of repeats before a source is named"
    default: "what is false stands in the findings (--explain)"
    }
  }

  private var late: String {
    switch rule {
    case .a20, .a21, .a07, .a08, .a09, .a10, .a11, .a13, .a14, .a22, .a24:
      "silence is known with the next heartbeat of everybody who could answer: beat more often"
    default: "its word waits in a connector that is behind: mend that (A18)"
    }
  }
}
