/// An ODS code: 1 to 12 upper-case letters and digits (DCB0090; legacy codes included).
public struct ODSCode: Hashable, Comparable, Sendable, CustomStringConvertible {
  public let description: String

  /// Upper-cases; `nil` where a character or the length is not an ODS code's.
  public init?(_ text: some StringProtocol) {
    guard (1...12).contains(text.utf8.count) else { return nil }
    let upper = text.uppercased()
    let valid = upper.utf8.allSatisfy {
      (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
        || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0)
    }
    guard valid else { return nil }
    description = upper
  }

  public static func < (left: ODSCode, right: ODSCode) -> Bool {
    left.description < right.description
  }
}

/// Who takes part in a handoff, in the one written form that all records use.
///
/// - `ods:RTH`: an organisation of the ODS register.
/// - `openreferral:<service id>`: a voluntary service without an ODS code (Open Referral UK).
/// - `local:<32 hexadecimal digits>`: a name only its sender knows, seen through a keyed hash.
public struct OrganisationID: BitwiseCopyable, Hashable, Comparable, Sendable {
  /// Which of the written forms it has, in their order as text.
  private enum Form: UInt8, BitwiseCopyable, CaseIterable, Sendable {
    case local, ods, openReferral
  }

  private let form: Form
  /// The code, its first letter in the highest byte and zeros behind the last; or the token.
  private let high: UInt64
  private let low: UInt64

  private init(_ form: Form, _ high: UInt64, _ low: UInt64) {
    (self.form, self.high, self.low) = (form, high, low)
  }

  private init(_ form: Form, _ token: Token) {
    let value = token.rawValue
    self.init(form, UInt64(truncatingIfNeeded: value >> 64), UInt64(truncatingIfNeeded: value))
  }

  public static func ods(_ code: ODSCode) -> OrganisationID {
    let letters = InlineText<2>(code.description)
    return OrganisationID(.ods, letters.first, letters.second)
  }

  public static func local(_ token: Token) -> OrganisationID { OrganisationID(.local, token) }

  /// A service id of an Open Referral directory: a UUID, as its specification asks.
  public static func openReferral(_ service: Token) -> OrganisationID {
    OrganisationID(.openReferral, service)
  }

  /// What stands where the code of a GP practice is not known: nothing can be sent there.
  static let unknownPractice = OrganisationID(written: InlineText("ods:V81999"))

  /// Reads the written form from ASCII bytes that a codec holds; `nil` where it is anything else.
  public init?(utf8 bytes: Span<UInt8>) {
    // Nearly all are ODS codes in the very form that is written.
    if (5...16).contains(bytes.count), Self.beginsWithODS(bytes) {
      let letters = InlineText<2>(ascii: bytes.extracting(4..<bytes.count))
      if letters.isMade(of: .ods, count: bytes.count - 4) {
        self.init(.ods, letters.first, letters.second)
        return
      }
    }
    var copy: [UInt8] = []
    for index in bytes.indices { copy.append(bytes[index]) }
    self.init(String(decoding: copy, as: UTF8.self))
  }

  private static func beginsWithODS(_ bytes: Span<UInt8>) -> Bool {
    bytes[0] == UInt8(ascii: "o") && bytes[1] == UInt8(ascii: "d")
      && bytes[2] == UInt8(ascii: "s") && bytes[3] == UInt8(ascii: ":")
  }

  /// Reads the written form; `nil` where it is anything else.
  public init?(_ text: some StringProtocol) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 else { return nil }
    switch parts[0] {
    case "ods":
      guard let code = ODSCode(parts[1]) else { return nil }
      self = .ods(code)
    case "local":
      guard let token = Token(parts[1]) else { return nil }
      self = .local(token)
    case "openreferral":
      guard let token = Token(parts[1]) else { return nil }
      self = .openReferral(token)
    default: return nil
    }
  }

  public static func < (left: OrganisationID, right: OrganisationID) -> Bool {
    (left.form.rawValue, left.high, left.low) < (right.form.rawValue, right.high, right.low)
  }
}

extension OrganisationID: CustomStringConvertible {
  public var description: String {
    switch form {
    case .ods: written.text
    case .local: "local:\(token)"
    case .openReferral: "openreferral:\(token.uuidString)"
    }
  }

  private var token: Token { Token(rawValue: UInt128(high) << 64 | UInt128(low)) }
}

extension OrganisationID: TabledText {
  /// `ods:`, in the half of a word.
  private static let odsPrefix: UInt64 = 0x6f64_733a

  init(written text: InlineText<8>) {
    if text.first >> 32 == Self.odsPrefix {
      self.init(.ods, text.first << 32 | text.second >> 32, text.second << 32)
    } else if let known = OrganisationID(text.text) {
      self = known
    } else {
      preconditionFailure("the written form of an organisation, as it was given")
    }
  }

  var written: InlineText<8> {
    guard form == .ods else { return InlineText(description) }
    let (first, second) = odsWords
    return InlineText(first, second)
  }

  /// The two words of a written form that is an ODS code's.
  private var odsWords: (UInt64, UInt64) {
    (Self.odsPrefix << 32 | high >> 32, high << 32 | low >> 32)
  }
}

extension OrganisationID: WrittenShort {
  public var letters: UInt128? {
    let (first, second) = odsWords
    guard form == .ods, second & 0xff == 0 else { return nil }
    return UInt128(first) << 64 | UInt128(second)
  }
}

/// One end of a handoff: an organisation, and the system and role it acts in.
public struct Party: BitwiseCopyable, Hashable, Sendable {
  public var organisation: OrganisationID
  /// The sending or receiving system in that organisation (MSH-3, MSH-5), as a code.
  public var system: Code?
  /// The part it plays where that is more than sender or receiver, such as `agent`.
  public var role: Code?

  public init(organisation: OrganisationID, system: Code? = nil, role: Code? = nil) {
    self.organisation = organisation
    self.system = system
    self.role = role
  }
}
