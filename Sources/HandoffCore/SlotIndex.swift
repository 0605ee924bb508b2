/// Finds numbered slots by a 128-bit word: open addressing with linear probing.
///
/// Four bytes a cell, at most three of four cells taken. The words are keyed hashes, which nobody
/// outside can choose, so no input makes the probes long.
package struct SlotIndex: Sendable {
  /// Slot and one more; 0 is empty.
  @usableFromInline var cells: [UInt32]
  package private(set) var count = 0

  package init() {
    cells = Array(repeating: 0, count: 16)
  }

  /// Bytes that it takes.
  package var byteCount: Int { cells.capacity * MemoryLayout<UInt32>.stride }

  /// The slot that `word` leads to and `isWanted` confirms.
  @inlinable package func find(_ word: UInt128, where isWanted: (UInt32) -> Bool) -> UInt32? {
    var place = home(of: word)
    while cells[place] != 0 {
      let slot = cells[place] - 1
      if isWanted(slot) { return slot }
      place = (place + 1) & (cells.count - 1)
    }
    return nil
  }

  /// Adds a slot that is not in it; `wordOf` gives the word of any slot that is.
  package mutating func insert(_ slot: UInt32, _ word: UInt128, wordOf: (UInt32) -> UInt128) {
    if (count + 1) * 4 > cells.count * 3 { grow(wordOf) }
    place(slot, word)
    count += 1
  }

  /// Takes a slot out; those behind it move up, so that no mark is left behind.
  package mutating func remove(_ slot: UInt32, _ word: UInt128, wordOf: (UInt32) -> UInt128) {
    guard var hole = cell(of: slot, word) else { return }
    let mask = cells.count - 1
    var next = (hole + 1) & mask
    while cells[next] != 0 {
      let wanted = home(of: wordOf(cells[next] - 1))
      // It may move up where its home does not lie behind the hole.
      if (next &- wanted) & mask >= (next &- hole) & mask {
        cells[hole] = cells[next]
        hole = next
      }
      next = (next + 1) & mask
    }
    cells[hole] = 0
    count -= 1
  }

  /// The same word leads to another slot from now on.
  package mutating func renumber(_ slot: UInt32, to new: UInt32, _ word: UInt128) {
    guard let place = cell(of: slot, word) else { return }
    cells[place] = new + 1
  }

  private func cell(of slot: UInt32, _ word: UInt128) -> Int? {
    var place = home(of: word)
    while cells[place] != 0 {
      if cells[place] == slot + 1 { return place }
      place = (place + 1) & (cells.count - 1)
    }
    return nil
  }

  private mutating func place(_ slot: UInt32, _ word: UInt128) {
    var place = home(of: word)
    while cells[place] != 0 { place = (place + 1) & (cells.count - 1) }
    cells[place] = slot + 1
  }

  private mutating func grow(_ wordOf: (UInt32) -> UInt128) {
    let old = cells
    cells = Array(repeating: 0, count: old.count * 2)
    for cell in old where cell != 0 { place(cell - 1, wordOf(cell - 1)) }
  }

  /// Fibonacci hashing: the high bits of the product depend on every bit of the word.
  @usableFromInline func home(of word: UInt128) -> Int {
    let mixed = UInt64(truncatingIfNeeded: word) ^ UInt64(truncatingIfNeeded: word >> 64)
    let bits = cells.count.trailingZeroBitCount
    return Int(truncatingIfNeeded: (mixed &* 0x9E37_79B9_7F4A_7C15) >> UInt64(64 - bits))
  }
}
