import HandoffCore

extension Identifier {
  /// Whether the 32 bytes of `text` from `start` on are it in lower-case hexadecimal digits.
  ///
  /// Eight digits at a time, and without writing them to memory: keys and ids of every record are
  /// compared so.
  func isSpelled(by text: [UInt8], at start: Int) -> Bool {
    guard start >= 0, text.count - start >= 32 else { return false }
    for part in 0..<4 {
      let digits = Self.digits(UInt32(truncatingIfNeeded: rawValue >> UInt128(96 - 32 * part)))
      let written = unsafe text.withUnsafeBytes { bytes in
        unsafe bytes.loadUnaligned(fromByteOffset: start + 8 * part, as: UInt64.self)
      }
      guard UInt64(bigEndian: written) == digits else { return false }
    }
    return true
  }

  /// Eight hexadecimal digits, the first in the most significant byte.
  private static func digits(_ word: UInt32) -> UInt64 {
    // A nibble to each byte.
    var spread = UInt64(word)
    spread = (spread << 16 | spread) & 0x0000_ffff_0000_ffff
    spread = (spread << 8 | spread) & 0x00ff_00ff_00ff_00ff
    spread = (spread << 4 | spread) & 0x0f0f_0f0f_0f0f_0f0f
    // One in each byte whose digit is a letter; letters stand 0x27 behind the digits.
    let letters = (spread + 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
    return spread + 0x3030_3030_3030_3030 + letters * 0x27
  }
}
