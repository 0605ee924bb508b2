/// One record of the events topic, as a reducer takes it.
public struct EventRecord: Sendable {
  /// What the record says; of one word or little more, for nearly all are events.
  public enum Content: Sendable {
    case event(HeldEvent)
    /// Carries nothing but its timestamp.
    case tick
    /// A copy of a source's change of state.
    indirect case sourceState(SourceState)
    /// Which policy and rules are in force from here on.
    indirect case rulesActivation(RulesActivation)
    /// A person whom the reducer of another key hands over.
    indirect case transfer(PersonTransfer)
    /// A record that cannot be taken: it only moves time, and raises this alert about ourselves.
    indirect case unusable(Rule, cause: Code?)

    public static func event(_ event: HandoffEvent) -> Content { .event(HeldEvent(event)) }

    /// The event, where the record says one.
    public var event: HandoffEvent? {
      if case .event(let held) = self { held.value } else { nil }
    }
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

/// What is known of a source of events: whether it speaks, and up to when it has said everything.
public struct SourceState: Hashable, Sendable {
  /// Whether anything is heard of the source.
  public enum Condition: String, CaseIterable, Hashable, Sendable {
    case running, silent, behind
  }

  public var source: Code
  public var condition: Condition
  /// Everything that happened up to here has been published.
  public var completeUpTo: Timestamp?
  /// Since when the condition holds, by the broker's clock.
  public var since: Timestamp?

  public init(
    source: Code, condition: Condition, completeUpTo: Timestamp? = nil, since: Timestamp? = nil
  ) {
    self.source = source
    self.condition = condition
    self.completeUpTo = completeUpTo
    self.since = since
  }
}

/// A logged switch of policy or register: the bytes are in the config topic under their hashes.
public struct RulesActivation: Hashable, Sendable {
  public var rulesVersion: UInt32
  public var policyHash: RecordHash
  /// The named profile in force, such as `winter`.
  public var profile: Code?
  /// The ``OrganisationRegister`` in force; `nil` means none.
  public var registerHash: RecordHash?
  /// Whether a person switched it: then no configuration of a reconciler switches it back.
  public var isCommanded: Bool

  public init(
    rulesVersion: UInt32, policyHash: RecordHash, profile: Code? = nil,
    registerHash: RecordHash? = nil, isCommanded: Bool = false
  ) {
    self.registerHash = registerHash
    self.rulesVersion = rulesVersion
    self.policyHash = policyHash
    self.profile = profile
    self.isCommanded = isCommanded
  }
}
