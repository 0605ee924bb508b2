package import HandoffCore

/// One arrival that gave no event, with its payload sealed under the key of its day.
package struct DeadLetter: Hashable, WireMessage {
  package static var wireName: StaticString { "baton.handoff.v1.DeadLetter" }

  /// Why it is here.
  package enum Disposition: String, CaseIterable, Hashable, Sendable {
    /// It could not be mapped, and its sender was told so.
    case refused
    /// It is well-formed and says nothing about a handoff.
    case noHandoffFact
  }

  /// The connector that took it in.
  package var source: Code
  package var receptionID: ReceptionID
  /// When it arrived.
  package var at: Timestamp
  package var disposition: Disposition
  /// Why, as a code of ours such as `hl7.segment-missing`.
  package var reason: Code
  /// Which field, as its standard names it; never its value.
  package var field: String?
  /// What the message said it was, such as `ADT-A08`, where it could be read.
  package var messageType: Code?
  /// How it travelled: `mllp`, `bars`, `mesh`, `file`, `ndjson`.
  package var rail: Code
  /// The payload under AES-256-GCM with the key of ``keyDay``.
  package var sealedPayload: [UInt8]
  /// Which day's key, as `2026-11-23`.
  package var keyDay: String
  /// Length of the payload before sealing.
  package var payloadBytes: UInt64

  package init(
    source: Code, receptionID: ReceptionID, at: Timestamp, disposition: Disposition,
    reason: Code, field: String?, messageType: Code?, rail: Code, sealedPayload: [UInt8],
    keyDay: String, payloadBytes: UInt64
  ) {
    self.source = source
    self.receptionID = receptionID
    self.at = at
    self.disposition = disposition
    self.reason = reason
    self.field = field
    self.messageType = messageType
    self.rail = rail
    self.sealedPayload = sealedPayload
    self.keyDay = keyDay
    self.payloadBytes = payloadBytes
  }

  package func write(to writer: inout ProtobufWriter) {
    writer.code(1, source)
    writer.identifier(2, receptionID)
    writer.timestamp(3, at)
    writer.numbered(4, disposition)
    writer.code(5, reason)
    writer.text(6, field)
    writer.code(7, messageType)
    writer.code(8, rail)
    writer.bytes(9, sealedPayload)
    writer.text(10, keyDay)
    writer.unsigned(11, payloadBytes)
  }

  package init(reading reader: inout ProtobufReader) throws(WireError) {
    var source: Code?
    var receptionID: ReceptionID?
    var at: Timestamp?
    var disposition: Disposition?
    var reason: Code?
    var field = ""
    var messageType: Code?
    var rail: Code?
    var sealedPayload: [UInt8] = []
    var keyDay = ""
    var payloadBytes: UInt64 = 0
    while let number = try reader.nextField() {
      switch number {
      case 1: source = try reader.code("source")
      case 2: receptionID = try reader.identifier("reception_id")
      case 3: at = try reader.timestamp("at")
      case 4: disposition = try reader.numbered("disposition")
      case 5: reason = try reader.code("reason")
      case 6: field = try reader.text("field")
      case 7: messageType = try reader.code("message_type")
      case 8: rail = try reader.code("rail")
      case 9: sealedPayload = try reader.byteArray()
      case 10: keyDay = try reader.text("key_day", bytesMax: 32)
      case 11: payloadBytes = try reader.unsigned()
      default: try reader.skip()
      }
    }
    guard let source else { throw reader.missing("source") }
    guard let receptionID else { throw reader.missing("reception_id") }
    guard let at else { throw reader.missing("at") }
    guard let disposition else { throw reader.missing("disposition") }
    guard let reason else { throw reader.missing("reason") }
    guard let rail else { throw reader.missing("rail") }
    self.init(
      source: source, receptionID: receptionID, at: at, disposition: disposition, reason: reason,
      field: field.isEmpty ? nil : field, messageType: messageType, rail: rail,
      sealedPayload: sealedPayload, keyDay: keyDay, payloadBytes: payloadBytes)
  }
}
