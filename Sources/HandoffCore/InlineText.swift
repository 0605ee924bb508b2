/// ASCII text of at most eight letters a word, within the value: no heap, no reference.
///
/// Codes are what most of an event consists of. As `String` each of them is a call of the runtime
/// whenever an event is copied or let go, and some 30 ns whenever one is compared by its hash; as
/// machine words it is a move of memory. The first letter stands in the highest byte of the first
/// word, and behind the last there are zeros: the order of the words is that of the text.
struct InlineText<let wordCount: Int>: BitwiseCopyable, Sendable {
  private var words: InlineArray<wordCount, UInt64>

  static var letterCountMax: Int { 8 * wordCount }

  /// Takes ASCII text without a zero byte, of ``letterCountMax`` at the most; what its letters may
  /// be is for the caller to say.
  init(_ text: String) {
    self.init(ascii: text.utf8.span)
  }

  /// The same of bytes.
  init(ascii bytes: Span<UInt8>) {
    precondition(bytes.count <= Self.letterCountMax, "a text too long for its type")
    let raw = unsafe bytes.bytes
    words = InlineArray(repeating: 0)
    let wholeCount = bytes.count / 8
    for index in 0..<wholeCount {
      words[index] = Self.word(raw, at: 8 * index, as: UInt64.self)
    }
    let start = 8 * wholeCount
    let rest = bytes.count - start
    guard rest > 0 else { return }
    if bytes.count >= 8 {
      // The last eight letters, without those that the word before has.
      words[wholeCount] =
        Self.word(raw, at: bytes.count - 8, as: UInt64.self) << UInt64(8 * (8 - rest))
    } else if rest >= 4 {
      // The last four laid over the first: where they overlap both say the same.
      words[0] =
        UInt64(Self.word(raw, at: 0, as: UInt32.self)) << 32
        | UInt64(Self.word(raw, at: rest - 4, as: UInt32.self)) << UInt64(8 * (8 - rest))
    } else {
      for index in 0..<rest { words[0] |= UInt64(bytes[index]) << UInt64(8 * (7 - index)) }
    }
  }

  /// Takes the first sixteen letters, and no more.
  init(_ first: UInt64, _ second: UInt64) {
    words = InlineArray(repeating: 0)
    words[0] = first
    words[1] = second
  }

  /// The beginning of another text, which is all of it where that is no longer than this may be.
  init<let otherCount: Int>(_ other: InlineText<otherCount>) {
    words = InlineArray(repeating: 0)
    for index in 0..<min(wordCount, otherCount) { words[index] = other.words[index] }
  }

  private static func word<Word: FixedWidthInteger & BitwiseCopyable>(
    _ bytes: RawSpan, at start: Int, as type: Word.Type
  ) -> Word {
    // The span checks that the word is within it.
    let word = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: start, as: type)
    return Word(bigEndian: word)
  }

  /// The first eight letters, and the eight behind them.
  var first: UInt64 { words[0] }
  var second: UInt64 { words[1] }

  /// The letters as one number, the last byte zero; `nil` where there are more than fifteen.
  var letters: UInt128? { second & 0xff == 0 ? UInt128(first) << 64 | UInt128(second) : nil }

  var count: Int {
    var index = wordCount - 1
    while index > 0, words[index] == 0 { index -= 1 }
    return 8 * (index + 1) - words[index].trailingZeroBitCount / 8
  }

  /// Whether its letters, which are `count`, are all of an alphabet.
  @inline(__always) func isMade(of alphabet: Alphabet, count: Int) -> Bool {
    var left = count
    var index = 0
    while left > 0 {
      guard alphabet.contains(min(left, 8), of: words[index]) else { return false }
      left -= 8
      index += 1
    }
    return true
  }

  /// How many of its letters are digits.
  var digitCount: Int {
    var count = 0
    for index in 0..<wordCount { count += Alphabet.digitCount(of: words[index]) }
    return count
  }

  var text: String {
    let count = count
    return unsafe String(unsafeUninitializedCapacity: Self.letterCountMax) { buffer in
      for index in 0..<count {
        unsafe buffer[index] = UInt8(
          truncatingIfNeeded: words[index >> 3] >> UInt64(8 * (7 - index & 7)))
      }
      return count
    }
  }

  /// Whether `word`, of at most eight ASCII letters, stands anywhere in it.
  func contains(_ word: StaticString) -> Bool {
    let width = UInt64(8 * word.utf8CodeUnitCount)
    var pattern: UInt64 = 0
    for index in 0..<word.utf8CodeUnitCount {
      pattern = unsafe pattern << 8 | UInt64(word.utf8Start[index])
    }
    // A window of eight letters moves along the text.
    var window: UInt64 = 0
    for index in 0..<(8 * wordCount) {
      let bits = words[index >> 3]
      if bits == 0 { return false }
      window = window << 8 | bits >> UInt64(8 * (7 - index & 7)) & 0xff
      if width < 64 { window &= (1 << width) - 1 }
      if window == pattern { return true }
    }
    return false
  }
}

extension InlineText: Hashable {
  static func == (left: Self, right: Self) -> Bool {
    // Nearly all texts differ, or end, within the first two words.
    guard left.first == right.first, left.second == right.second else { return false }
    guard left.second & 0xff != 0 else { return true }
    for index in 2..<wordCount where left.words[index] != right.words[index] { return false }
    return true
  }

  func hash(into hasher: inout Hasher) {
    hasher.combine(first)
    hasher.combine(second)
    guard second & 0xff != 0 else { return }
    for index in 2..<wordCount { hasher.combine(words[index]) }
  }
}

extension InlineText {
  /// A number of the order of texts; of long ones that begin alike it is the same.
  var order: UInt128 {
    // Behind the short text that is its beginning.
    letters ?? (UInt128(first) << 64 | UInt128(second) & ~0xff | 1)
  }
}

extension InlineText {
  /// What a table spreads texts by: every word counts, by an odd factor of the table's own.
  func spread(by factor: UInt64) -> UInt128 {
    var mixed = first &* factor
    mixed = (mixed ^ mixed >> 32 ^ second) &* factor
    if second & 0xff != 0 {
      for index in 2..<wordCount { mixed = (mixed ^ mixed >> 32 ^ words[index]) &* factor }
    }
    return UInt128(mixed)
  }
}

extension InlineText: Comparable {
  /// By bytes, which is the order of strings where all is ASCII.
  static func < (left: Self, right: Self) -> Bool {
    for index in 0..<wordCount where left.words[index] != right.words[index] {
      return left.words[index] < right.words[index]
    }
    return false
  }
}

/// The letters that a text may be made of, asked of eight at a time.
enum Alphabet {
  /// Lower-case letters, digits and hyphens.
  case slug
  /// Upper-case letters and digits.
  case ods
  /// Letters, digits and `. _ : / -`.
  case code

  /// Whether all of `count` letters at the beginning of a word are of the alphabet.
  @inline(__always) func contains(_ count: Int, of word: UInt64) -> Bool {
    let tops = Self.ones << 7
    let asked = tops & ~0 << UInt64(8 * (8 - count))
    return word & tops == 0 && marks(word) & asked == asked
  }

  /// The top bit of each byte that is a letter of it.
  @inline(__always) private func marks(_ word: UInt64) -> UInt64 {
    switch self {
    case .slug:
      Self.marks(word, "-", "-") | Self.marks(word, "0", "9") | Self.marks(word, "a", "z")
    case .ods: Self.marks(word, "0", "9") | Self.marks(word, "A", "Z")
    case .code:
      // In ASCII `-`, `.`, `/`, the digits and `:` follow each other.
      Self.marks(word, "-", ":") | Self.marks(word, "A", "Z") | Self.marks(word, "_", "_")
        | Self.marks(word, "a", "z")
    }
  }

  /// How many digits are in a word of ASCII.
  @inline(__always) static func digitCount(of word: UInt64) -> Int {
    marks(word, "0", "9").nonzeroBitCount
  }

  private static let ones: UInt64 = 0x0101_0101_0101_0101

  /// The top bit of each byte from `first` to `last`; of a word of ASCII, in which no sum carries over.
  @inline(__always) private static func marks(
    _ word: UInt64, _ first: Unicode.Scalar, _ last: Unicode.Scalar
  ) -> UInt64 {
    let notBefore = word &+ ones &* UInt64(0x80 - first.value)
    let behind = word &+ ones &* UInt64(0x7f - last.value)
    return notBefore & ~behind & ones << 7
  }
}
