/// The same values from bytes that a codec holds, without generics over the module's border.
///
/// A generic initialiser called from another module walks its input by witness tables, which costs
/// more than all the rest of reading a record: 3 µs for one hash.
extension Code {
  /// Reads UTF-8; `nil` where ``init(_:)`` gives `nil`.
  public init?(utf8 bytes: ArraySlice<UInt8>) {
    self.init(String(decoding: bytes, as: UTF8.self))
  }
}

extension HandoffKind {
  /// Reads UTF-8; `nil` where ``init(_:)`` gives `nil`.
  public init?(utf8 bytes: ArraySlice<UInt8>) {
    self.init(String(decoding: bytes, as: UTF8.self))
  }
}

extension Priority {
  /// Reads UTF-8; `nil` where ``init(_:)`` gives `nil`.
  public init?(utf8 bytes: ArraySlice<UInt8>) {
    self.init(String(decoding: bytes, as: UTF8.self))
  }
}

extension OrganisationID {
  private static let odsPrefix = Array("ods:".utf8)

  /// Reads UTF-8; `nil` where ``init(_:)`` gives `nil`.
  public init?(utf8 bytes: ArraySlice<UInt8>) {
    // Nearly all are ODS codes in the very form that is written.
    let code = bytes.dropFirst(4)
    let isODS =
      (1...12).contains(code.count) && bytes.starts(with: Self.odsPrefix)
      && code.allSatisfy {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
          || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0)
      }
    let text = String(decoding: bytes, as: UTF8.self)
    guard let written = isODS ? text : OrganisationID(text)?.description else { return nil }
    description = written
  }
}

extension PatientKey {
  /// Takes the 32 bytes of the hash; `nil` for any other count.
  public init?(epoch: UInt16, hashBytes: ArraySlice<UInt8>) {
    self.init(epoch: epoch, hash: hashBytes)
  }
}

extension RecordHash {
  /// Takes 32 bytes; `nil` for any other count.
  public init?(hashBytes: ArraySlice<UInt8>) {
    self.init(bytes: hashBytes)
  }
}
