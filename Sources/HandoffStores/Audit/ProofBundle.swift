import Foundation
import HandoffCore

/// Records and the proofs that they are in the log, as one JSON file that stands alone.
///
/// It has one spelling (keys sorted, no spaces, base64 strict, nothing that is not checked), so
/// that any changed byte of the file is found.
package struct ProofBundle: Codable, Hashable, Sendable {
  package static let format = "baton.audit.proof.v1"
  /// Files beyond this are refused unread.
  package static let byteCountMax = 512 << 20

  /// What one log says: its signed checkpoint, and records proved to be in it.
  package struct Log: Codable, Hashable, Sendable {
    package var topic: String
    package var partition: Int32
    /// The signed checkpoint that everything here is proved against.
    package var checkpoint: String
    /// An older signed checkpoint, proved to be the beginning of ``checkpoint``.
    package var since: String?
    /// The consistency proof from ``since``: hashes in base64.
    package var consistency: [String]?
    package var records: [Record]
  }

  /// One record, byte for byte, and its inclusion proof.
  package struct Record: Codable, Hashable, Sendable {
    package var leafIndex: UInt64
    package var offset: Int64
    /// The broker's timestamp, milliseconds since 1970.
    package var brokerTime: Int64
    /// Key, header values and value in base64.
    package var key: String?
    package var headers: [Header]
    package var value: String?
    package var previousLeaf: UInt64?
    /// The inclusion proof: hashes in base64, the leaf's sibling first.
    package var inclusion: [String]
  }

  package struct Header: Codable, Hashable, Sendable {
    package var name: String
    package var value: String?
  }

  package var format = ProofBundle.format
  /// The key whose records these are, where the bundle answers for one person or source.
  package var person: String?
  package var logs: [Log]

  package init(person: String? = nil, logs: [Log]) {
    self.person = person
    self.logs = logs
  }

  /// The file's bytes.
  package var bytes: [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Strings and integers only: nothing in it can fail to encode.
    guard let data = try? encoder.encode(self) else {
      preconditionFailure("a proof bundle is always JSON")
    }
    return Array(data) + [UInt8(ascii: "\n")]
  }
}

extension ProofBundle.Record {
  /// The record's leaf; `nil` where a text is not base64.
  func leaf(of log: AuditLogName) -> AuditLeaf? {
    var logged: [LoggedHeader] = []
    for header in headers {
      var value: [UInt8]?
      if let text = header.value {
        guard let bytes = Base64.decode(text) else { return nil }
        value = bytes
      }
      logged.append(LoggedHeader(name: header.name, value: value))
    }
    var keyBytes: [UInt8]?
    if let key {
      guard let bytes = Base64.decode(key) else { return nil }
      keyBytes = bytes
    }
    var recordHash: RecordHash?
    if let value {
      guard let bytes = Base64.decode(value) else { return nil }
      recordHash = RecordHash(ofStored: bytes)
    }
    return AuditLeaf(
      topic: log.topic, partition: log.partition, offset: offset, brokerTimeMs: brokerTime,
      key: AuditLeaf.Key(keyBytes),
      headersHash: RecordHash(ofStored: AuditLeaf.canonicalBytes(of: logged)),
      recordHash: recordHash, previous: previousLeaf)
  }
}
