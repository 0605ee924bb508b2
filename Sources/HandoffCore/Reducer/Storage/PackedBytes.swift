/// Writes what a person consists of as bytes that only this process reads.
///
/// Small numbers are short, texts are numbers of a table, and a record that several steps refer to
/// is written once. Nothing of it is stored or sent: the layout may change with every version.
struct PackedWriter: Sendable {
  private(set) var bytes: [UInt8] = []
  var texts = TextTable()
  /// Records that were written out, so that the next step refers to them.
  private var witnesses: [Witness] = []
  /// What is remembered of arrivals, which most records are among.
  private var seen: [SeenEvent] = []

  /// How far back a record is looked for: further back it is written out again.
  private static let reach = 48

  /// Begins another person.
  mutating func begin(remembering seen: [SeenEvent]) {
    bytes.removeAll(keepingCapacity: true)
    witnesses.removeAll(keepingCapacity: true)
    self.seen = seen
  }

  /// Lets go of what was borrowed, so that nobody copies it because of us.
  mutating func end() { seen = [] }

  mutating func byte(_ value: UInt8) { bytes.append(value) }

  mutating func number(_ value: UInt64) {
    var value = value
    while value >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
      value >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: value))
  }

  /// A number of either sign, short where it is near zero.
  mutating func signed(_ value: Int64) {
    number(UInt64(bitPattern: value << 1 ^ value >> 63))
  }

  /// A moment, short where it is near `base` and both are in whole milliseconds.
  mutating func moment(_ value: Timestamp, near base: Timestamp) {
    let difference = value.nanoseconds &- base.nanoseconds
    if difference % 1_000_000 == 0 {
      number(UInt64(bitPattern: (difference / 1_000_000) << 1 ^ difference >> 63) << 1)
    } else {
      number(1)
      whole(difference)
    }
  }

  /// The bytes of a number as they lie in memory.
  mutating func whole<Number: FixedWidthInteger & BitwiseCopyable>(_ value: Number) {
    unsafe withUnsafeBytes(of: value) { unsafe bytes.append(contentsOf: $0) }
  }

  mutating func text(_ text: ShortText?) {
    guard let text else { return whole(TextTable.none) }
    let number = texts.number(of: text)
    whole(number)
    guard number == TextTable.inline else { return }
    let letters = text.text.utf8
    self.number(UInt64(letters.count))
    bytes.append(contentsOf: letters)
  }

  mutating func hash(_ hash: RecordHash) {
    whole(hash.high)
    whole(hash.low)
  }

  /// A record: what was written before, what is remembered of an arrival, or all of it.
  mutating func witness(_ witness: Witness) {
    let recent = witnesses.suffix(Self.reach)
    if let known = recent.lastIndex(of: witness) { return number(UInt64(known) + 2) }
    witnesses.append(witness)
    let arrival = seen.suffix(Self.reach).lastIndex { $0.isOf(witness) }
    if let arrival {
      number(1)
      number(UInt64(arrival))
    } else {
      number(0)
      whole(witness.eventID.rawValue)
      hash(witness.hash)
      whole(witness.arrivedAt.nanoseconds)
      signed(witness.offset)
      number(witness.partition.map { UInt64(UInt32(bitPattern: $0)) + 1 } ?? 0)
    }
    moment(witness.occurredAt, near: witness.arrivedAt)
  }
}

extension SeenEvent {
  /// Whether it is of the very record that a witness stands for.
  fileprivate func isOf(_ witness: Witness) -> Bool {
    hash == witness.hash && eventID == witness.eventID && arrivedAt == witness.arrivedAt
      && offset == witness.offset && partition == witness.partition
  }
}

/// Reads what ``PackedWriter`` wrote in this process; anything else traps.
struct PackedReader {
  private let bytes: [UInt8]
  private var position = 0
  private var witnesses: [Witness] = []
  /// The arrivals that records refer to; they are read first.
  var seen: [SeenEvent] = []

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    witnesses.reserveCapacity(8)
  }

  var isAtEnd: Bool { position == bytes.count }

  mutating func byte() -> UInt8 {
    position += 1
    return bytes[position - 1]
  }

  mutating func number() -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      let next = byte()
      value |= UInt64(next & 0x7f) << shift
      if next < 0x80 { return value }
      shift += 7
    }
  }

  mutating func signed() -> Int64 {
    let value = number()
    return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
  }

  mutating func count() -> Int { Int(number()) }

  mutating func moment(near base: Timestamp) -> Timestamp {
    let value = number()
    guard value & 1 == 0 else {
      return Timestamp(nanoseconds: base.nanoseconds &+ whole(Int64.self))
    }
    let folded = value >> 1
    let milliseconds = Int64(bitPattern: folded >> 1) ^ -Int64(bitPattern: folded & 1)
    return Timestamp(nanoseconds: base.nanoseconds &+ milliseconds &* 1_000_000)
  }

  mutating func whole<Number: FixedWidthInteger & BitwiseCopyable>(_ type: Number.Type) -> Number {
    let width = MemoryLayout<Number>.size
    precondition(position + width <= bytes.count, "what was packed ends early")
    // Within the bytes, as was just asked.
    let value = unsafe bytes.withUnsafeBytes { bytes in
      unsafe bytes.loadUnaligned(fromByteOffset: position, as: type)
    }
    position += width
    return value
  }

  mutating func identifier<Kind>() -> Identifier<Kind> {
    Identifier(rawValue: whole(UInt128.self))
  }

  mutating func text(_ texts: TextTable) -> ShortText? {
    let number = whole(UInt16.self)
    if number == TextTable.none { return nil }
    guard number == TextTable.inline else { return texts[number] }
    let count = count()
    position += count
    return ShortText(ascii: bytes.span.extracting((position - count)..<position))
  }

  mutating func hash() -> RecordHash {
    let high = whole(UInt128.self)
    return RecordHash(high: high, low: whole(UInt128.self))
  }

  mutating func witness() -> Witness {
    let kind = number()
    guard kind < 2 else { return witnesses[Int(kind) - 2] }
    var witness: Witness
    if kind == 1 {
      let arrival = seen[count()]
      witness = Witness(
        eventID: arrival.eventID, hash: arrival.hash, arrivedAt: arrival.arrivedAt,
        occurredAt: arrival.arrivedAt, offset: arrival.offset, partition: arrival.partition)
    } else {
      let eventID: EventID = identifier()
      let hash = hash()
      let arrivedAt = Timestamp(nanoseconds: whole(Int64.self))
      let offset = signed()
      let partition = number()
      witness = Witness(
        eventID: eventID, hash: hash, arrivedAt: arrivedAt, occurredAt: arrivedAt, offset: offset,
        partition: partition == 0 ? nil : Int32(truncatingIfNeeded: Int64(partition) - 1))
    }
    witness.occurredAt = moment(near: witness.arrivedAt)
    witnesses.append(witness)
    return witness
  }
}
