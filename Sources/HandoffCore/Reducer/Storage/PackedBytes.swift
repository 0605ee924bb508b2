/// Writes what a person consists of as bytes that only this process reads.
///
/// Small numbers are short, texts are numbers of a table, and a record that several steps refer to
/// is written once. Nothing of it is stored or sent: the layout may change with every version.
struct PackedWriter: Sendable {
  private typealias Block = InlineArray<2048, UInt8>

  /// What was written last, up to `position`: within the value, for an array would be asked before
  /// every byte whether somebody else holds it too.
  private var block = Block(repeating: 0)
  private var position = 0
  /// What was written before that, of the few who have more behind them than a block holds.
  private var full: [UInt8] = []
  var texts = TextTable()
  /// Records that were written out, so that the next step refers to them.
  private var witnesses: [Witness] = []
  /// What is remembered of arrivals, which most records are among.
  private var arrivals: [PackedArrival] = []

  /// How far back a record is looked for: further back it is written out again.
  private static let reach = 48

  /// Begins another person.
  mutating func begin(remembering seen: [SeenEvent]) {
    begin()
    arrivals.removeAll(keepingCapacity: true)
    for index in seen.indices { arrivals.append(PackedArrival(seen[index])) }
  }

  /// Begins another person, and takes what is remembered of its arrivals until ``end(lending:)``.
  mutating func begin(borrowing arrivals: inout [PackedArrival]) {
    begin()
    swap(&self.arrivals, &arrivals)
  }

  /// Takes the records that were read, for what is copied refers to them.
  mutating func know(_ witnesses: inout [Witness]) { swap(&self.witnesses, &witnesses) }

  private mutating func begin() {
    position = 0
    if !full.isEmpty { full = [] }
    witnesses.removeAll(keepingCapacity: true)
  }

  /// Gives back what ``begin(borrowing:)`` took.
  mutating func end(lending arrivals: inout [PackedArrival]) { swap(&self.arrivals, &arrivals) }

  /// Takes what was written since it was begun, in an array of its very size.
  ///
  /// Changes nothing, and says that it may: of a value that is only read the compiler copies the
  /// block.
  mutating func takePacked() -> [UInt8] {
    let count = position
    // As many as were written.
    let last = unsafe block.span.extracting(..<count).withUnsafeBufferPointer { unsafe Array($0) }
    return full.isEmpty ? last : full + last
  }

  /// When the arrival came that is remembered last.
  var lastArrivedAt: Timestamp { arrivals.last?.arrivedAt ?? Timestamp(nanoseconds: 0) }

  var arrivalCount: Int { arrivals.count }

  /// Makes room for so many bytes, which are no more than a block has.
  @inline(__always) private mutating func makeRoom(_ count: Int) {
    if block.count - position < count { putAside() }
  }

  private mutating func putAside() {
    for index in 0..<position { full.append(block[index]) }
    position = 0
  }

  @inline(__always) mutating func byte(_ value: UInt8) {
    makeRoom(1)
    block[position] = value
    position += 1
  }

  @inline(__always) mutating func number(_ value: UInt64) {
    // Seven bits a byte; nearly all are one.
    makeRoom(10)
    guard value >= 0x80 else {
      block[position] = UInt8(truncatingIfNeeded: value)
      position += 1
      return
    }
    longNumber(value)
  }

  private mutating func longNumber(_ value: UInt64) {
    var value = value
    while value >= 0x80 {
      block[position] = UInt8(truncatingIfNeeded: value) | 0x80
      position += 1
      value >>= 7
    }
    block[position] = UInt8(truncatingIfNeeded: value)
    position += 1
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
  @inline(__always) mutating func whole<Number: FixedWidthInteger & BitwiseCopyable>(
    _ value: Number
  ) {
    let width = MemoryLayout<Number>.size
    makeRoom(width)
    let place = position
    position += width
    var span = block.mutableSpan
    var bytes = unsafe span.mutableBytes
    // The span checks that the number is within it.
    bytes.storeBytes(of: value, toByteOffset: place, as: Number.self)
  }

  /// Bytes that were written before.
  mutating func copy(_ range: Range<Int>, of bytes: [UInt8]) {
    guard range.count <= block.count else {
      putAside()
      full.append(contentsOf: bytes[range])
      return
    }
    makeRoom(range.count)
    let place = position..<(position + range.count)
    position = place.upperBound
    var span = block.mutableSpan
    var target = unsafe span.mutableBytes
    unsafe target.withUnsafeMutableBytes { target in
      unsafe bytes.withUnsafeBytes { source in
        unsafe UnsafeMutableRawBufferPointer(rebasing: target[place])
          .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[range]))
      }
    }
  }

  /// Six bytes of an id that is compared and never said.
  mutating func tail(_ value: UInt64) {
    whole(UInt32(truncatingIfNeeded: value))
    whole(UInt16(truncatingIfNeeded: value >> 32))
  }

  @inline(__always) mutating func text(_ value: (some TabledText)?) {
    guard let value else { return number(UInt64(TextTable.none)) }
    if let recent = texts.recentNumber(of: value.letters) { return number(UInt64(recent)) }
    text(written: value.written)
  }

  private mutating func text(written text: InlineText<8>) {
    let number = texts.number(of: text)
    self.number(UInt64(number))
    guard number == TextTable.inline else { return }
    let letters = text.text.utf8
    self.number(UInt64(letters.count))
    for letter in letters { byte(letter) }
  }

  mutating func hash(_ hash: RecordHash) {
    whole(hash.high)
    whole(hash.low)
  }

  /// A record: what was written before, what is remembered of an arrival, or all of it.
  mutating func witness(_ witness: Witness) {
    // One number says where it is: 0 nowhere yet, else the place among arrivals or among witnesses.
    if let known = Self.place(of: witness, in: witnesses) { return number(UInt64(known) << 1 + 2) }
    witnesses.append(witness)
    if let arrival = Self.place(of: witness, in: arrivals) {
      number(UInt64(arrival) << 1 + 1)
    } else {
      number(0)
      whole(witness.eventID.rawValue)
      whole(witness.hash.rawValue)
      whole(witness.arrivedAt.nanoseconds)
      signed(witness.offset)
      number(witness.partition.map { UInt64(UInt32(bitPattern: $0)) + 1 } ?? 0)
    }
    moment(witness.occurredAt, near: witness.arrivedAt)
  }

  // Of the lists and not of the writer, which would be copied for it.

  /// Where a record was written; the ids differ nearly always, and are compared first.
  private static func place(of witness: Witness, in witnesses: [Witness]) -> Int? {
    var index = witnesses.count
    let end = max(0, index - reach)
    while index > end {
      index -= 1
      if witnesses[index].eventID == witness.eventID, witnesses[index] == witness { return index }
    }
    return nil
  }

  private static func place(of witness: Witness, in arrivals: [PackedArrival]) -> Int? {
    var index = arrivals.count
    let end = max(0, index - reach)
    while index > end {
      index -= 1
      if arrivals[index].isOf(witness) { return index }
    }
    return nil
  }

  /// The low 48 bits of a content's MAC: nearly always those of an arrival.
  mutating func contentHash(_ value: UInt64) {
    var index = arrivals.count
    let end = max(0, index - Self.reach)
    while index > end {
      index -= 1
      if arrivals[index].contentTail == value { return number(UInt64(index) + 1) }
    }
    number(0)
    tail(value)
  }
}

/// What is remembered of an arrival as it is packed: of ids that are only compared the last bytes,
/// and no reference, so that a list of them is copied and let go of at once.
///
/// Who said it is read only where it is asked for: ``PackedReader/appendSeen(to:_:)``.
struct PackedArrival: BitwiseCopyable, Sendable {
  var eventID: EventID
  var hash: RecordHashPrefix
  var contentTail: UInt64
  /// Of the message's key; `nil` where it has none.
  var messageTail: UInt64?
  var arrivedAt: Timestamp
  var offset: Int64
  var receptionTail: UInt32
  var partition: Int32?
  var type: EventType
  /// Where in the bytes it stands who said it.
  var speakerPosition = 0

  /// Whether it is of the very record that a witness stands for.
  func isOf(_ witness: Witness) -> Bool {
    eventID == witness.eventID && hash == witness.hash && arrivedAt == witness.arrivedAt
      && offset == witness.offset && partition == witness.partition
  }
}

extension PackedArrival {
  init(_ event: borrowing SeenEvent) {
    self.init(
      eventID: event.eventID, hash: event.hash, contentTail: event.contentMac.tail,
      messageTail: event.messageKey?.tail, arrivedAt: event.arrivedAt, offset: event.offset,
      receptionTail: event.receptionID.tail, partition: event.partition, type: event.type)
  }

  @inline(__always) init(_ event: borrowing EventBrief, _ witness: Witness) {
    self.init(
      eventID: event.id, hash: witness.hash, contentTail: event.said.contentHash,
      messageTail: event.messageTail, arrivedAt: witness.arrivedAt, offset: witness.offset,
      receptionTail: event.receptionTail, partition: witness.partition, type: event.type)
  }
}

/// Lists that a reader fills, kept from one person to the next.
struct PackedLists: Sendable {
  var marks: [Mark] = []
  var arrivals: [PackedArrival] = []
  var witnesses: [Witness] = []
}

/// Reads what ``PackedWriter`` wrote in this process; anything else traps.
struct PackedReader {
  let bytes: [UInt8]
  private(set) var position = 0
  /// The records that were read, for what comes later to refer to.
  var witnesses: [Witness] = []
  /// The arrivals that records refer to; they are read first.
  var arrivals: [PackedArrival] = []

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    witnesses.reserveCapacity(8)
  }

  private init(_ bytes: [UInt8], at position: Int) {
    self.bytes = bytes
    self.position = position
  }

  /// Reads with lists that were used before; ``giveBack(_:)`` comes after.
  init(_ bytes: [UInt8], reusing lists: inout PackedLists) {
    self.bytes = bytes
    swap(&arrivals, &lists.arrivals)
    swap(&witnesses, &lists.witnesses)
  }

  mutating func giveBack(_ lists: inout PackedLists) {
    swap(&arrivals, &lists.arrivals)
    swap(&witnesses, &lists.witnesses)
    lists.arrivals.removeAll(keepingCapacity: true)
    lists.witnesses.removeAll(keepingCapacity: true)
  }

  var isAtEnd: Bool { position == bytes.count }

  @inline(__always) mutating func byte() -> UInt8 {
    let value = bytes[position]
    position += 1
    return value
  }

  @inline(__always) mutating func number() -> UInt64 {
    let first = byte()
    return first < 0x80 ? UInt64(first) : longNumber(after: first)
  }

  private mutating func longNumber(after first: UInt8) -> UInt64 {
    var value = UInt64(first & 0x7f)
    var shift: UInt64 = 7
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

  @inline(__always) mutating func whole<Number: FixedWidthInteger & BitwiseCopyable>(
    _ type: Number.Type
  ) -> Number {
    let width = MemoryLayout<Number>.size
    precondition(position + width <= bytes.count, "what was packed ends early")
    // Within the bytes, as was just asked.
    let value = unsafe bytes.withUnsafeBytes { bytes in
      unsafe bytes.loadUnaligned(fromByteOffset: position, as: type)
    }
    position += width
    return value
  }

  @inline(__always) mutating func identifier<Kind>() -> Identifier<Kind> {
    Identifier(rawValue: whole(UInt128.self))
  }

  mutating func tail() -> UInt64 {
    let low = whole(UInt32.self)
    return UInt64(whole(UInt16.self)) << 32 | UInt64(low)
  }

  /// What every arrival has, one behind the other, asked once whether it is there: an id, the tails of
  /// the reception and of the content, and a hash.
  @inline(__always) mutating func beginningOfArrival() -> (
    eventID: EventID, receptionTail: UInt32, contentTail: UInt64, hash: RecordHashPrefix
  ) {
    precondition(position + 42 <= bytes.count, "what was packed ends early")
    let read = unsafe bytes.withUnsafeBytes { bytes in
      unsafe (
        bytes.loadUnaligned(fromByteOffset: position, as: UInt128.self),
        bytes.loadUnaligned(fromByteOffset: position + 16, as: UInt32.self),
        bytes.loadUnaligned(fromByteOffset: position + 20, as: UInt32.self),
        bytes.loadUnaligned(fromByteOffset: position + 24, as: UInt16.self),
        bytes.loadUnaligned(fromByteOffset: position + 26, as: UInt128.self)
      )
    }
    position += 42
    return (
      EventID(rawValue: read.0), read.1, UInt64(read.3) << 32 | UInt64(read.2),
      RecordHashPrefix(rawValue: read.4)
    )
  }

  mutating func text<Value: TabledText>(_ texts: TextTable) -> Value? {
    let number = UInt16(truncatingIfNeeded: self.number())
    if number == TextTable.none { return nil }
    guard number == TextTable.inline else { return Value(written: texts[number]) }
    let count = count()
    position += count
    return Value(
      written: InlineText(ascii: bytes.span.extracting((position - count)..<position)))
  }

  /// Passes over a text.
  mutating func skipText() {
    let number = UInt16(truncatingIfNeeded: self.number())
    if number == TextTable.inline { position += count() }
  }

  /// The text that stands at a place that was passed over.
  func text<Value: TabledText>(at place: Int, _ texts: TextTable) -> Value? {
    var reader = PackedReader(bytes, at: place)
    return reader.text(texts)
  }

  mutating func hash() -> RecordHash {
    let high = whole(UInt128.self)
    return RecordHash(high: high, low: whole(UInt128.self))
  }

  mutating func contentHash() -> UInt64 {
    let place = count()
    return place == 0 ? tail() : arrivals[place - 1].contentTail
  }

  mutating func witness() -> Witness {
    let place = count()
    guard place == 0 || place & 1 == 1 else { return witnesses[(place - 2) >> 1] }
    var witness: Witness
    if place != 0 {
      let arrival = arrivals[place >> 1]
      witness = Witness(
        eventID: arrival.eventID, hash: arrival.hash, arrivedAt: arrival.arrivedAt,
        occurredAt: arrival.arrivedAt, offset: arrival.offset, partition: arrival.partition)
    } else {
      let eventID: EventID = identifier()
      let hash: RecordHashPrefix = identifier()
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
