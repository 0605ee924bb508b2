/// One header of a record, as Kafka holds it.
public struct LoggedHeader: Hashable, Sendable {
  public var name: String
  public var value: [UInt8]?

  public init(name: String, value: [UInt8]?) {
    self.name = name
    self.value = value
  }
}

/// What the log says of one record: the entry whose hash is a leaf of the tree.
///
/// The record's value is not in it, only its hash: the entry stays short and can be published.
/// Version 1, all integers big-endian, every optional part behind a byte that says what follows:
///
///     version (1) · topic (length 1) · partition (4) · offset (8) · broker time in ms (8)
///     key: 0 | 1, length (2), bytes | 2, SHA-256    headers: SHA-256 of their canonical bytes
///     value: 0 | 1, SHA-256                         previous leaf of the key: 0 | 1, index (8)
public struct AuditLeaf: Hashable, Sendable {
  /// A key longer than this stands in the entry by its hash: an entry is at most 65,535 bytes.
  public static let keyByteCountMax = 1024
  static let version: UInt8 = 1

  /// How the entry names the record's key.
  public enum Key: Hashable, Sendable {
    case none
    case bytes([UInt8])
    case hash(RecordHash)

    /// Picks the form by the length of the key.
    public init(_ key: [UInt8]?) {
      switch key {
      case nil: self = .none
      case let key? where key.count <= AuditLeaf.keyByteCountMax: self = .bytes(key)
      case let key?: self = .hash(RecordHash(ofStored: key))
      }
    }
  }

  public var topic: String
  public var partition: Int32
  public var offset: Int64
  /// The broker's timestamp in milliseconds since 1970, as Kafka gives it.
  public var brokerTimeMs: Int64
  public var key: Key
  /// SHA-256 of ``canonicalBytes(of:)``.
  public var headersHash: RecordHash
  /// SHA-256 of the stored value; `nil` for a record without one.
  public var recordHash: RecordHash?
  /// The index of the leaf before this one with the same key, in the same log.
  public var previous: UInt64?

  /// Makes the entry of a record.
  ///
  /// - Precondition: The topic's name is at most 255 bytes (Kafka's limit is 249).
  public init(
    topic: String, partition: Int32, offset: Int64, brokerTimeMs: Int64, key: Key,
    headersHash: RecordHash, recordHash: RecordHash?, previous: UInt64?
  ) {
    precondition(topic.utf8.count <= 255, "a topic's name is at most 249 bytes long")
    self.topic = topic
    self.partition = partition
    self.offset = offset
    self.brokerTimeMs = brokerTimeMs
    self.key = key
    self.headersHash = headersHash
    self.recordHash = recordHash
    self.previous = previous
  }

  /// The one form in which headers are stored and hashed: their count, then each with its lengths.
  public static func canonicalBytes(of headers: [LoggedHeader]) -> [UInt8] {
    var bytes = bigEndian(UInt32(headers.count))
    for header in headers {
      bytes += bigEndian(UInt32(header.name.utf8.count)) + header.name.utf8
      bytes.append(header.value == nil ? 0 : 1)
      if let value = header.value { bytes += bigEndian(UInt32(value.count)) + value }
    }
    return bytes
  }

  /// Reads canonical bytes back; `nil` where they are anything else.
  public static func headers(of bytes: [UInt8]) -> [LoggedHeader]? {
    var reader = ByteReader(bytes)
    guard let count = reader.integer(UInt32.self) else { return nil }
    var headers: [LoggedHeader] = []
    for _ in 0..<count {
      guard let length = reader.integer(UInt32.self), let name = reader.text(Int(length)),
        let tag = reader.byte(), tag <= 1
      else { return nil }
      var value: [UInt8]?
      if tag == 1 {
        guard let length = reader.integer(UInt32.self), let bytes = reader.bytes(Int(length))
        else { return nil }
        value = bytes
      }
      headers.append(LoggedHeader(name: name, value: value))
    }
    return reader.isAtEnd ? headers : nil
  }

  /// The entry's bytes.
  public var bytes: [UInt8] {
    var bytes = [Self.version, UInt8(topic.utf8.count)] + topic.utf8
    bytes += bigEndian(UInt32(bitPattern: partition))
    bytes += bigEndian(UInt64(bitPattern: offset))
    bytes += bigEndian(UInt64(bitPattern: brokerTimeMs))
    switch key {
    case .none: bytes.append(0)
    case .bytes(let key): bytes += [1] + bigEndian(UInt16(key.count)) + key
    case .hash(let hash): bytes += [2] + hash.bytes
    }
    bytes += headersHash.bytes
    bytes += recordHash.map { [1] + $0.bytes } ?? [0]
    bytes += previous.map { [1] + bigEndian($0) } ?? [0]
    return bytes
  }

  /// Reads an entry; `nil` where its version is unknown or it is not exactly what ``bytes`` writes.
  public init?(bytes: [UInt8]) {
    var reader = ByteReader(bytes)
    guard reader.byte() == Self.version, let topicLength = reader.byte(),
      let topic = reader.text(Int(topicLength)), let partition = reader.integer(UInt32.self),
      let offset = reader.integer(UInt64.self), let time = reader.integer(UInt64.self),
      let key = reader.key(), let headersHash = reader.hash(), let recordTag = reader.byte(),
      recordTag <= 1
    else { return nil }
    var recordHash: RecordHash?
    if recordTag == 1 {
      guard let hash = reader.hash() else { return nil }
      recordHash = hash
    }
    guard let previousTag = reader.byte(), previousTag <= 1 else { return nil }
    var previous: UInt64?
    if previousTag == 1 {
      guard let index = reader.integer(UInt64.self) else { return nil }
      previous = index
    }
    guard reader.isAtEnd else { return nil }
    self.init(
      topic: topic, partition: Int32(bitPattern: partition), offset: Int64(bitPattern: offset),
      brokerTimeMs: Int64(bitPattern: time), key: key, headersHash: headersHash,
      recordHash: recordHash, previous: previous)
  }

  /// The leaf of the tree.
  public var hash: MerkleHash { .leaf(bytes) }
}

private func bigEndian<Value: FixedWidthInteger & UnsignedInteger>(_ value: Value) -> [UInt8] {
  stride(from: Value.bitWidth - 8, through: 0, by: -8).map {
    UInt8(truncatingIfNeeded: value >> Value($0))
  }
}

/// Takes bytes from the front; every read is `nil` where too few are left.
private struct ByteReader {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: [UInt8]) { rest = bytes[...] }

  var isAtEnd: Bool { rest.isEmpty }

  mutating func byte() -> UInt8? { rest.popFirst() }

  mutating func bytes(_ count: Int) -> [UInt8]? {
    guard rest.count >= count else { return nil }
    defer { rest = rest.dropFirst(count) }
    return Array(rest.prefix(count))
  }

  mutating func text(_ count: Int) -> String? {
    bytes(count).flatMap { String(validating: $0, as: UTF8.self) }
  }

  mutating func integer<Value: FixedWidthInteger>(_ type: Value.Type) -> Value? {
    bytes(Value.bitWidth / 8)?.reduce(0) { $0 << 8 | Value($1) }
  }

  mutating func hash() -> RecordHash? { bytes(32).flatMap { RecordHash(bytes: $0) } }

  mutating func key() -> AuditLeaf.Key? {
    switch byte() {
    case 0: return AuditLeaf.Key.none
    case 1:
      guard let count = integer(UInt16.self), let key = bytes(Int(count)) else { return nil }
      return .bytes(key)
    case 2: return hash().map { .hash($0) }
    default: return nil
    }
  }
}
