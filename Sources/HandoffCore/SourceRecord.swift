/// One record of the sources topic (F6): what a connector says of itself.
public enum SourceRecord: Hashable, Sendable {
  case heartbeat(SourceHeartbeat)
  case reception(SourceReception)
  case refusal(SourceRefusal)
}

/// A connector is alive; everything it received up to `completeUpTo` has been handed over.
public struct SourceHeartbeat: Hashable, Sendable {
  public var source: Code
  public var at: Timestamp
  public var completeUpTo: Timestamp?
  public var lastSequence: UInt64?
  /// Frames taken in since the source was first started.
  public var framesTotal: UInt64
  public var eventsTotal: UInt64
  public var refusalsTotal: UInt64

  public init(
    source: Code, at: Timestamp, completeUpTo: Timestamp?, lastSequence: UInt64?,
    framesTotal: UInt64, eventsTotal: UInt64, refusalsTotal: UInt64
  ) {
    self.source = source
    self.at = at
    self.completeUpTo = completeUpTo
    self.lastSequence = lastSequence
    self.framesTotal = framesTotal
    self.eventsTotal = eventsTotal
    self.refusalsTotal = refusalsTotal
  }
}

/// One arrival: what the source reducer counts repeats and gaps by.
public struct SourceReception: Hashable, Sendable {
  public var source: Code
  public var receptionID: ReceptionID
  public var messageKey: Token?
  public var contentMac: Token?
  public var sequence: UInt64?
  public var at: Timestamp

  public init(
    source: Code, receptionID: ReceptionID, messageKey: Token?, contentMac: Token?,
    sequence: UInt64?, at: Timestamp
  ) {
    self.source = source
    self.receptionID = receptionID
    self.messageKey = messageKey
    self.contentMac = contentMac
    self.sequence = sequence
    self.at = at
  }
}

/// One arrival that could not be mapped, and was answered as such.
public struct SourceRefusal: Hashable, Sendable {
  public var source: Code
  public var receptionID: ReceptionID
  /// Why, as a code of ours such as `hl7.segment-missing`.
  public var reason: Code
  /// Which field, as its standard names it: `PID-3`, `Bundle.entry[2]`.
  public var field: String?
  public var at: Timestamp

  public init(
    source: Code, receptionID: ReceptionID, reason: Code, field: String?, at: Timestamp
  ) {
    self.source = source
    self.receptionID = receptionID
    self.reason = reason
    self.field = field
    self.at = at
  }
}
