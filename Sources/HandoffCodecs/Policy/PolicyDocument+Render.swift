package import HandoffCore

extension PolicyDocument {
  /// `policy` as a commented file that reads back as the same policy, but for its hash.
  package static func render(_ policy: Policy) -> String {
    var lines = [
      "# What is promised by when. A file is taken whole or refused whole, and every verdict names",
      "# the SHA-256 of the file that was in force.",
      "#",
      "# Lengths: 45s 15min 2h are elapsed time; 7d 4wk keep the time on the wall of Europe/London;",
      "# 3wd are working days of the receiving service; sameDay is the end of the local day.",
      "format: \(format)",
      "# Counts up with every change of this file.",
      "version: \(policy.version)",
      "",
      "# One row a kind of handoff; a row with a priority is for that one only, and `urgent` also for",
      "# every other priority that says urgent.",
      "#   acknowledge   request to the first evidence from the receiver (A07)",
      "#   deliver       the same from the transport's acceptance on; absent: as acknowledge",
      "#   accept        request to an acceptance or refusal (A08)",
      "#   start         to the first contact (A09), or none; from the request or dischargeReady",
      "#   complete      start to the outcome (A10)",
      "#   outcome       request to the outcome (A10), where a standard times that; absent: not timed",
      "#   feedback      completion to feedback delivered (A10)",
      "#   basis         N national, P proposed here, N+P both, local: your own",
      "clocks:",
    ]
    for row in policy.rows {
      lines.append("  - kind: \(row.kind)")
      if let priority = row.priority { lines.append("    priority: \(priority)") }
      lines += self.lines(of: row.clocks).map { "    \($0)" }
    }
    lines += ["", "# For kinds that no row knows.", "fallback:"]
    lines += self.lines(of: policy.fallback).map { "  \($0)" }
    lines += ["", "# Delivery on rails that are slower than acknowledge."]
    lines += policy.railDelivery.isEmpty ? ["railDelivery: {}"] : ["railDelivery:"]
    lines += policy.railDelivery.sorted { $0.key < $1.key }.map { "  \(quoted("\($0)")): \($1)" }
    lines += ["", "# The windows of the rules, the same for every kind.", "windows:"]
    for window in PolicyWindow.all {
      let value = window.length(in: policy.windows)
      lines.append("  \(window.key): \(value)  # \(window.comment)")
    }
    lines += calendarLines(of: policy.calendar) + profileLines(of: policy.profiles)
    return (lines + sourceLines(of: policy)).joined(separator: "\n") + "\n"
  }

  private static func lines(of clocks: Clocks) -> [String] {
    var lines = ["acknowledge: \(clocks.acknowledge)"]
    if let deliver = clocks.deliver { lines.append("deliver: \(deliver)") }
    lines.append("accept: \(clocks.accept)")
    lines.append("start: \(clocks.start?.description ?? "none")")
    if clocks.startAnchor != .request { lines.append("startFrom: \(clocks.startAnchor.rawValue)") }
    lines.append("complete: \(clocks.complete)")
    if let outcome = clocks.outcome { lines.append("outcome: \(outcome)") }
    lines.append("feedback: \(clocks.feedback)")
    if !clocks.isFeedbackOwed { lines.append("feedbackOwed: false") }
    if clocks.isDocument { lines.append("document: true") }
    lines.append("basis: \(clocks.basis.rawValue)")
    if !clocks.note.isEmpty { lines.append("note: \(quoted(clocks.note))") }
    return lines
  }

  private static func calendarLines(of calendar: BusinessCalendar) -> [String] {
    let england = BusinessCalendar.england.holidays
    let keepsEngland = calendar.holidays.isSuperset(of: england)
    let closed = keepsEngland ? calendar.holidays.subtracting(england) : calendar.holidays
    return [
      "", "# Working days of receiving services: Monday to Friday without these days.",
      "calendar:",
      "  bankHolidays: \(keepsEngland ? "england" : "none")",
      "  # Further days such as 2026-12-24.",
      "  closed: [\(closed.sorted().map { quoted($0.description) }.joined(separator: ", "))]",
      "  # Services that work every day, such as ods:RTH.",
      "  alwaysOpen: "
        + "[\(calendar.alwaysOpen.sorted().map { quoted($0.description) }.joined(separator: ", "))]",
    ] + serviceLines(of: calendar.services)
  }

  private static func serviceLines(of services: [OrganisationID: ServiceHours]) -> [String] {
    guard !services.isEmpty else { return [] }
    var lines = [
      "  # Services whose week is another; open is by the clock on the wall.", "  services:",
    ]
    for (service, hours) in services.sorted(by: { $0.key < $1.key }) {
      lines.append("    - service: \(quoted(service.description))")
      let days = hours.days.sorted().map { PolicyLoader.weekdays[$0 - 1] }
      lines.append("      days: [\(days.joined(separator: ", "))]")
      if let opening = hours.opening { lines.append("      open: \(quoted("\(opening)"))") }
      if hours.worksOnHolidays { lines.append("      bankHolidays: true") }
      if !hours.closed.isEmpty {
        let closed = hours.closed.sorted().map { quoted($0.description) }
        lines.append("      closed: [\(closed.joined(separator: ", "))]")
      }
    }
    return lines
  }

  private static func profileLines(of profiles: [PolicyProfile]) -> [String] {
    guard !profiles.isEmpty else { return [] }
    var lines = [
      "", "# Switched by `baton policy activate FILE --profile NAME`. A profile tightens; one that",
      "# loosens anything says loosens: true and its reason.", "profiles:",
    ]
    for profile in profiles {
      lines.append("  - name: \(profile.name)")
      if !profile.note.isEmpty { lines.append("    note: \(quoted(profile.note))") }
      if let reason = profile.loosensBecause {
        lines += ["    loosens: true", "    reason: \(quoted(reason))"]
      }
      if !profile.rows.isEmpty { lines.append("    clocks:") }
      for row in profile.rows {
        lines.append("      - kind: \(row.kind)")
        if let priority = row.priority { lines.append("        priority: \(priority)") }
        for clock in PolicyClock.allCases {
          if let length = row.clocks[clock] { lines.append("        \(clock.rawValue): \(length)") }
        }
      }
      if !profile.windows.isEmpty { lines.append("    windows:") }
      lines += profile.windows.sorted { $0.key < $1.key }.map { "      \($0.key): \($0.value)" }
    }
    return lines
  }

  /// A JSON string is a double-quoted scalar of YAML 1.2.
  static func quoted(_ text: String) -> String {
    String(decoding: JSONMembers.quote(text), as: UTF8.self)
  }
}
