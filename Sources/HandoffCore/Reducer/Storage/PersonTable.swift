/// Everybody whom a partition remembers: packed, found by key, and queued by when something about
/// them may next be different.
///
/// A million open handoffs are judged one at a time, so one person at a time is a ``Person``; the
/// others are bytes. That is a sixth of the memory, and one allocation each in place of twenty.
struct PersonTable: Sendable {
  /// 56 bytes, a line of the processor's cache with the reference to what is packed; apart from
  /// that, for what holds no reference is looked at without being copied.
  private struct Entry: BitwiseCopyable, Sendable {
    private var highWord: Word
    private var lowWord: Word
    /// ``Timestamp/distantPast`` stands for never: nothing falls due then.
    var nextDue = Timestamp.distantPast
    /// The entry of the queue that is valid; others of the same person are passed over.
    var armed = Timestamp.distantPast
    /// The batch that noted the person; ``Entry/gone`` where nobody is here.
    var batch: UInt32 = 0
    var epoch: UInt16
    /// Entries of the queue that name the slot, which is not given to another before they are out.
    var queued: UInt16 = 0

    static let gone = UInt32.max

    /// 128 bits that need not lie on sixteen bytes.
    private struct Word: BitwiseCopyable {
      private let top: UInt64
      private let bottom: UInt64

      init(_ value: UInt128) {
        top = UInt64(truncatingIfNeeded: value >> 64)
        bottom = UInt64(truncatingIfNeeded: value)
      }

      var value: UInt128 { UInt128(top) << 64 | UInt128(bottom) }
    }

    init(_ key: PatientKey) {
      highWord = Word(key.high)
      lowWord = Word(key.low)
      epoch = key.epoch
    }

    var high: UInt128 { highWord.value }

    var key: PatientKey { PatientKey(epoch: epoch, high: high, low: lowWord.value) }

    func isOf(_ key: PatientKey) -> Bool {
      lowWord.value == key.low && high == key.high && epoch == key.epoch
    }

    static func precedes(
      _ left: DueQueue.Due, _ right: DueQueue.Due, _ entries: ContiguousArray<Entry>
    ) -> Bool {
      left.at == right.at
        ? entries[Int(left.slot)].key < entries[Int(right.slot)].key : left.at < right.at
    }
  }

  private var entries = ContiguousArray<Entry>()
  /// By slot, as the entries.
  private var packed = ContiguousArray<[UInt8]>()
  private var free: [UInt32] = []
  private var index = SlotIndex()
  /// One, in a list: within the table it would be copied wherever somebody only looks at the table.
  private var writers = [PackedWriter()]
  /// Lent to readers, so that their lists are not made anew for every event.
  var lists = PackedLists()
  private var queue = DueQueue()

  var writer: PackedWriter {
    _read { yield writers[0] }
    _modify { yield &writers[0] }
  }

  var count: Int { index.count }

  /// Of everybody, in no order.
  var keys: [PatientKey] { slots.map(key(at:)) }

  func slot(of key: PatientKey) -> UInt32? {
    index.find(key.spread) { entries[Int($0)].isOf(key) }
  }

  /// A slot for somebody of whom nothing is remembered yet.
  mutating func insert(_ key: PatientKey) -> UInt32 {
    let entry = Entry(key)
    let slot: UInt32
    if let reused = free.popLast() {
      slot = reused
      entries[Int(slot)] = entry
    } else {
      slot = UInt32(entries.count)
      entries.append(entry)
      packed.append([])
    }
    do {
      // Lent to the index while it changes; a reference that lives longer would copy everything.
      let lent = entries
      index.insert(slot, key.spread) { lent[Int($0)].high }
    }
    return slot
  }

  mutating func remove(_ slot: UInt32) {
    let place = Int(slot)
    do {
      let lent = entries
      index.remove(slot, lent[place].high) { lent[Int($0)].high }
    }
    packed[place] = []
    entries[place].nextDue = .distantPast
    entries[place].armed = .distantPast
    entries[place].batch = Entry.gone
    if entries[place].queued == 0 { free.append(slot) }
  }

  /// Touches what is kept of several people, one behind the other and without waiting for the first:
  /// a million of them are in no cache, and each on its own costs four waits for memory.
  ///
  /// What it returns means nothing, but that it was read.
  func touch(_ slots: [UInt32]) -> UInt8 {
    var sum: UInt8 = 0
    let packed = packed.span
    for slot in slots {
      let count = packed[Int(slot)].count
      // A line of the cache at a time, and not all of somebody who has much behind him.
      for place in stride(from: 0, to: min(count, 1024), by: 64) {
        sum ^= packed[Int(slot)][place]
      }
    }
    return sum
  }

  func key(at slot: UInt32) -> PatientKey { entries[Int(slot)].key }

  /// The bytes of a person, which ``restore(_:_:at:)`` takes back.
  func packed(at slot: UInt32) -> [UInt8] { packed[Int(slot)] }

  func person(at slot: UInt32) -> Person {
    person(entries[Int(slot)].key, unpacking: packed[Int(slot)])
  }

  /// What ``packed(at:)`` gave of somebody, as values.
  func person(_ key: PatientKey, unpacking packed: [UInt8]) -> Person {
    guard !packed.isEmpty else { return Person(key: key) }
    return Person(key: key, unpacking: packed, writer.texts)
  }

  func nextDue(at slot: UInt32) -> Timestamp? {
    let nextDue = entries[Int(slot)].nextDue
    return nextDue == .distantPast ? nil : nextDue
  }

  /// Keeps a person as it is now, and queues it.
  mutating func put(_ person: borrowing Person, _ nextDue: Timestamp?, at slot: UInt32) {
    restore(person.packed(by: &writer), nextDue, at: slot)
  }

  /// Keeps a person as it was, and queues it.
  mutating func restore(_ packed: [UInt8], _ nextDue: Timestamp?, at slot: UInt32) {
    self.packed[Int(slot)] = packed
    entries[Int(slot)].nextDue = nextDue ?? .distantPast
    arm(slot)
  }

  /// Whether one of the batches has noted the person.
  func isMarked(_ slot: UInt32, by batches: ClosedRange<UInt32>) -> Bool {
    batches.contains(entries[Int(slot)].batch)
  }

  /// Whether a batch has not noted the person before; from now on it has.
  mutating func mark(_ slot: UInt32, by batch: UInt32) -> Bool {
    guard entries[Int(slot)].batch != batch else { return false }
    entries[Int(slot)].batch = batch
    return true
  }
}

// MARK: Copies

extension PersonTable {
  /// Where somebody is, in no order.
  var slots: [UInt32] {
    entries.indices.lazy.filter { entries[$0].batch != Entry.gone }.map { UInt32($0) }
  }

  /// What packed people refer to by number, in the order of the numbers.
  var texts: [String] { writer.texts.all }

  /// Takes texts of packed people; false where one does not get the next number.
  mutating func add(_ texts: [String]) -> Bool { writer.texts.add(texts) }
}

// MARK: What falls due

extension PersonTable {
  /// When the first of the queue falls due, or earlier.
  var firstDue: Timestamp? { queue.first?.at }

  /// Takes the next off the queue that falls due by `time`; of two at one moment the lesser key.
  ///
  /// Where an answer came meanwhile, it is queued again for its new moment and passed over.
  mutating func popDue(upTo time: Timestamp) -> (slot: UInt32, at: Timestamp)? {
    while let due = queue.first, due.at <= time {
      do {
        let lent = entries
        queue.removeFirst { Entry.precedes($0, $1, lent) }
      }
      let place = Int(due.slot)
      if entries[place].queued < .max { entries[place].queued -= 1 }
      guard entries[place].batch != Entry.gone else {
        if entries[place].queued == 0 { free.append(due.slot) }
        continue
      }
      guard entries[place].armed == due.at else { continue }
      entries[place].armed = .distantPast
      if let nextDue = nextDue(at: due.slot), nextDue <= due.at { return (due.slot, due.at) }
      arm(due.slot)
    }
    return nil
  }

  /// Queues the next moment of a person, unless an earlier entry will lead to it.
  private mutating func arm(_ slot: UInt32) {
    let place = Int(slot)
    let (nextDue, armed) = (entries[place].nextDue, entries[place].armed)
    guard nextDue != .distantPast, armed == .distantPast || armed > nextDue else { return }
    entries[place].armed = nextDue
    // A count that is full stays so, and its slot is never given away.
    if entries[place].queued < .max { entries[place].queued += 1 }
    let lent = entries
    queue.insert(DueQueue.Due(at: nextDue, slot: slot)) { Entry.precedes($0, $1, lent) }
  }
}

/// A binary heap of slots by when they fall due; the order of two at one moment is the table's.
struct DueQueue: Sendable {
  /// Twelve bytes: the moment is kept as two halves, which need not lie on eight.
  struct Due: Sendable {
    private let high: Int32
    private let low: UInt32
    let slot: UInt32

    init(at: Timestamp, slot: UInt32) {
      high = Int32(truncatingIfNeeded: at.nanoseconds >> 32)
      low = UInt32(truncatingIfNeeded: at.nanoseconds)
      self.slot = slot
    }

    var at: Timestamp { Timestamp(nanoseconds: Int64(high) << 32 | Int64(low)) }
  }

  private var heap: [Due] = []

  var first: Due? { heap.first }

  mutating func insert(_ due: Due, by precedes: (Due, Due) -> Bool) {
    heap.append(due)
    var place = heap.count - 1
    while place > 0 {
      let parent = (place - 1) / 2
      guard precedes(heap[place], heap[parent]) else { return }
      heap.swapAt(place, parent)
      place = parent
    }
  }

  mutating func removeFirst(by precedes: (Due, Due) -> Bool) {
    heap.swapAt(0, heap.count - 1)
    heap.removeLast()
    var place = 0
    while true {
      var least = place
      for child in [2 * place + 1, 2 * place + 2] where child < heap.count {
        if precedes(heap[child], heap[least]) { least = child }
      }
      guard least != place else { return }
      heap.swapAt(place, least)
      place = least
    }
  }
}
