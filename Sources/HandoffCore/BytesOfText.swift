import Crypto

// The same values from words and bytes that a codec holds, without generics over the module's
// border: a generic initialiser called from another module walks its input by witness tables,
// which costs more than all the rest of reading a record, 3 µs for one hash.

extension PatientKey {
  /// Takes the hash as its two halves, most significant byte first.
  public init(epoch: UInt16, high: UInt128, low: UInt128) {
    self.epoch = epoch
    self.high = high
    self.low = low
  }
}

extension PatientKey {
  /// The written form as bytes, without a string on the way: every record about a person has it.
  public var utf8: [UInt8] {
    // Five digits at the most, the dot, and eight for each of eight words.
    unsafe [UInt8](unsafeUninitializedCapacity: 70) { buffer, count in
      var divisor: UInt16 = 10_000
      while divisor > epoch, divisor > 1 { divisor /= 10 }
      while divisor > 0 {
        unsafe buffer[count] = UInt8(ascii: "0") + UInt8(epoch / divisor % 10)
        count += 1
        divisor /= 10
      }
      unsafe buffer[count] = UInt8(ascii: ".")
      count += 1
      let bytes = UnsafeMutableRawBufferPointer(buffer)
      for place in 0..<8 {
        let word = (place < 4 ? high : low) >> UInt128(96 - 32 * (place & 3))
        let digits = UInt32(truncatingIfNeeded: word).hexadecimalDigits
        unsafe bytes.storeBytes(of: digits.bigEndian, toByteOffset: count, as: UInt64.self)
        count += 8
      }
    }
  }
}

extension RecordHash {
  /// Takes the hash as its two halves, most significant byte first.
  public init(high: UInt128, low: UInt128) {
    self.high = high
    self.low = low
  }

  /// The hash of stored bytes.
  public init(sha256Of bytes: [UInt8]) {
    self.init(SHA256.hash(data: bytes))
  }
}

/// A value that is written as a short ASCII text.
public protocol WrittenShort: CustomStringConvertible, Sendable {
  /// The written form without a string on the way: the first letter in the highest byte, zero bytes
  /// behind the last; `nil` where there are more than fifteen.
  var letters: UInt128? { get }
}

extension Code: WrittenShort {
  public var letters: UInt128? { text.letters }
}

extension HandoffKind: WrittenShort {
  public var letters: UInt128? { text.letters }
}

extension Priority: WrittenShort {
  public var letters: UInt128? { text.letters }
}
