import HandoffCore

extension Identifier {
  /// Whether the 32 bytes of `text` from `start` on are it in lower-case hexadecimal digits.
  ///
  /// Eight digits at a time, and without writing them to memory: keys and ids of every record are
  /// compared so.
  func isSpelled(by text: [UInt8], at start: Int) -> Bool {
    guard start >= 0, text.count - start >= 32 else { return false }
    for part in 0..<4 {
      let word = UInt32(truncatingIfNeeded: rawValue >> UInt128(96 - 32 * part))
      let written = unsafe text.withUnsafeBytes { bytes in
        unsafe bytes.loadUnaligned(fromByteOffset: start + 8 * part, as: UInt64.self)
      }
      guard UInt64(bigEndian: written) == word.hexadecimalDigits else { return false }
    }
    return true
  }
}
