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
