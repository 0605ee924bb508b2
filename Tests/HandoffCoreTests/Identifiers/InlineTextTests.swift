import TestSupport
import Testing

@testable import HandoffCore

struct InlineTextTests {
  /// Codes of every length, with letters that sort before and after each other.
  private static let codes: [String] = (1...64).flatMap { length in
    ["a", "Z", "7-", "abcdefghijklmnopqrstuvwxyz"].map {
      String(String(repeating: $0, count: 64).prefix(length))
    }
  }.filter { Code($0) != nil }

  @Test func `text of any length is what it was made of, from a string and from bytes`() throws {
    for text in Self.codes {
      let code = try #require(Code(text))
      #expect(code.description == text)
      let padded = Array(text.utf8) + Array(repeating: 0, count: max(0, 16 - text.utf8.count))
      let number = padded.reduce(0 as UInt128) { $0 << 8 | UInt128($1) }
      #expect(code.letters == (text.utf8.count < 16 ? number : nil))
      let letters = Array(text.utf8)
      let read = Code(utf8: letters.span)
      let same = try #require(read)
      #expect(same == code)
      #expect(Set([code]).contains(same))
    }
  }

  @Test func `texts are ordered as strings are, and equal only to themselves`() throws {
    for left in Self.codes {
      for right in Self.codes {
        let (one, other) = (try #require(Code(left)), try #require(Code(right)))
        #expect((one < other) == (left < right))
        #expect((one == other) == (left == right))
      }
    }
  }

  @Test func `the number of a text is of its order, the same only for long ones that begin alike`()
    throws
  {
    for left in Self.codes {
      for right in Self.codes {
        let (one, other) = (try #require(Code(left)).text, try #require(Code(right)).text)
        if one.order < other.order { #expect(left < right) }
        if one.order == other.order, left != right {
          #expect(min(left.count, right.count) > 15 && left.prefix(15) == right.prefix(15))
        }
      }
    }
  }

  @Test(arguments: ["urgent", "very-urgent", "urgent-suspected-cancer", "emergency"])
  func `a priority that says urgent is urgent, long or short`(text: String) throws {
    #expect(try #require(Priority(text)).isUrgent)
  }

  @Test(arguments: ["routine", "urgen", "urgen-t", "emergency-2", "soon-but-not-very-soon"])
  func `a priority that does not say it is not`(text: String) throws {
    #expect(try #require(Priority(text)).isUrgent == false)
  }

  @Test(arguments: ["ods:RTH", "ods:ABCDEFGHIJKL", "local:0123456789abcdef0123456789abcdef"])
  func `an organisation reads the same from bytes as from text`(text: String) throws {
    let organisation = try #require(OrganisationID(text))
    let letters = Array(text.utf8)
    let same = OrganisationID(utf8: letters.span)
    #expect(same == organisation)
    #expect(organisation.description == text)
  }

  @Test(arguments: ["ods:rth", "ods:", "ODS:RTH", "ods:ABCDEFGHIJKLM", "local:1", "", "ods:R H"])
  func `what is no organisation in bytes is none in text`(text: String) {
    let letters = Array(text.utf8)
    let found = OrganisationID(utf8: letters.span)
    #expect(found == OrganisationID(text))
  }

  /// Every byte at every place of texts of many lengths.
  @Test(arguments: [1, 2, 3, 7, 8, 9, 12, 15, 16, 17, 33, 40, 64])
  func `a letter is taken where its alphabet has it, wherever it stands`(length: Int) {
    func isOneOf(_ byte: UInt8, _ letters: String) -> Bool { letters.utf8.contains(byte) }
    let lower = "abcdefghijklmnopqrstuvwxyz"
    let digits = "0123456789"
    for place in 0..<length {
      for byte in UInt8.min ... .max {
        var bytes = [UInt8](repeating: UInt8(ascii: "x"), count: length)
        bytes[place] = byte
        let isSlug = isOneOf(byte, lower + digits + "-") && length <= 40
        let isCode = isOneOf(byte, lower + lower.uppercased() + digits + "._:/-")
        // Through a name: what is of a span cannot be compared in a macro.
        let (code, kind) = (Code(utf8: bytes.span), HandoffKind(utf8: bytes.span))
        let priority = Priority(utf8: bytes.span)
        #expect((code != nil) == isCode, "\(byte) at \(place)")
        #expect((kind != nil) == isSlug, "\(byte) at \(place)")
        #expect((priority != nil) == isSlug, "\(byte) at \(place)")
        guard length <= 12 else { continue }
        let service = Array("ods:".utf8) + bytes.map { $0 == UInt8(ascii: "x") ? 88 : $0 }
        let organisation = OrganisationID(utf8: service.span)
        // An `x` at the place itself was made an `X`.
        let isODS = byte == UInt8(ascii: "x") || isOneOf(byte, lower + lower.uppercased() + digits)
        #expect((organisation != nil) == isODS, "\(byte) at \(place)")
      }
    }
  }

  @Test func `ten digits in a row are no code, with hyphens or without, and nine are`() {
    for (text, isCode) in [
      ("999-000-0000", false), ("9990000000", false), ("a9990000000", false),
      ("999-000-000", true), ("123456789a0", true), ("12345.67890", true),
      ("a1b2c3d4e5f6g7h8i9j0", true), ("prefix:999-000-0000:suffix", false),
    ] {
      #expect((Code(text) != nil) == isCode, "\(text)")
    }
  }

  private static let organisations = [
    "ods:R", "ods:RTH", "ods:RTH08", "ods:Z99101", "ods:ABCDEFGHIJK", "ods:ABCDEFGHIJKL",
    "local:0123456789abcdef0123456789abcdef", "local:f0000000000000000000000000000001",
    "openreferral:01234567-89ab-cdef-0123-456789abcdef",
    "openreferral:a1234567-89ab-cdef-0123-456789abcdef",
  ]

  @Test func `organisations are ordered as their written forms are`() throws {
    for left in Self.organisations {
      for right in Self.organisations {
        let (one, other) = (
          try #require(OrganisationID(left)), try #require(OrganisationID(right))
        )
        #expect((one < other) == (left < right), "\(left) and \(right)")
        #expect((one == other) == (left == right))
      }
    }
  }

  @Test func `what packed people name reads back from the table as it was`() throws {
    for text in Self.organisations {
      let organisation = try #require(OrganisationID(text))
      #expect(organisation.written.text == text)
      #expect(OrganisationID(written: organisation.written) == organisation)
    }
    for length in 1...40 {
      let text = String("very-urgent-suspected-cancer-of-the-kidney".prefix(length))
      let (kind, priority) = (try #require(HandoffKind(text)), try #require(Priority(text)))
      #expect(HandoffKind(written: kind.written) == kind && kind.written.text == text)
      #expect(Priority(written: priority.written) == priority && priority.written.text == text)
    }
  }
}
