/// A valid NHS number: ten digits whose last is the modulus 11 check digit.
///
/// It prints redacted everywhere; only ``digits`` holds it, for ingest to hash and to seal.
public struct NHSNumber: Hashable, Sendable {
  /// Why a text is not an NHS number, never with the text.
  public enum Invalid: Error, Hashable, Sendable {
    /// Not ten digits, spaces and hyphens between them aside.
    case notTenDigits
    /// The modulus 11 check of the NHS Data Dictionary fails.
    case checkDigit
  }

  /// The ten digits, without separators.
  public let digits: String

  /// Reads ten digits, ignoring spaces and hyphens between them.
  public init(_ text: some StringProtocol) throws(Invalid) {
    var values: [Int] = []
    for byte in text.utf8 where byte != UInt8(ascii: " ") && byte != UInt8(ascii: "-") {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte), values.count < 10 else {
        throw .notTenDigits
      }
      values.append(Int(byte - UInt8(ascii: "0")))
    }
    guard values.count == 10 else { throw .notTenDigits }
    let sum = zip(values, stride(from: 10, through: 2, by: -1)).reduce(0) { $0 + $1.0 * $1.1 }
    // 11 − remainder; 11 counts as 0, and 10 is never issued.
    let check = (11 - sum % 11) % 11
    guard check == values[9] else { throw .checkDigit }
    digits = values.map(String.init).joined()
  }
}

extension NHSNumber: CustomStringConvertible, CustomReflectable {
  public var description: String { "NHSNumber(redacted)" }
  public var customMirror: Mirror { Mirror(self, children: []) }
}
