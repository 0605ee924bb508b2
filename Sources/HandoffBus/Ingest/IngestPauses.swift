/// How long ingest waits after each failure.
struct IngestPauses {
  private let least: Duration
  private let most: Duration
  private var afterFailure: Duration
  /// Never shorter again: two of one name would else shut each other out for ever, each before the
  /// other has read back what it needs to publish anything.
  private var afterFencing: Duration

  init(_ limits: IngestLimits) {
    (least, most) = (limits.pauseMin, limits.pauseMax)
    (afterFailure, afterFencing) = (least, least)
  }

  /// Everything that waited has been published.
  mutating func worked() { afterFailure = least }

  /// The pause that comes now; `isFenced`: because another process has taken this one's name.
  mutating func failed(isFenced: Bool) -> Duration {
    let pause = isFenced ? afterFencing : afterFailure
    let next = min(pause * 2, most)
    if isFenced { afterFencing = next } else { afterFailure = next }
    return pause
  }
}
