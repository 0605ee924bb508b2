/// The codes, kinds and organisations that a partition's persons name, each kept once.
///
/// There are few of them and each open handoff names six. The table only grows, and is bounded:
/// what comes when it is full is written out where it is named.
struct TextTable: Sendable {
  /// The number that stands for no text.
  static let none: UInt16 = 0
  /// The number that stands for a text written out behind it.
  static let inline = UInt16.max

  /// A text of at most fifteen letters, and its number.
  private struct Recent: BitwiseCopyable, Sendable {
    var first: UInt64 = 0
    var second: UInt64 = 0
    var number = TextTable.none
  }

  private static let countMax = 60_000
  /// The short texts that were asked for last, each in one of so many places: nearly all that are
  /// asked for are the same few.
  private var recent = [Recent](repeating: Recent(), count: 256)
  private var texts: [InlineText<8>] = []
  private var index = SlotIndex()
  /// Odd, and another in every process, as the seed of Swift's own hashes: senders choose what codes
  /// they send, and could choose many that the index looks for in one place.
  private let factor = UInt64(bitPattern: Int64("texts".hashValue)) | 1

  subscript(number: UInt16) -> InlineText<8> { texts[Int(number) - 1] }

  /// The number of a text of these ``WrittenShort/letters``, where it was asked for lately.
  @inline(__always) func recentNumber(of letters: UInt128?) -> UInt16? {
    guard let letters else { return nil }
    let (first, second) = Self.halves(letters)
    let recent = recent[Self.place(first, second)]
    return recent.first == first && recent.second == second ? recent.number : nil
  }

  /// The number of `text`, or ``inline`` where the table is full.
  mutating func number(of text: InlineText<8>) -> UInt16 {
    let number = tabledNumber(of: text)
    if number != Self.inline, let letters = text.letters {
      let (first, second) = Self.halves(letters)
      recent[Self.place(first, second)] = Recent(first: first, second: second, number: number)
    }
    return number
  }

  @inline(__always) private static func halves(_ letters: UInt128) -> (UInt64, UInt64) {
    (UInt64(truncatingIfNeeded: letters >> 64), UInt64(truncatingIfNeeded: letters))
  }

  /// Where the text of these letters stands among the ``recent``.
  @inline(__always) private static func place(_ first: UInt64, _ second: UInt64) -> Int {
    Int(truncatingIfNeeded: ((first ^ second) &* 0x9E37_79B9_7F4A_7C15) >> 56)
  }

  private mutating func tabledNumber(of text: InlineText<8>) -> UInt16 {
    let word = text.spread(by: factor)
    let known = index.find(word) { slot in texts[Int(slot)] == text }
    if let known { return UInt16(known) + 1 }
    guard texts.count < Self.countMax else { return Self.inline }
    let slot = UInt32(texts.count)
    texts.append(text)
    do {
      // Lent to the index while it changes; a reference that lives longer would copy the table.
      let lent = texts
      index.insert(slot, word) { lent[Int($0)].spread(by: factor) }
    }
    return UInt16(slot) + 1
  }

  /// Every text, in the order of the numbers.
  var all: [String] { texts.map(\.text) }

  /// Takes texts that another table gave, so that each has the number it had there; false where
  /// one has another, or is longer than any text of a table.
  mutating func add(_ texts: [String]) -> Bool {
    texts.allSatisfy { text in
      guard text.utf8.count <= InlineText<8>.letterCountMax else { return false }
      let next = self.texts.count + 1
      return Int(number(of: InlineText<8>(text))) == next
    }
  }
}

/// A code, a kind, a priority or an organisation, which packed people name by number.
protocol TabledText: WrittenShort {
  var written: InlineText<8> { get }

  /// Takes what ``written`` gave.
  init(written: InlineText<8>)
}

extension Code: TabledText {
  var written: InlineText<8> { text }

  init(written: InlineText<8>) { text = written }
}

extension HandoffKind: TabledText {
  var written: InlineText<8> { InlineText(text) }

  init(written: InlineText<8>) { text = InlineText(written) }
}

extension Priority: TabledText {
  var written: InlineText<8> { InlineText(text) }

  init(written: InlineText<8>) { text = InlineText(written) }
}
