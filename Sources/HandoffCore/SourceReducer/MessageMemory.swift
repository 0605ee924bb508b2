/// The messages of one source that are known again: the latest of a day, at most 32,768.
///
/// Each is about 200 bytes. They are kept in segments of 64 in the order of arrival, so that what is
/// written of a batch is the segment it adds to, and not all that is remembered.
public struct MessageMemory: Hashable, Sendable {
  public static let countMax = 32_768
  public static let segmentSize = 64
  /// How long a message is known again.
  public static let span: Elapsed = .hours(24)

  /// What is remembered of one message.
  public struct Entry: Hashable, Sendable {
    public var receptionID: ReceptionID
    public var key: Token?
    public var content: Token?
    public var subject: Token?
    public var at: Timestamp
    public var evidence: Evidence

    public init(
      receptionID: ReceptionID, key: Token?, content: Token?, subject: Token?, at: Timestamp,
      evidence: Evidence
    ) {
      self.receptionID = receptionID
      self.key = key
      self.content = content
      self.subject = subject
      self.at = at
      self.evidence = evidence
    }
  }

  /// Up to 64 messages that arrived one after another.
  public struct Segment: Hashable, Sendable {
    /// Counts up from 0 over the life of the source.
    public var number: UInt64
    public var entries: [Entry]

    public init(number: UInt64, entries: [Entry]) {
      self.number = number
      self.entries = entries
    }
  }

  /// The oldest first.
  public private(set) var segments: [Segment] = []
  /// Segments that were added to, or forgotten, since ``forgetChanges()``.
  private var changed: Set<UInt64> = []
  private var index: [Token: Place] = [:]
  /// Messages that are no longer the latest of their key, because another came under it since, and
  /// the segment of the latest of each: few, unless a sender stamps every message alike.
  private var displaced: [Message: UInt64] = [:]
  private var receptions: Set<ReceptionID> = []

  private struct Place: Hashable {
    var segment: UInt64
    var position: Int
  }

  /// What one message has in common with another that is a repeat of it.
  private struct Message: Hashable {
    var key: Token
    var content: Token?
    var subject: Token?

    init?(_ entry: Entry) {
      guard let key = entry.key else { return nil }
      (self.key, content, subject) = (key, entry.content, entry.subject)
    }
  }

  public init() {}

  public var count: Int { segments.reduce(0) { $0 + $1.entries.count } }

  /// The latest message of a key.
  subscript(key: Token) -> Entry? {
    guard let place = index[key], let first = segments.first?.number else { return nil }
    return segments[Int(place.segment - first)].entries[place.position]
  }

  /// Whether the same came before under the same key, whatever else came under it in between.
  func isRepeat(_ entry: Entry) -> Bool {
    guard let message = Message(entry) else { return false }
    return self[message.key].flatMap(Message.init) == message || displaced[message] != nil
  }

  /// Whether an arrival is known: the same one again is our own redelivery.
  func contains(_ receptionID: ReceptionID) -> Bool { receptions.contains(receptionID) }

  mutating func insert(_ entry: Entry) {
    if segments.last.map({ $0.entries.count >= Self.segmentSize }) ?? true {
      segments.append(Segment(number: (segments.last?.number ?? lastForgotten) + 1, entries: []))
    }
    let last = segments.count - 1
    enter(
      entry,
      at: Place(segment: segments[last].number, position: segments[last].entries.count))
    changed.insert(segments[last].number)
    segments[last].entries.append(entry)
  }

  private mutating func enter(_ entry: Entry, at place: Place) {
    receptions.insert(entry.receptionID)
    guard let key = entry.key else { return }
    if let before = index[key], let earlier = self[key].flatMap(Message.init),
      earlier != Message(entry)
    {
      displaced[earlier] = before.segment
    }
    index[key] = place
  }

  /// Forgets segments that are older than a day, or too many.
  mutating func forget(at now: Timestamp) {
    let horizon = now.advanced(by: Elapsed(nanoseconds: -Self.span.nanoseconds))
    while let first = segments.first, let latest = first.entries.last,
      latest.at < horizon || segments.count > Self.countMax / Self.segmentSize
    {
      for entry in first.entries {
        receptions.remove(entry.receptionID)
        guard let message = Message(entry) else { continue }
        if index[message.key]?.segment == first.number { index[message.key] = nil }
        if displaced[message] == first.number { displaced[message] = nil }
      }
      lastForgotten = first.number
      changed.insert(first.number)
      segments.removeFirst()
    }
  }

  /// The number before the first segment, once all are forgotten.
  private var lastForgotten: UInt64 = 0

  /// The numbers of the segments that are not as they were when ``forgetChanges()`` was last called.
  var changes: [UInt64] { changed.sorted() }

  mutating func forgetChanges() { changed = [] }

  /// The segment of a number; `nil` where it is forgotten.
  public func segment(_ number: UInt64) -> Segment? {
    guard let first = segments.first?.number, number >= first,
      number - first < UInt64(segments.count)
    else { return nil }
    return segments[Int(number - first)]
  }

  /// Puts back segments, in any order; where one is missing in between, those before it are left
  /// out: what is older is only known again a little less long.
  mutating func restore(_ stored: [Segment]) {
    var kept: [Segment] = []
    for segment in stored.sorted(by: { $0.number > $1.number }) {
      guard kept.count < Self.countMax / Self.segmentSize else { break }
      if let last = kept.last, last.number != segment.number + 1 { break }
      guard (1...Self.segmentSize).contains(segment.entries.count), segment.number > 0 else {
        break
      }
      kept.append(segment)
    }
    segments = kept.reversed()
    index = [:]
    displaced = [:]
    receptions = []
    for segment in segments {
      for (position, entry) in segment.entries.enumerated() {
        enter(entry, at: Place(segment: segment.number, position: position))
      }
    }
    lastForgotten = (segments.first?.number ?? 1) - 1
  }
}
