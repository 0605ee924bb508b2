import HandoffCore

/// The people that entries belong to, each kept once and counted.
///
/// A person has several ids, and the key of one is 48 bytes: entries hold a slot of four instead.
struct PersonSlots: Sendable {
  private var keys: [PatientKey] = []
  /// Entries and links that name the slot; 0 is free.
  private var uses: [UInt32] = []
  private var untraced: [Bool] = []
  private var free: [UInt32] = []
  private var index = SlotIndex()

  /// How many there are.
  var count: Int { keys.count - free.count }

  var byteCount: Int {
    keys.capacity * (MemoryLayout<PatientKey>.stride) + uses.capacity * 4 + untraced.capacity
      + free.capacity * 4 + index.byteCount
  }

  subscript(slot: UInt32) -> PatientKey { keys[Int(slot)] }

  func isUntraced(_ slot: UInt32) -> Bool { untraced[Int(slot)] }

  /// How many entries and links name the slot.
  func useCount(_ slot: UInt32) -> UInt32 { uses[Int(slot)] }

  func slot(of key: PatientKey) -> UInt32? {
    index.find(key.spread) { keys[Int($0)] == key }
  }

  /// The slot of `key`, made where there is none, and counted as used once more.
  mutating func retain(_ key: PatientKey, isUntraced: Bool = false) -> UInt32 {
    if let slot = slot(of: key) {
      uses[Int(slot)] += 1
      if isUntraced { untraced[Int(slot)] = true }
      return slot
    }
    let slot: UInt32
    if let reused = free.popLast() {
      slot = reused
      keys[Int(slot)] = key
      uses[Int(slot)] = 1
      untraced[Int(slot)] = isUntraced
    } else {
      slot = UInt32(keys.count)
      keys.append(key)
      uses.append(1)
      untraced.append(isUntraced)
    }
    withIndex { index, keys in index.insert(slot, key.spread) { keys[Int($0)].spread } }
    return slot
  }

  mutating func release(_ slot: UInt32) {
    uses[Int(slot)] -= 1
    guard uses[Int(slot)] == 0 else { return }
    let word = keys[Int(slot)].spread
    withIndex { index, keys in index.remove(slot, word) { keys[Int($0)].spread } }
    free.append(slot)
  }

  /// Lends the index out beside the keys, which it must read while it changes.
  private mutating func withIndex(_ body: (inout SlotIndex, [PatientKey]) -> Void) {
    var index = SlotIndex.lent
    swap(&index, &self.index)
    body(&index, keys)
    swap(&index, &self.index)
  }
}

extension SlotIndex {
  /// Stands where an index was lent out: shared, so that lending costs nothing.
  static let lent = SlotIndex()
}

/// Sender and receiver of a handoff, in the few pairs that there are.
struct PartySlots: Sendable {
  struct Pair: Hashable, Sendable {
    var from: OrganisationID?
    var to: OrganisationID?
  }

  /// The slot of the pair of nobody.
  static let none = UInt32.max

  private var pairs: [Pair] = []
  private var uses: [UInt32] = []
  private var free: [UInt32] = []
  private var slots: [Pair: UInt32] = [:]

  var count: Int { slots.count }

  /// An estimate: names of organisations are about 64 bytes on the heap.
  var byteCount: Int {
    pairs.capacity * (MemoryLayout<Pair>.stride + 4) + slots.capacity * 56 + slots.count * 128
  }

  subscript(slot: UInt32) -> Pair {
    slot == Self.none ? Pair(from: nil, to: nil) : pairs[Int(slot)]
  }

  mutating func retain(_ pair: Pair) -> UInt32 {
    guard pair.from != nil || pair.to != nil else { return Self.none }
    if let slot = slots[pair] {
      uses[Int(slot)] += 1
      return slot
    }
    let slot: UInt32
    if let reused = free.popLast() {
      slot = reused
      pairs[Int(slot)] = pair
      uses[Int(slot)] = 1
    } else {
      slot = UInt32(pairs.count)
      pairs.append(pair)
      uses.append(1)
    }
    slots[pair] = slot
    return slot
  }

  mutating func release(_ slot: UInt32) {
    guard slot != Self.none else { return }
    uses[Int(slot)] -= 1
    guard uses[Int(slot)] == 0 else { return }
    slots[pairs[Int(slot)]] = nil
    pairs[Int(slot)] = Pair(from: nil, to: nil)
    free.append(slot)
  }
}
