/// S09 and S10: what will one day stop a source, or ingest, as it was last read.
extension Source {
  private static let soon: Elapsed = .hours(30 * 24)
  private static let urgent: Elapsed = .hours(7 * 24)

  mutating func read(
    _ condition: SourceCondition, _ moment: SourceMoment, into verdicts: inout [Verdict]
  ) {
    switch condition.reading {
    case .certificate(let endsAt, let fault):
      let left = endsAt?.since(condition.at)
      let severity: Severity? =
        if fault != nil { .critical } else if let left, left <= Self.urgent {
          .high
        } else if let left, left <= Self.soon { .medium } else { nil }
      judge(.s09, condition.subject, severity, count: 1, moment, into: &verdicts)
    case .fill(let entries, let most):
      // In hundredths; a table without room for anything is full.
      let percent = most == 0 ? 100 : min(100, entries / max(1, most / 100))
      let severity: Severity? =
        switch percent {
        case 95...: .critical
        case 90...: .high
        case 80...: .medium
        default: nil
        }
      judge(.s10, condition.subject, severity, count: UInt32(percent), moment, into: &verdicts)
    }
  }

  /// An episode while there is a severity.
  private mutating func judge(
    _ rule: Rule, _ cause: Code, _ severity: Severity?, count: UInt32, _ moment: SourceMoment,
    into verdicts: inout [Verdict]
  ) {
    let subject = code == SourceCondition.ingest ? Verdict.Subject.bus : self.subject
    let known = book.index(rule, cause: cause)
    switch (known, severity) {
    case (nil, nil): break
    case (let known?, nil): book.end(at: known, of: subject, moment, into: &verdicts)
    case (let known?, let severity?):
      book.setSeverity(
        severity, count: count, at: known, of: subject, moment, into: &verdicts)
    case (nil, let severity?):
      book.note(
        EpisodeBook.Happening(
          rule: rule, cause: cause, beginning: moment.evidence?.hash.bytes ?? [],
          severity: severity, count: count),
        of: subject, moment, into: &verdicts)
    }
  }
}
