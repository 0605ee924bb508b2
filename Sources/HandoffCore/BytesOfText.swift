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

/// A value that is written as a short ASCII text.
public protocol WrittenShort: Sendable {
  /// How many bytes the written form has.
  var utf8Count: Int { get }

  /// Adds the written form to `bytes`, without a string on the way.
  func append(to bytes: inout [UInt8])
}

extension Code: WrittenShort {
  public var utf8Count: Int { text.utf8Count }
  public func append(to bytes: inout [UInt8]) { text.append(to: &bytes) }
}

extension HandoffKind: WrittenShort {
  public var utf8Count: Int { text.utf8Count }
  public func append(to bytes: inout [UInt8]) { text.append(to: &bytes) }
}

extension Priority: WrittenShort {
  public var utf8Count: Int { text.utf8Count }
  public func append(to bytes: inout [UInt8]) { text.append(to: &bytes) }
}

extension OrganisationID: WrittenShort {
  public var utf8Count: Int { text.utf8Count }
  public func append(to bytes: inout [UInt8]) { text.append(to: &bytes) }
}
