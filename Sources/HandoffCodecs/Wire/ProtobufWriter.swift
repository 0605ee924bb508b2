import HandoffCore

/// Writes one Protobuf message in ascending field order, absent and zero values left out.
///
/// That is the one byte form the generated types give too, so that a record hash does not depend on
/// which of the two wrote it.
package struct ProtobufWriter {
  package private(set) var bytes: [UInt8] = []

  package init(capacity: Int = 0) {
    bytes.reserveCapacity(capacity)
  }

  private mutating func varint(_ value: UInt64) {
    var value = value
    while value >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
      value >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: value))
  }

  private mutating func tag(_ field: UInt32, _ wireType: UInt64) {
    varint(UInt64(field) << 3 | wireType)
  }

  mutating func unsigned(_ field: UInt32, _ value: some UnsignedInteger) {
    if value != 0 { present(field, value) }
  }

  /// Written even where it is zero: a field whose presence means something.
  mutating func present(_ field: UInt32, _ value: some UnsignedInteger) {
    tag(field, 0)
    varint(UInt64(value))
  }

  mutating func signed(_ field: UInt32, _ value: some SignedInteger) {
    if value != 0 { present(field, UInt64(bitPattern: Int64(value))) }
  }

  /// Written even where it is zero.
  mutating func signed(_ field: UInt32, present value: (some SignedInteger)?) {
    if let value { present(field, UInt64(bitPattern: Int64(value))) }
  }

  /// Eight bytes, least significant first; written even where it is zero.
  mutating func fixed64(_ field: UInt32, _ value: UInt64) {
    tag(field, 1)
    unsafe withUnsafeBytes(of: value.littleEndian) { unsafe bytes.append(contentsOf: $0) }
  }

  mutating func flag(_ field: UInt32, _ value: Bool) {
    if value { present(field, 1 as UInt8) }
  }

  mutating func bytes(_ field: UInt32, _ value: [UInt8]) {
    if !value.isEmpty { present(field, bytes: value) }
  }

  /// Written even where it is empty.
  mutating func present(_ field: UInt32, bytes value: [UInt8]) {
    tag(field, 2)
    varint(UInt64(value.count))
    bytes.append(contentsOf: value)
  }

  mutating func text(_ field: UInt32, _ value: String?) {
    guard let value, !value.isEmpty else { return }
    tag(field, 2)
    varint(UInt64(value.utf8.count))
    bytes.append(contentsOf: value.utf8)
  }

  mutating func code(_ field: UInt32, _ value: Code?) { short(field, value) }

  mutating func organisation(_ field: UInt32, _ value: OrganisationID?) { short(field, value) }

  /// A code, a kind, a priority or an organisation.
  mutating func short(_ field: UInt32, _ value: (some WrittenShort)?) {
    guard let value else { return }
    tag(field, 2)
    varint(UInt64(value.utf8Count))
    value.append(to: &bytes)
  }

  mutating func identifier<Kind>(_ field: UInt32, _ value: Identifier<Kind>?) {
    guard let value else { return }
    tag(field, 2)
    bytes.append(16)
    append(value.rawValue)
  }

  /// Sixteen bytes, most significant first.
  private mutating func append(_ value: UInt128) {
    unsafe withUnsafeBytes(of: value.bigEndian) { unsafe bytes.append(contentsOf: $0) }
  }

  mutating func hash(_ field: UInt32, _ value: RecordHash?) {
    guard let value else { return }
    tag(field, 2)
    bytes.append(32)
    append(value.high)
    append(value.low)
  }

  /// Of a hash the half that reducers keep: the field holds a whole one, as it always did (decision
  /// 0155).
  mutating func hash(_ field: UInt32, prefix: RecordHashPrefix) {
    hash(field, RecordHash(prefix: prefix))
  }

  mutating func timestamp(_ field: UInt32, _ value: Timestamp?) {
    guard let value else { return }
    let (quotient, remainder) = value.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    nested(field) { writer in
      // Nanoseconds count forwards in time, before 1970 too (google.protobuf.Timestamp).
      writer.signed(1, remainder < 0 ? quotient - 1 : quotient)
      writer.signed(2, remainder < 0 ? remainder + 1_000_000_000 : remainder)
    }
  }

  mutating func patientKey(_ field: UInt32, _ value: PatientKey?) {
    guard let value else { return }
    nested(field) { writer in
      writer.unsigned(1, value.epoch)
      writer.tag(2, 2)
      writer.bytes.append(32)
      writer.append(value.high)
      writer.append(value.low)
    }
  }

  /// A message in a field; an empty one is written, because it is there.
  mutating func nested(_ field: UInt32, _ body: (inout ProtobufWriter) -> Void) {
    tag(field, 2)
    let start = bytes.count
    bytes.append(0)
    body(&self)
    let length = bytes.count - start - 1
    guard length >= 0x80 else {
      bytes[start] = UInt8(length)
      return
    }
    // Longer than one byte can say: the body moves up by what its length needs more.
    var prefix = ProtobufWriter()
    prefix.varint(UInt64(length))
    bytes.replaceSubrange(start...start, with: prefix.bytes)
  }
}
