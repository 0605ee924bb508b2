import HandoffCore

extension Identifier {
  /// Whether the 32 bytes of `text` from `start` on are it in lower-case hexadecimal digits.
  ///
  /// Eight digits at a time, and without writing them to memory: keys and ids of every record are
  /// compared so.
  func isSpelled(by text: [UInt8], at start: Int) -> Bool {
    guard start >= 0, text.count - start >= 32 else { return false }
    return unsafe text.withUnsafeBytes { bytes in
      for part in 0..<4 {
        let word = UInt32(truncatingIfNeeded: rawValue >> UInt128(96 - 32 * part))
        let written = unsafe bytes.loadUnaligned(
          fromByteOffset: start + 8 * part, as: UInt64.self)
        guard UInt64(bigEndian: written) == word.hexadecimalDigits else { return false }
      }
      return true
    }
  }
}

extension [UInt8] {
  /// Whether both are the same bytes: eight at a time, where `==` takes them one by one.
  func equals(_ other: [UInt8]) -> Bool {
    guard count == other.count else { return false }
    return unsafe withUnsafeBytes { one in
      unsafe other.withUnsafeBytes { two in
        var place = 0
        while place + 8 <= one.count {
          let (left, right) = unsafe (
            one.loadUnaligned(fromByteOffset: place, as: UInt64.self),
            two.loadUnaligned(fromByteOffset: place, as: UInt64.self)
          )
          if left != right { return false }
          place += 8
        }
        while place < one.count {
          if unsafe one[place] != two[place] { return false }
          place += 1
        }
        return true
      }
    }
  }
}
