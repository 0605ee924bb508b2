import HandoffCore

/// Writes one Protobuf message in ascending field order, absent and zero values left out.
///
/// That is the one byte form the generated types give too, so that a record hash does not depend on
/// which of the two wrote it.
package struct ProtobufWriter: Sendable {
  /// Longer than what was written: it is filled from the front, and used again after ``begin()``.
  private var buffer: [UInt8]
  private var count = 0

  package init(capacity: Int = 64) {
    buffer = [UInt8](repeating: 0, count: capacity)
  }

  /// What was written since it was begun, in an array of its very size.
  package var bytes: [UInt8] { Array(buffer[..<count]) }

  /// Begins another message.
  mutating func begin() { count = 0 }

  private mutating func makeRoom(_ most: Int) {
    guard buffer.count - count < most else { return }
    buffer.append(contentsOf: repeatElement(0, count: max(most, buffer.count)))
  }

  private mutating func varint(_ value: UInt64) {
    makeRoom(10)
    var value = value
    while value >= 0x80 {
      buffer[count] = UInt8(truncatingIfNeeded: value) | 0x80
      count += 1
      value >>= 7
    }
    buffer[count] = UInt8(truncatingIfNeeded: value)
    count += 1
  }

  /// A tag and the number behind it, which is nearly always small: the value, or its length.
  private mutating func tag(_ field: UInt32, _ type: UInt32, _ value: UInt64) {
    guard field < 16, value < 0x80 else {
      varint(UInt64(field << 3 | type))
      return varint(value)
    }
    whole((UInt16(field << 3 | type) | UInt16(value) << 8).littleEndian)
  }

  /// The bytes of a number as they lie in memory.
  private mutating func whole<Number: FixedWidthInteger & BitwiseCopyable>(_ value: Number) {
    let width = MemoryLayout<Number>.size
    makeRoom(width)
    let place = count
    // Within the buffer: room was made just before.
    unsafe buffer.withUnsafeMutableBytes { bytes in
      unsafe bytes.storeBytes(of: value, toByteOffset: place, as: Number.self)
    }
    count += width
  }

  private mutating func append(_ bytes: some Collection<UInt8>) {
    makeRoom(bytes.count)
    let place = count
    unsafe buffer.withUnsafeMutableBytes { target in
      unsafe UnsafeMutableRawBufferPointer(rebasing: target[place...]).copyBytes(from: bytes)
    }
    count += bytes.count
  }

  mutating func unsigned(_ field: UInt32, _ value: some UnsignedInteger) {
    if value != 0 { present(field, value) }
  }

  /// Written even where it is zero: a field whose presence means something.
  mutating func present(_ field: UInt32, _ value: some UnsignedInteger) {
    tag(field, 0, UInt64(value))
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
    varint(UInt64(field << 3 | 1))
    whole(value.littleEndian)
  }

  mutating func flag(_ field: UInt32, _ value: Bool) {
    if value { present(field, 1 as UInt8) }
  }

  mutating func bytes(_ field: UInt32, _ value: [UInt8]) {
    if !value.isEmpty { present(field, bytes: value) }
  }

  /// Written even where it is empty.
  mutating func present(_ field: UInt32, bytes value: [UInt8]) {
    tag(field, 2, UInt64(value.count))
    append(value)
  }

  mutating func text(_ field: UInt32, _ value: String?) {
    guard let value, !value.isEmpty else { return }
    tag(field, 2, UInt64(value.utf8.count))
    append(value.utf8)
  }

  mutating func code(_ field: UInt32, _ value: Code?) { short(field, value) }

  mutating func organisation(_ field: UInt32, _ value: OrganisationID?) { short(field, value) }

  /// A code, a kind, a priority or an organisation.
  mutating func short(_ field: UInt32, _ value: (some WrittenShort)?) {
    guard let value else { return }
    guard let letters = value.letters else {
      let text = value.description.utf8
      tag(field, 2, UInt64(text.count))
      return append(text)
    }
    let length = 16 - letters.trailingZeroBitCount / 8
    tag(field, 2, UInt64(length))
    // All sixteen, of which the next field overwrites what is not letters.
    whole(letters.bigEndian)
    count -= 16 - length
  }

  mutating func identifier<Kind>(_ field: UInt32, _ value: Identifier<Kind>?) {
    guard let value else { return }
    tag(field, 2, 16)
    whole(value.rawValue.bigEndian)
  }

  mutating func hash(_ field: UInt32, _ value: RecordHash?) {
    guard let value else { return }
    tag(field, 2, 32)
    whole(value.high.bigEndian)
    whole(value.low.bigEndian)
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
      writer.tag(2, 2, 32)
      writer.whole(value.high.bigEndian)
      writer.whole(value.low.bigEndian)
    }
  }

  /// A message in a field; an empty one is written, because it is there.
  mutating func nested(_ field: UInt32, _ body: (inout ProtobufWriter) -> Void) {
    let start = open(field)
    body(&self)
    close(start)
  }

  /// Begins a message in a field, whose fields come next; what is returned is for ``close(_:)``.
  mutating func open(_ field: UInt32) -> Int {
    tag(field, 2, 0)
    return count
  }

  /// Ends the message that was begun last.
  mutating func close(_ start: Int) {
    let end = count
    let length = UInt64(end - start)
    guard length >= 0x80 else {
      buffer[start - 1] = UInt8(length)
      return
    }
    // Longer than one byte can say: the body moves up by what its length needs more.
    varint(length)
    let extra = count - end - 1
    // Within the buffer, which reaches behind the length that was just written.
    unsafe buffer.withUnsafeMutableBytes { bytes in
      let body = unsafe UnsafeRawBufferPointer(rebasing: bytes[start..<end])
      unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[(start + extra)...])
        .copyMemory(from: body)
    }
    count = start - 1
    varint(length)
    count = end + extra
  }
}
