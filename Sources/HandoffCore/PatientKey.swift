/// The pseudonym that every record about a person is keyed by.
///
/// Epoch ‖ HMAC-SHA-256 of the NHS number, or of local id and organisation when untraced. The
/// epoch names the secret, so that a rotation can be told from another person. Written
/// `<epoch>.<64 hexadecimal digits>`, which is also the Kafka key, in UTF-8.
public struct PatientKey: Hashable, Comparable, Sendable {
  /// Which secret made the hash, counted from 1.
  public let epoch: UInt16
  /// The hash as its two halves, most significant byte first.
  public let high: UInt128
  public let low: UInt128

  /// Takes the 32 bytes of the hash; `nil` for any other count.
  public init?(epoch: UInt16, hash: some Collection<UInt8>) {
    guard hash.count == 32,
      let high = Token(bytes: hash.prefix(16)), let low = Token(bytes: hash.dropFirst(16))
    else { return nil }
    self.epoch = epoch
    self.high = high.rawValue
    self.low = low.rawValue
  }

  /// Reads the written form; `nil` where it is anything else.
  public init?(_ text: some StringProtocol) {
    let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let epoch = UInt16(parts[0]), parts[0] == String(epoch), parts[1].utf8.count == 64,
      let high = Token(parts[1].prefix(32)), let low = Token(parts[1].suffix(32)),
      !parts[1].contains("-")
    else { return nil }
    self.epoch = epoch
    self.high = high.rawValue
    self.low = low.rawValue
  }

  /// The first 16 bytes of the hash: what tables spread keys by.
  public var spread: UInt128 { high }

  /// The 32 bytes of the hash.
  public var hash: [UInt8] { Token(rawValue: high).bytes + Token(rawValue: low).bytes }

  public static func < (left: PatientKey, right: PatientKey) -> Bool {
    (left.epoch, left.high, left.low) < (right.epoch, right.high, right.low)
  }
}

extension PatientKey: CustomStringConvertible {
  public var description: String { "\(epoch).\(hexadecimal(high))\(hexadecimal(low))" }
}
