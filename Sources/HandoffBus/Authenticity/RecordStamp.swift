internal import Crypto
package import HandoffCodecs
package import HandoffCore
package import HandoffStores
package import KafkaClient

/// Why a record is not taken for one of ours.
package enum RecordForgery: String, CaseIterable, Hashable, Sendable {
  /// No stamp at all.
  case missing = "stamp.missing"
  /// A stamp that none of our writers would write.
  case malformed = "stamp.malformed"
  /// Stamped under a secret that this reader does not know.
  case keyUnknown = "stamp.key-unknown"
  /// Stamped by a writer that may not write this topic.
  case writerNotAllowed = "stamp.writer-not-allowed"
  /// Stamped for another partition.
  case otherPartition = "stamp.other-partition"
  /// The stamp is not that of this record.
  case wrong = "stamp.wrong"
  /// A switch of rules, or a source's state, that was true at another time: sent again.
  case stale = "stamp.stale"
}

/// Stamps what the bus's own writers write, and checks what is read.
///
/// The stamp is a header, `baton-stamp`: `1.<key id>.<writer>.<partition or *>.<32 hexadecimal
/// digits>`, the digits being HMAC-SHA-256 cut to 128 bits over writer, partition, topic, key, value
/// and the CloudEvents headers, under a secret that HKDF-SHA-256 derives for that writer. So where
/// access control is missing a forged record is known as such. It says nothing about order: an old
/// record that is written again is dealt with by its ids.
package struct RecordStamp: Sendable {
  package static let header = "baton-stamp"
  /// How far a switch of rules or a source's state may lie from the broker's clock.
  package static let staleAfter: Elapsed = .minutes(5)
  private static let digitCount = 32

  private let current: String
  private let keys: [String: [BusRole: SymmetricKey]]
  private let unstampedBefore: Timestamp?
  private let writers: [String: Set<BusRole>]

  /// `topics` says who may write what; of other topics nothing is stamped and nothing checked.
  package init(_ secrets: RecordSecrets, topics: [TopicDefinition] = TopicTable.shared) {
    current = secrets.current
    unstampedBefore = secrets.unstampedBefore
    keys = secrets.secrets.mapValues { secret in
      Dictionary(
        uniqueKeysWithValues: BusRole.allCases.map { ($0, Self.key(of: $0, from: secret)) })
    }
    writers = Dictionary(
      topics.filter(\.isStamped).map { ($0.name, Set($0.writers)) }, uniquingKeysWith: { $1 })
  }

  private static func key(of writer: BusRole, from secret: SymmetricKey) -> SymmetricKey {
    HKDF<SHA256>.deriveKey(
      inputKeyMaterial: secret, salt: Array("baton.handoff.v1".utf8),
      info: Array("record-stamp/1/\(writer.rawValue)".utf8), outputByteCount: 32)
  }

  /// `message` with the stamp of `writer`; a message that has a stamp already keeps it.
  package func stamped(_ message: KafkaMessage, by writer: BusRole) -> KafkaMessage {
    guard writers[message.topic] != nil,
      !message.headers.contains(where: { $0.name == Self.header }),
      let key = keys[current]?[writer]
    else { return message }
    let partition = message.partition.map { "\($0)" } ?? "*"
    let code = HMAC<SHA256>.authenticationCode(
      for: Self.content(
        writer.rawValue, partition, message.topic, message.key, message.value, message.headers),
      using: key)
    var message = message
    message.headers.append(
      KafkaHeader(
        Self.header,
        "1.\(current).\(writer.rawValue).\(partition).\(hexadecimal(code.prefix(16)))"))
    return message
  }

  /// The same of a record of the events topic, as an export holds it too.
  package func forgery(in stored: StoredRecord) -> RecordForgery? {
    forgery(
      in: KafkaRecord(
        topic: stored.coordinates.topic, partition: stored.coordinates.partition,
        offset: stored.coordinates.offset, timestampMilliseconds: stored.brokerAt.milliseconds,
        timestampType: .logAppend, key: stored.record.key, value: stored.record.value,
        headers: stored.record.headers.map { KafkaHeader($0.name, $0.value) }))
  }

  /// Why `record` is not one of ours; `nil` where it is, or where its topic is not stamped.
  package func forgery(in record: KafkaRecord) -> RecordForgery? {
    guard let allowed = writers[record.topic] else { return nil }
    guard let header = record.header(Self.header) else {
      if let unstampedBefore, record.timestampMilliseconds < unstampedBefore.milliseconds {
        return nil
      }
      return .missing
    }
    let parts = header.text?.split(separator: ".", omittingEmptySubsequences: false) ?? []
    guard parts.count == 5, parts[0] == "1", parts[4].utf8.count == Self.digitCount,
      let digits = Token(parts[4]), let writer = BusRole(rawValue: String(parts[2]))
    else { return .malformed }
    guard let key = keys[String(parts[1])]?[writer] else { return .keyUnknown }
    guard allowed.contains(writer) else { return .writerNotAllowed }
    let code = HMAC<SHA256>.authenticationCode(
      for: Self.content(
        writer.rawValue, String(parts[3]), record.topic, record.key, record.value,
        record.headers),
      using: key)
    guard Self.isEqual(Array(code).prefix(16), digits.bytes) else { return .wrong }
    guard parts[3] == "*" || parts[3] == "\(record.partition)" else { return .otherPartition }
    return Self.isStale(record) ? .stale : nil
  }

  /// Whether a statement that is true for a time only is read at another time.
  ///
  /// Of events, verdicts and state a second copy is harmless; an old switch of rules, written again,
  /// would switch them.
  private static func isStale(_ record: KafkaRecord) -> Bool {
    guard record.timestampType == .logAppend, let key = record.key else { return false }
    switch record.topic {
    case Topic.events.name:
      guard key.elementsEqual(WireCodec.rulesKey.utf8) || key.starts(with: "source.".utf8) else {
        return false
      }
    case Topic.sources.name:
      // A source may be called as the key of switches is.
      guard record.header("ce_type")?.text == "\(RulesActivation.wireName)" else { return false }
    default: return false
    }
    guard let text = record.header("ce_time")?.text, let said = RFC3339.parse(text) else {
      return true
    }
    let off = Timestamp(milliseconds: record.timestampMilliseconds).since(said)
    return off > staleAfter || off < Elapsed(nanoseconds: -staleAfter.nanoseconds)
  }

  /// What the code is over: every part led by its length, so that no two records have it in common.
  private static func content(
    _ writer: String, _ partition: String, _ topic: String, _ key: [UInt8]?, _ value: [UInt8]?,
    _ headers: [KafkaHeader]
  ) -> [UInt8] {
    var content: [UInt8] = []
    content.reserveCapacity(512 + (value?.count ?? 0))
    func add(_ part: some Collection<UInt8>) {
      for shift in stride(from: 24, through: 0, by: -8) {
        content.append(UInt8(truncatingIfNeeded: part.count >> shift))
      }
      content.append(contentsOf: part)
    }
    func add(_ part: [UInt8]?) {
      // Null and empty are two things: one of them deletes on a compacted topic.
      content.append(part == nil ? 0 : 1)
      add((part ?? [])[...])
    }
    add("baton-stamp/1".utf8)
    add(writer.utf8)
    add(partition.utf8)
    add(topic.utf8)
    add(key)
    add(value)
    for header in headers where header.name.hasPrefix("ce_") || header.name == "content-type" {
      add(header.name.utf8)
      add(header.value)
    }
    return content
  }

  /// Compares in a time that does not depend on where they differ.
  private static func isEqual(
    _ left: some Collection<UInt8>, _ right: some Collection<UInt8>
  ) -> Bool {
    left.count == right.count && zip(left, right).reduce(0 as UInt8) { $0 | ($1.0 ^ $1.1) } == 0
  }
}
