import HandoffCore

/// Reads one Protobuf message field by field from the bytes of a record, copying as little as it can.
///
/// The generated types parse every id into a heap buffer of its own, which costs more than all the
/// rest of reading a record; here an id goes straight into its 128 bits. Tests hold the two readers
/// to the same result. What is not the schema's wire type is refused, and unknown fields are
/// skipped, so that a newer writer of the same version can be read.
package struct ProtobufReader {
  private let bytes: [UInt8]
  private var position: Int
  private var end: Int
  private var wireType: UInt8 = 0
  /// The message's name, for errors.
  private(set) var message: StaticString

  /// Reads all of `bytes` as a message called `message`.
  package init(_ bytes: [UInt8], message: StaticString) {
    self.init(bytes, 0..<bytes.count, message: message)
  }

  private init(_ bytes: [UInt8], _ range: Range<Int>, message: StaticString) {
    self.bytes = bytes
    self.message = message
    position = range.lowerBound
    end = range.upperBound
  }

  /// The number of the next field, or `nil` at the end of the message.
  @inline(__always) mutating func nextField() throws(WireError) -> UInt32? {
    guard position < end else { return nil }
    let tag = try varint()
    guard tag <= UInt64(UInt32.max), tag >> 3 > 0 else { throw malformed }
    wireType = UInt8(tag & 7)
    return UInt32(tag >> 3)
  }

  /// Passes over a field that this version does not know.
  mutating func skip() throws(WireError) {
    switch wireType {
    case 0: _ = try varint()
    case 1: try advance(8)
    case 2: _ = try lengthDelimited()
    case 5: try advance(4)
    default: throw malformed  // Groups (3, 4) are not proto3.
    }
  }

  var malformed: WireError { WireError(.malformed, "\(message)") }

  func invalid(_ field: StaticString) -> WireError {
    WireError(.fieldInvalid, "\(message).\(field)")
  }

  func missing(_ field: StaticString) -> WireError {
    WireError(.fieldMissing, "\(message).\(field)")
  }

  private mutating func advance(_ count: Int) throws(WireError) {
    guard count <= end - position else { throw malformed }
    position += count
  }

  @inline(__always) private mutating func varint() throws(WireError) -> UInt64 {
    // Nearly every tag and length is one byte, and most others are two.
    guard position < end else { throw malformed }
    let first = bytes[position]
    if first < 0x80 {
      position += 1
      return UInt64(first)
    }
    if position + 1 < end, bytes[position + 1] < 0x80 {
      position += 2
      return UInt64(first & 0x7f) | UInt64(bytes[position - 1]) << 7
    }
    return try longVarint()
  }

  private mutating func longVarint() throws(WireError) -> UInt64 {
    if bytes.count - position >= 8 {
      // Most are of eight bytes at the most: the last is the first without its top bit.
      let word = unsafe bytes.withUnsafeBytes { bytes in
        unsafe bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)
      }
      let value = UInt64(littleEndian: word)
      let ends = ~value & 0x8080_8080_8080_8080
      let count = ends.trailingZeroBitCount / 8 + 1
      if ends != 0, count <= end - position {
        position += count
        return Self.joined(value & (ends ^ (ends &- 1)))
      }
    }
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while position < end {
      let byte = bytes[position]
      position += 1
      // The tenth byte has one bit left to give.
      guard shift < 63 || byte <= 1 else { throw malformed }
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    throw malformed
  }

  /// The low seven bits of each byte, one behind the other.
  @inline(__always) private static func joined(_ bytes: UInt64) -> UInt64 {
    let pairs = bytes & 0x007f_007f_007f_007f | (bytes & 0x7f00_7f00_7f00_7f00) >> 1
    let fours = pairs & 0x0000_3fff_0000_3fff | (pairs & 0x3fff_0000_3fff_0000) >> 2
    return fours & 0x0fff_ffff | (fours & 0x0fff_ffff_0000_0000) >> 4
  }

  @inline(__always) private mutating func lengthDelimited() throws(WireError) -> Range<Int> {
    let length = try varint()
    guard length <= UInt64(end - position) else { throw malformed }
    let start = position
    position += Int(length)
    return start..<position
  }

  @inline(__always) private mutating func delimited() throws(WireError) -> Range<Int> {
    guard wireType == 2 else { throw malformed }
    return try lengthDelimited()
  }

  // MARK: Values of the field just announced

  @inline(__always) mutating func unsigned() throws(WireError) -> UInt64 {
    guard wireType == 0 else { throw malformed }
    return try varint()
  }

  @inline(__always) mutating func unsigned<T: FixedWidthInteger>(
    _ type: T.Type, _ field: StaticString
  ) throws(WireError) -> T {
    guard let value = T(exactly: try unsigned()) else { throw invalid(field) }
    return value
  }

  /// An `int32` or `int64`: negative numbers are ten bytes long on the wire.
  @inline(__always) mutating func signed<T: FixedWidthInteger & SignedInteger>(
    _ type: T.Type, _ field: StaticString
  ) throws(WireError) -> T {
    guard let value = T(exactly: Int64(bitPattern: try unsigned())) else { throw invalid(field) }
    return value
  }

  mutating func fixed64() throws(WireError) -> UInt64 {
    guard wireType == 1, end - position >= 8 else { throw malformed }
    var value: UInt64 = 0
    for index in 0..<8 { value |= UInt64(bytes[position + index]) << UInt64(8 * index) }
    position += 8
    return value
  }

  mutating func flag() throws(WireError) -> Bool { try unsigned() != 0 }

  mutating func byteArray() throws(WireError) -> [UInt8] { Array(try byteSlice()) }

  /// Bytes where they stand.
  @inline(__always) mutating func byteSlice() throws(WireError) -> ArraySlice<UInt8> {
    bytes[try delimited()]
  }

  /// Any text; for codes and other values with an alphabet, see ``code(_:)``.
  mutating func text(_ field: StaticString, bytesMax: Int = 1024) throws(WireError) -> String {
    let range = try delimited()
    guard range.count <= bytesMax, let text = String(validating: bytes[range], as: UTF8.self)
    else { throw invalid(field) }
    return text
  }

  mutating func nested(_ message: StaticString) throws(WireError) -> ProtobufReader {
    let range = try delimited()
    return ProtobufReader(bytes, range, message: message)
  }

  /// Reads a nested message in place, field by field.
  ///
  /// A reader of its own, as ``nested(_:)`` gives, costs a reference to the bytes; this costs none.
  /// `body` takes or skips each field.
  @inline(__always) mutating func inside(
    _ message: StaticString,
    _ body: (_ number: UInt32, _ reader: inout ProtobufReader) throws(WireError) -> Void
  ) throws(WireError) {
    let range = try delimited()
    let outer = (end, self.message)
    (position, end, self.message) = (range.lowerBound, range.upperBound, message)
    while let number = try nextField() { try body(number, &self) }
    (end, self.message) = outer
  }

  // MARK: Values of ours

  /// Sixteen bytes; empty means absent.
  @inline(__always) mutating func identifier<Kind>(
    _ field: StaticString
  ) throws(WireError) -> Identifier<Kind>? {
    let range = try delimited()
    if range.isEmpty { return nil }
    guard range.count == 16 else { throw invalid(field) }
    return Identifier(rawValue: bigEndian(at: range.lowerBound))
  }

  mutating func hash(_ field: StaticString) throws(WireError) -> RecordHash? {
    let range = try delimited()
    if range.isEmpty { return nil }
    guard range.count == 32 else { throw invalid(field) }
    return RecordHash(
      high: bigEndian(at: range.lowerBound), low: bigEndian(at: range.lowerBound + 16))
  }

  /// Of a hash the half that counts, see ``ProtobufWriter/hash(_:prefix:)``.
  mutating func hashPrefix(_ field: StaticString) throws(WireError) -> RecordHashPrefix? {
    try hash(field)?.prefix
  }

  /// Where a value with an alphabet of its own stands; `nil` where it is empty, which is absent.
  @inline(__always)
  private mutating func word(_ field: StaticString) throws(WireError) -> Range<Int>? {
    let range = try delimited()
    guard range.count <= 256 else { throw invalid(field) }
    return range.isEmpty ? nil : range
  }

  mutating func code(_ field: StaticString) throws(WireError) -> Code? {
    guard let word = try word(field) else { return nil }
    guard let code = Code(utf8: bytes.span.extracting(word)) else { throw invalid(field) }
    return code
  }

  mutating func organisation(_ field: StaticString) throws(WireError) -> OrganisationID? {
    guard let word = try word(field) else { return nil }
    guard let organisation = OrganisationID(utf8: bytes.span.extracting(word)) else {
      throw invalid(field)
    }
    return organisation
  }

  mutating func kind(_ field: StaticString) throws(WireError) -> HandoffKind? {
    guard let word = try word(field) else { return nil }
    guard let kind = HandoffKind(utf8: bytes.span.extracting(word)) else { throw invalid(field) }
    return kind
  }

  mutating func priority(_ field: StaticString) throws(WireError) -> Priority? {
    guard let word = try word(field) else { return nil }
    guard let priority = Priority(utf8: bytes.span.extracting(word)) else { throw invalid(field) }
    return priority
  }

  mutating func timestamp(_ field: StaticString) throws(WireError) -> Timestamp {
    var seconds: Int64 = 0
    var nanos: Int32 = 0
    try inside("Timestamp") { number, reader throws(WireError) in
      switch number {
      case 1: seconds = try reader.signed(Int64.self, "seconds")
      case 2: nanos = try reader.signed(Int32.self, "nanos")
      default: try reader.skip()
      }
    }
    guard (0..<1_000_000_000).contains(nanos) else { throw invalid(field) }
    if seconds.magnitude < 9_000_000_000 {
      return Timestamp(nanoseconds: seconds &* 1_000_000_000 &+ Int64(nanos))
    }
    // The range's first second starts before the range does: 128 bits hold the sum either way.
    guard let nanoseconds = Int64(exactly: Int128(seconds) * 1_000_000_000 + Int128(nanos)) else {
      throw invalid(field)
    }
    return Timestamp(nanoseconds: nanoseconds)
  }

  mutating func patientKey(_ field: StaticString) throws(WireError) -> PatientKey? {
    var epoch: UInt16 = 0
    var hash: Range<Int>?
    try inside("PatientKey") { number, reader throws(WireError) in
      switch number {
      case 1: epoch = try reader.unsigned(UInt16.self, "epoch")
      case 2: hash = try reader.delimited()
      default: try reader.skip()
      }
    }
    guard let hash, epoch > 0, hash.count == 32 else { throw invalid(field) }
    return PatientKey(
      epoch: epoch, high: bigEndian(at: hash.lowerBound), low: bigEndian(at: hash.lowerBound + 16))
  }

  /// Sixteen bytes that are known to be there.
  @inline(__always) private func bigEndian(at start: Int) -> UInt128 {
    precondition(start >= 0 && start + 16 <= bytes.count, "within the bytes")
    let value = unsafe bytes.withUnsafeBytes { bytes in
      unsafe bytes.loadUnaligned(fromByteOffset: start, as: UInt128.self)
    }
    return UInt128(bigEndian: value)
  }
}
