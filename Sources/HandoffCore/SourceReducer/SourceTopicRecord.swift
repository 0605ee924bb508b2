/// One record of the sources topic, as the source reducer takes it.
public struct SourceTopicRecord: Sendable {
  /// What the record says.
  public enum Content: Sendable {
    case statement(SourceRecord)
    /// Carries nothing but its timestamp.
    case tick
    /// Which policy is in force from here on.
    case rulesActivation(RulesActivation)
    /// A record that cannot be taken: it only moves time, and raises this alert about ourselves.
    case unusable(Rule, cause: Code?)
  }

  public var content: Content
  /// The broker's timestamp (LogAppendTime).
  public var brokerAt: Timestamp
  public var coordinates: RecordCoordinates
  /// SHA-256 of the stored value.
  public var hash: RecordHash

  /// Whether one of our own writers wrote it, as far as can be told.
  var isOurs: Bool {
    if case .unusable(.s08, _) = content { false } else { true }
  }

  public init(
    content: Content, brokerAt: Timestamp, coordinates: RecordCoordinates, hash: RecordHash
  ) {
    self.content = content
    self.brokerAt = brokerAt
    self.coordinates = coordinates
    self.hash = hash
  }
}
