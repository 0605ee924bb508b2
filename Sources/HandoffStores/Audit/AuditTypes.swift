package import HandoffCore

/// One partition of an audited topic: each has a log of its own.
package struct AuditLogName: Hashable, Comparable, Sendable, CustomStringConvertible {
  package var topic: String
  package var partition: Int32

  package init(topic: String, partition: Int32) {
    self.topic = topic
    self.partition = partition
  }

  package var description: String { "\(topic)/\(partition)" }

  /// The origin line of the log's checkpoints: the signer's name, then the log's own.
  package func origin(signer: String) -> String { "\(signer)/\(self)" }

  package static func < (left: Self, right: Self) -> Bool {
    (left.topic, left.partition) < (right.topic, right.partition)
  }
}

/// A record as Kafka gave it, byte for byte: what goes into the log.
package struct AuditRecord: Hashable, Sendable {
  package var log: AuditLogName
  package var offset: Int64
  /// The broker's timestamp in milliseconds since 1970.
  package var brokerTimeMs: Int64
  package var key: [UInt8]?
  package var headers: [LoggedHeader]
  package var value: [UInt8]?

  package init(
    log: AuditLogName, offset: Int64, brokerTimeMs: Int64, key: [UInt8]?, headers: [LoggedHeader],
    value: [UInt8]?
  ) {
    self.log = log
    self.offset = offset
    self.brokerTimeMs = brokerTimeMs
    self.key = key
    self.headers = headers
    self.value = value
  }
}

/// What a record can be searched by; derived from its bytes, so it can always be made again.
package struct AuditDescription: Hashable, Sendable {
  /// Counts up whenever a record comes to be described otherwise: stored columns are derived anew.
  package static let version = 2

  /// The CloudEvents type header as it stands.
  package var eventType: String?
  /// What happened, in one word; `unknown` where the record cannot be read.
  package var type: String
  package var handoff: HandoffID?
  package var alert: AlertID?
  package var from: OrganisationID?
  package var to: OrganisationID?
  package var kind: HandoffKind?

  package init(
    eventType: String? = nil, type: String, handoff: HandoffID? = nil, alert: AlertID? = nil,
    from: OrganisationID? = nil, to: OrganisationID? = nil, kind: HandoffKind? = nil
  ) {
    self.eventType = eventType
    self.type = type
    self.handoff = handoff
    self.alert = alert
    self.from = from
    self.to = to
    self.kind = kind
  }
}

/// Reads what a record can be searched by; the same bytes always give the same answer.
package typealias AuditDescriber = @Sendable (AuditRecord) -> AuditDescription

/// A record of the log, with its place in the tree.
package struct LoggedRecord: Hashable, Sendable {
  package var record: AuditRecord
  package var description: AuditDescription
  package var leafIndex: UInt64
  package var recordHash: RecordHash?
  package var leafHash: MerkleHash
  /// The leaf before this one with the same key.
  package var previous: UInt64?
}

/// Where one log stands.
package struct AuditLogState: Hashable, Sendable {
  package var name: AuditLogName
  /// The offset to read from: everything before it is logged.
  package var nextOffset: Int64
  /// How many records are logged.
  package var size: UInt64
  package var root: MerkleHash
  /// The newest signed checkpoint, as text.
  package var checkpoint: String?

  /// The size that the newest checkpoint covers, by its own word.
  package var checkpointSize: UInt64 { checkpointed?.size ?? 0 }

  /// The newest checkpoint, its signature not judged.
  package var checkpointed: Checkpoint? {
    checkpoint.flatMap { try? SignedNote($0) }.flatMap { Checkpoint(text: $0.text) }
  }
}

/// What one call of ``AuditStore/append(_:)`` did.
package struct AuditAppendResult: Hashable, Sendable {
  package var appended = 0
  /// Records that were logged before: Kafka gave them again.
  package var ignored = 0

  package init(appended: Int = 0, ignored: Int = 0) {
    self.appended = appended
    self.ignored = ignored
  }
}

/// Why the audit store cannot do what it was asked to.
package enum AuditStoreError: Error, Hashable, Sendable, CustomStringConvertible {
  case diskFull(path: String)
  /// Permissions forbid it, or the folder is not there.
  case notWritable(path: String)
  /// There is no audit log in this folder.
  case missing(path: String)
  /// Another process holds the database longer than the limit.
  case busy(path: String)
  /// What is stored cannot be read back, or contradicts itself.
  case corrupt(place: String)
  /// The database was made by a newer version.
  case newerSchema(version: Int)
  /// The topic no longer holds what was logged from it.
  case diverged(log: AuditLogName, offset: Int64)
  /// Any other failure of SQLite or of a file, by its number.
  case failed(path: String, code: Int32)

  package var description: String {
    switch self {
    case .diskFull(let path): "no space left on the disk for \(path)"
    case .notWritable(let path): "\(path) cannot be written: permission or folder is missing"
    case .missing(let path): "there is no audit log at \(path)"
    case .busy(let path): "\(path) is held by another process"
    case .corrupt(let place): "\(place) cannot be read back; run `baton audit verify`"
    case .newerSchema(let version): "the audit log has schema \(version), made by a newer version"
    case .diverged(let log, let offset):
      "topic \(log.topic), partition \(log.partition): at offset \(offset) the topic holds "
        + "another record than was logged; it was truncated or written anew"
    case .failed(let path, let code): "\(path): error \(code)"
    }
  }
}
