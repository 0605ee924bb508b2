extension Rule {
  /// How much harm it can do if nobody acts (domain.md §3.1).
  public var severity: Severity {
    switch self {
    case .a01: .info
    case .a02, .a19: .low
    case .a04, .a06, .a10, .a13, .a14, .a21, .a27: .medium
    case .a03, .a05, .a07, .a08, .a09, .a11, .a12, .a15, .a16, .a17, .a22, .a23, .a24, .a25, .a26:
      .high
    case .a18, .a20: .critical
    }
  }
}
