import HandoffCore

/// The characters that MSH-1 and MSH-2 declare for a message (HL7 v2, chapter 2.5.4).
struct HL7Separators: Hashable, Sendable {
  var field = UInt8(ascii: "|")
  var component = UInt8(ascii: "^")
  var repetition = UInt8(ascii: "~")
  var escape = UInt8(ascii: "\\")
  var subcomponent = UInt8(ascii: "&")

  static let standard = HL7Separators()

  private init() {}

  /// Reads them where they stand: right after `MSH`.
  ///
  /// What MSH-2 leaves out keeps its usual character, unless another has taken that, and a fifth
  /// one (truncation, from v2.7 on) is not needed to read a message.
  init(headerOf segment: some Collection<UInt8>) throws(MappingError) {
    let characters = Array(segment.dropFirst(3).prefix(8))
    guard let field = characters.first, Self.isUsable(field) else { throw Self.unusable("MSH-1") }
    self.field = field
    let encoding = Array(characters.dropFirst().prefix { $0 != field })
    guard !encoding.isEmpty, encoding.count <= 5, encoding.allSatisfy(Self.isUsable) else {
      throw Self.unusable("MSH-2")
    }
    guard Set([field] + encoding).count == encoding.count + 1 else {
      throw Self.unusable("MSH-2")
    }
    let declared = Set([field] + encoding)
    func character(_ index: Int, _ usual: UInt8) -> UInt8 {
      guard encoding.count <= index else { return encoding[index] }
      // NUL stands in no message that is text: where the usual one is taken, there is none.
      return declared.contains(usual) ? 0 : usual
    }
    component = encoding[0]
    repetition = character(1, repetition)
    escape = character(2, escape)
    subcomponent = character(3, subcomponent)
  }

  private static func isUsable(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: " "):
      false
    default: (0x21...0x7E).contains(byte)
    }
  }

  private static func unusable(_ field: String) -> MappingError {
    MappingError(
      code("hl7.separators"), field: field,
      explanation: "the separators must be different punctuation characters of ASCII",
      acknowledgement: .reject)
  }
}
