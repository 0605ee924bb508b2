package import HandoffCodecs
package import HandoffCore

/// A frame on its way into the outbox: what arrived, byte for byte.
package struct NewFrame: Sendable {
  /// The connector that took it in.
  package var source: Code
  /// How it travelled, such as `mllp` or `file`.
  package var rail: Code
  package var receivedAt: Timestamp
  /// Identity in clear: lives in the outbox only, and only until it is published.
  package var bytes: [UInt8]
  /// Set where the connector refused it before it could be read, such as for its length.
  package var refusal: FrameRefusal?
  /// What its transport said beside it.
  package var transport: TransportHeaders?

  package init(
    source: Code, rail: Code, receivedAt: Timestamp, bytes: [UInt8],
    refusal: FrameRefusal? = nil, transport: TransportHeaders? = nil
  ) {
    self.source = source
    self.rail = rail
    self.receivedAt = receivedAt
    self.bytes = bytes
    self.refusal = refusal
    self.transport = transport
  }
}

/// Why a frame was refused by its transport; its bytes may be missing.
package struct FrameRefusal: Hashable, Sendable {
  package var reason: Code
  /// Which field, as its standard names it.
  package var field: String?

  package init(reason: Code, field: String? = nil) {
    self.reason = reason
    self.field = field
  }
}

/// A frame as the outbox gives it back, in the order it was taken in.
package struct StoredFrame: Sendable, CustomStringConvertible, CustomReflectable {
  /// The place in the outbox's order; never used twice.
  package var sequence: Int64
  package var receptionID: ReceptionID
  package var source: Code
  package var rail: Code
  package var receivedAt: Timestamp
  package var bytes: [UInt8]
  package var refusal: FrameRefusal?
  package var transport: TransportHeaders?
  /// Where it stands in the inbox of an organisation; `nil` for connectors inside the boundary.
  package var place: RecordCoordinates?
  /// Set once it was said that the message it answers did not come: under which reference.
  package var judgedUnder: Token?
  /// Its reception is on the sources topic already: it was parked before.
  package var isAnnounced = false

  package init(
    sequence: Int64, receptionID: ReceptionID, source: Code, rail: Code, receivedAt: Timestamp,
    bytes: [UInt8], refusal: FrameRefusal? = nil, transport: TransportHeaders? = nil
  ) {
    self.sequence = sequence
    self.receptionID = receptionID
    self.source = source
    self.rail = rail
    self.receivedAt = receivedAt
    self.bytes = bytes
    self.refusal = refusal
    self.transport = transport
  }

  /// Names the frame without its content.
  package var description: String { "frame \(sequence) of \(source), \(bytes.count) bytes" }
  package var customMirror: Mirror { Mirror(self, children: []) }
}

/// What a file of a drop folder is known by until it has been moved away, as a keyed hash.
///
/// It is stored in the transaction that takes the file's messages in, so that a file found again
/// after a crash is moved and not taken in a second time: that would be our own redelivery under
/// a new reception id, which nobody could tell from the sender's duplicate.
package struct FileClaim: Hashable, Sendable {
  /// The 32 bytes of the hash.
  package let bytes: [UInt8]

  package init(bytes: [UInt8]) {
    self.bytes = bytes
  }
}

/// A request of a sender that numbers its requests, as keyed hashes.
///
/// It is stored in the transaction that takes the request's message in: a sender that had no
/// answer, because this process or the network went away, sends the same again, and is told that it
/// is here already. Nobody else could tell that from a second message.
package struct RequestClaim: Hashable, Sendable {
  /// Of the sender and its number of the request; 32 bytes.
  package let key: [UInt8]
  /// Of what was asked for and of the body; 32 bytes.
  package let content: [UInt8]

  package init(key: [UInt8], content: [UInt8]) {
    self.key = key
    self.content = content
  }
}

/// What became of frames that came as a numbered request.
package enum RequestOutcome: Hashable, Sendable {
  case taken([ReceptionID])
  /// The number was used before, for the same content or for other: nothing was taken in.
  case repeated(isSame: Bool)
}

/// The bounds of an outbox; beyond them senders are told to try later.
package struct OutboxLimits: Sendable {
  /// Frames that may wait, parked ones included.
  package var rowCountMax = 200_000
  /// Bytes of frames that may wait.
  package var byteCountMax = 2 * 1_024 * 1_024 * 1_024
  /// Bytes of one frame; the connectors' own limits are lower.
  package var frameByteCountMax = 64 * 1_024 * 1_024
  /// Bytes of the database file; `nil` leaves it to the disk.
  package var fileByteCountMax: Int?
  /// Numbered requests that are remembered; beyond it the oldest are forgotten, and a repeat of
  /// one of those is taken in as a message that the reconciler knows for a repeat.
  package var requestCountMax = 200_000
  /// How long a numbered request is remembered.
  package var requestAgeMax: Elapsed = .minutes(7 * 24 * 60)

  package init() {}
}

/// How full an outbox is.
package struct OutboxLevel: Hashable, Sendable {
  package var rowCount: Int
  package var byteCount: Int
  /// Those of the rows that wait for a request.
  package var parkedCount = 0
}

/// Why the outbox did not do as asked; in every case nothing was taken in and nothing was lost.
package enum OutboxError: Error, Hashable, Sendable {
  /// The named limit is reached: the sender is to try later.
  case full(limit: Limit)
  /// The disk has no room left (SQLITE_FULL): the sender is to try later.
  case diskFull
  /// The file or its folder cannot be written (SQLITE_READONLY, SQLITE_CANTOPEN, SQLITE_PERM).
  case notWritable
  /// Another process owns this outbox.
  case inUse
  /// The outbox is closed or closing.
  case closed
  /// Any other failure of SQLite, by its extended result code.
  case failed(code: Int32)
  /// What is stored cannot be read back.
  case corrupt

  /// Which bound was met.
  package enum Limit: String, Hashable, Sendable {
    case rows, bytes, frameBytes
  }
}

extension OutboxError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .full(let limit): "outbox full (\(limit.rawValue))"
    case .diskFull: "outbox: no space left on the disk"
    case .notWritable: "outbox: file or folder cannot be written"
    case .inUse: "outbox: in use by another process"
    case .closed: "outbox closed"
    case .failed(let code): "outbox: SQLite error \(code)"
    case .corrupt: "outbox: stored row cannot be read"
    }
  }
}
