public import HandoffCore

/// One alert that must stand, given what is known: from when on, and until when if nothing else comes.
public struct Claim: Hashable, Sendable {
  /// What makes two claims the same alert.
  public struct Key: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var rule: Rule
    public var handoff: HandoffID?
    /// The limb of the rule, where it has several.
    public var cause: String
    /// The event that it hangs on, where one handoff can have several alerts of the rule.
    public var event: EventID?

    public init(rule: Rule, handoff: HandoffID?, cause: String, event: EventID?) {
      (self.rule, self.handoff, self.cause, self.event) = (rule, handoff, cause, event)
    }

    public var description: String {
      let subject = handoff.map { "\($0.description.prefix(8))" } ?? "person"
      return
        "\(rule.rawValue) \(subject) \(cause) \(event.map { "\($0.description.prefix(8))" } ?? "")"
    }

    public static func < (left: Key, right: Key) -> Bool {
      (left.rule, left.cause, left.handoff?.rawValue ?? 0, left.event?.rawValue ?? 0)
        < (right.rule, right.cause, right.handoff?.rawValue ?? 0, right.event?.rawValue ?? 0)
    }
  }

  public var key: Key
  /// When it is due.
  public var due: Timestamp
  /// When it ends by itself.
  public var until: Timestamp?
  /// From when on what it rests on is forgotten, unless it stands.
  public var forgotten: Timestamp?
  /// Whether it stays due at the moment at which it was due first, whatever is learned of it.
  public var keepsOpening = false
  /// Whose word could show that it is none, where it is about silence; `nil` where it is said at once.
  public var answerers: Set<OrganisationID>?

  init(
    _ rule: Rule, _ handoff: HandoffID?, cause: String = "", event: EventID? = nil,
    due: Timestamp, until: Timestamp? = nil
  ) {
    key = Key(rule: rule, handoff: handoff, cause: cause, event: event)
    self.due = due
    self.until = until
  }
}

/// An alert from its opening to its end, or that it could not be judged.
public struct Episode: Hashable, Comparable, Sendable, CustomStringConvertible {
  public var key: Claim.Key
  /// When it was due.
  public var opened: Timestamp
  public var resolved: Timestamp?
  /// From when on it could be said.
  public var known: Timestamp?
  /// The source without which it was *undetermined*; of an alert that was opened `nil`.
  public var waitsFor: Code?

  public init(
    key: Claim.Key, opened: Timestamp, resolved: Timestamp?, known: Timestamp? = nil,
    waitsFor: Code? = nil
  ) {
    self.key = key
    self.opened = opened
    self.resolved = resolved
    self.known = known
    self.waitsFor = waitsFor
  }

  public var description: String {
    func said(_ time: Timestamp) -> String {
      "\(LondonTime(time)) (\(time.nanoseconds % 86_400_000_000_000 / 1_000_000))"
    }
    let end = waitsFor.map { "undetermined for \($0)" } ?? "to \(resolved.map(said) ?? "open")"
    return "\(key) from \(said(opened)) \(end)\(known.map { ", known \(said($0))" } ?? "")"
  }

  public static func < (left: Episode, right: Episode) -> Bool {
    (left.key, left.opened, left.resolved ?? .distantFuture)
      < (right.key, right.opened, right.resolved ?? .distantFuture)
  }
}
