package import HandoffCore

/// What a ``BoundaryKeyID`` names: a public key of ingest or of an organisation.
package enum BoundaryKeyKind {}

/// The first 128 bits of SHA-256 of an X25519 public key.
package typealias BoundaryKeyID = Identifier<BoundaryKeyKind>

/// What HPKE made of some content, and between whom.
package struct SealedEnvelope: Hashable, Sendable {
  package var recipientKey: BoundaryKeyID
  package var senderKey: BoundaryKeyID
  package var encapsulatedKey: [UInt8]
  package var ciphertext: [UInt8]

  package init(
    recipientKey: BoundaryKeyID, senderKey: BoundaryKeyID, encapsulatedKey: [UInt8],
    ciphertext: [UInt8]
  ) {
    self.recipientKey = recipientKey
    self.senderKey = senderKey
    self.encapsulatedKey = encapsulatedKey
    self.ciphertext = ciphertext
  }

  fileprivate func write(to writer: inout ProtobufWriter, from field: UInt32) {
    writer.identifier(field, recipientKey)
    writer.identifier(field + 1, senderKey)
    writer.bytes(field + 2, encapsulatedKey)
    writer.bytes(field + 3, ciphertext)
  }
}

/// The fields of an envelope, as they come.
private struct EnvelopeReader {
  var recipientKey: BoundaryKeyID?
  var senderKey: BoundaryKeyID?
  var encapsulatedKey: [UInt8] = []
  var ciphertext: [UInt8] = []

  /// Reads the field with `number`, counted from the first of the envelope; false where it is none.
  mutating func read(_ number: UInt32, _ reader: inout ProtobufReader) throws(WireError) -> Bool {
    switch number {
    case 0: recipientKey = try reader.identifier("recipient_key")
    case 1: senderKey = try reader.identifier("sender_key")
    case 2: encapsulatedKey = try reader.byteArray()
    case 3: ciphertext = try reader.byteArray()
    default: return false
    }
    return true
  }

  func envelope(_ reader: ProtobufReader) throws(WireError) -> SealedEnvelope {
    guard let recipientKey else { throw reader.missing("recipient_key") }
    guard let senderKey else { throw reader.missing("sender_key") }
    guard encapsulatedKey.count == 32 else { throw reader.invalid("encapsulated_key") }
    guard !ciphertext.isEmpty else { throw reader.missing("ciphertext") }
    return SealedEnvelope(
      recipientKey: recipientKey, senderKey: senderKey, encapsulatedKey: encapsulatedKey,
      ciphertext: ciphertext)
  }
}

/// A frame of a connector outside the boundary, as it travels: clear header, sealed content.
package struct SealedFrame: Hashable, WireMessage {
  package static var wireName: StaticString { "baton.handoff.v1.SealedFrame" }

  /// The connector that took it in.
  package var source: Code
  package var receptionID: ReceptionID
  package var rail: Code
  package var envelope: SealedEnvelope

  package init(source: Code, receptionID: ReceptionID, rail: Code, envelope: SealedEnvelope) {
    self.source = source
    self.receptionID = receptionID
    self.rail = rail
    self.envelope = envelope
  }

  package func write(to writer: inout ProtobufWriter) {
    writer.code(1, source)
    writer.identifier(2, receptionID)
    writer.code(3, rail)
    envelope.write(to: &writer, from: 4)
  }

  package init(reading reader: inout ProtobufReader) throws(WireError) {
    var source: Code?
    var receptionID: ReceptionID?
    var rail: Code?
    var envelope = EnvelopeReader()
    while let number = try reader.nextField() {
      switch number {
      case 1: source = try reader.code("source")
      case 2: receptionID = try reader.identifier("reception_id")
      case 3: rail = try reader.code("rail")
      default:
        guard number >= 4, try envelope.read(number - 4, &reader) else {
          try reader.skip()
          continue
        }
      }
    }
    guard let source else { throw reader.missing("source") }
    guard let receptionID else { throw reader.missing("reception_id") }
    guard let rail else { throw reader.missing("rail") }
    self.init(
      source: source, receptionID: receptionID, rail: rail, envelope: try envelope.envelope(reader))
  }
}

/// What a ``SealedFrame`` holds.
package struct FrameContent: Hashable, WireMessage, CustomStringConvertible, CustomReflectable {
  package static var wireName: StaticString { "baton.handoff.v1.FrameContent" }

  /// A header that the transport gave beside the frame.
  package struct Header: Hashable, Sendable {
    package var name: String
    package var value: String

    package init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  /// When the connector took it in, by its own clock.
  package var receivedAt: Timestamp
  /// The frame, byte for byte: identity in clear.
  package var payload: [UInt8] = []
  /// Why the connector refused it before it could be read.
  package var refusal: Code?
  package var refusalField: String?
  /// Instead of a frame: that the connector is alive, with its totals.
  package var heartbeat: SourceHeartbeat?
  package var transport: [Header] = []

  package init(receivedAt: Timestamp) { self.receivedAt = receivedAt }

  /// The headers of HTTP that the frame came with.
  package var headers: TransportHeaders? {
    get {
      func value(_ name: String) -> String? { transport.first { $0.name == name }?.value }
      var headers = TransportHeaders(
        requestID: value("x-request-id"), correlationID: value("x-correlation-id"))
      headers.targetSystem = value("target-system")
      headers.targetValue = value("target-value")
      return headers.isEmpty ? nil : headers
    }
    set {
      let values = [
        ("x-request-id", newValue?.requestID), ("x-correlation-id", newValue?.correlationID),
        ("target-system", newValue?.targetSystem), ("target-value", newValue?.targetValue),
      ]
      transport = values.compactMap { name, value in value.map { Header(name: name, value: $0) } }
    }
  }

  package var description: String { "FrameContent(redacted, \(payload.count) bytes)" }
  package var customMirror: Mirror { Mirror(self, children: []) }

  package func write(to writer: inout ProtobufWriter) {
    writer.timestamp(1, receivedAt)
    writer.bytes(2, payload)
    writer.code(3, refusal)
    writer.text(4, refusalField)
    if let heartbeat { writer.nested(5) { heartbeat.write(to: &$0) } }
    for header in transport {
      writer.nested(6) {
        $0.text(1, header.name)
        $0.text(2, header.value)
      }
    }
  }

  /// Reads it; the source of a heartbeat is set by who knows it (``SealedFrame/source``).
  package init(reading reader: inout ProtobufReader) throws(WireError) {
    var receivedAt: Timestamp?
    var content = FrameContent(receivedAt: .distantPast)
    var heartbeat: ProtobufReader?
    while let number = try reader.nextField() {
      switch number {
      case 1: receivedAt = try reader.timestamp("received_at")
      case 2: content.payload = try reader.byteArray()
      case 3: content.refusal = try reader.code("refusal")
      case 4:
        let field = try reader.text("refusal_field")
        content.refusalField = field.isEmpty ? nil : field
      case 5: heartbeat = try reader.nested("SourceHeartbeat")
      case 6:
        var nested = try reader.nested("TransportHeader")
        var header = Header(name: "", value: "")
        while let number = try nested.nextField() {
          switch number {
          case 1: header.name = try nested.text("name", bytesMax: 64)
          case 2: header.value = try nested.text("value")
          default: try nested.skip()
          }
        }
        guard !header.name.isEmpty, content.transport.count < 32 else {
          throw reader.invalid("transport")
        }
        content.transport.append(header)
      default: try reader.skip()
      }
    }
    guard let receivedAt else { throw reader.missing("received_at") }
    content.receivedAt = receivedAt
    if var heartbeat {
      content.heartbeat = try SourceHeartbeat(
        source: Self.unknownSource, at: receivedAt, reading: &heartbeat)
    }
    self = content
  }

  private static let unknownSource: Code = {
    guard let code = Code("unknown") else { preconditionFailure("a literal is a code") }
    return code
  }()
}

/// A notice to an organisation, as it travels.
package struct SealedNotice: Hashable, WireMessage {
  package static var wireName: StaticString { "baton.handoff.v1.SealedNotice" }

  package var organisation: ODSCode
  /// Of what it tells: the same for the same thing told again.
  package var noticeID: Token
  package var envelope: SealedEnvelope

  package init(organisation: ODSCode, noticeID: Token, envelope: SealedEnvelope) {
    self.organisation = organisation
    self.noticeID = noticeID
    self.envelope = envelope
  }

  package func write(to writer: inout ProtobufWriter) {
    writer.text(1, organisation.description)
    writer.identifier(2, noticeID)
    envelope.write(to: &writer, from: 3)
  }

  package init(reading reader: inout ProtobufReader) throws(WireError) {
    var organisation: ODSCode?
    var noticeID: Token?
    var envelope = EnvelopeReader()
    while let number = try reader.nextField() {
      switch number {
      case 1:
        organisation = ODSCode(try reader.text("organisation", bytesMax: 12))
        if organisation == nil { throw reader.invalid("organisation") }
      case 2: noticeID = try reader.identifier("notice_id")
      default:
        guard number >= 3, try envelope.read(number - 3, &reader) else {
          try reader.skip()
          continue
        }
      }
    }
    guard let organisation else { throw reader.missing("organisation") }
    guard let noticeID else { throw reader.missing("notice_id") }
    self.init(
      organisation: organisation, noticeID: noticeID, envelope: try envelope.envelope(reader))
  }
}

extension WireCodec {
  package func encode(_ frame: SealedFrame) -> WireRecord {
    record(
      frame, key: frame.source.description, id: frame.receptionID.description,
      source: "/sources/\(frame.source)", time: nil, subject: nil)
  }

  /// `key` keeps the notices of one person in one order, and names nobody.
  package func encode(_ notice: SealedNotice, key: Token) -> WireRecord {
    record(
      notice, key: key.description, id: notice.noticeID.description, source: Self.busSource,
      time: nil, subject: nil)
  }

  package static func sealedFrame(_ record: WireRecord) throws(WireError) -> SealedFrame {
    try message(SealedFrame.self, record)
  }

  package static func sealedNotice(_ record: WireRecord) throws(WireError) -> SealedNotice {
    try message(SealedNotice.self, record)
  }
}
