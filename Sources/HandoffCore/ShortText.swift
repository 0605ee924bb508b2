/// ASCII text that is nearly always short: 16 bytes, and no heap and no reference up to 15.
///
/// Codes are what most of an event consists of. As `String` each of them is a call of the runtime
/// whenever an event is copied, and some 30 ns whenever one is compared by its hash; as two machine
/// words it is neither. Longer text is boxed and costs what a string costs.
struct ShortText: Sendable {
  private enum Storage: Sendable {
    /// The bytes from the first on, each number big-endian; zero behind the last.
    case short(UInt64, UInt32, UInt16, UInt8)
    case long(LongText)
  }

  private final class LongText: Sendable {
    let text: String

    init(_ text: String) { self.text = text }
  }

  private static let shortMax = 15

  private let storage: Storage

  /// Takes text without a zero byte; what its letters may be is for the caller to say.
  init(_ text: String) {
    guard text.utf8.count <= Self.shortMax else {
      self.init(long: text)
      return
    }
    var value: UInt128 = 0
    var count = 0
    for byte in text.utf8 {
      value = value << 8 | UInt128(byte)
      count += 1
    }
    self.init(short: value << UInt128(8 * (16 - count)))
  }

  /// Takes ASCII bytes, none of them zero.
  init(ascii bytes: Span<UInt8>) {
    guard bytes.count <= Self.shortMax else {
      var copy: [UInt8] = []
      copy.reserveCapacity(bytes.count)
      for index in bytes.indices { copy.append(bytes[index]) }
      self.init(long: String(decoding: copy, as: UTF8.self))
      return
    }
    // The last word laid over the first: where they overlap both say the same.
    let count = bytes.count
    let raw = unsafe bytes.bytes
    var (high, low): (UInt64, UInt64) = (0, 0)
    if count >= 8 {
      high = Self.word(raw, at: 0, as: UInt64.self)
      // Swift shifts by 64 to zero, as is right for nothing behind the first eight.
      low = Self.word(raw, at: count - 8, as: UInt64.self) << UInt64(8 * (16 - count))
    } else if count >= 4 {
      high = UInt64(Self.word(raw, at: 0, as: UInt32.self)) << 32
      high |= UInt64(Self.word(raw, at: count - 4, as: UInt32.self)) << UInt64(8 * (8 - count))
    } else {
      for index in 0..<count { high |= UInt64(bytes[index]) << UInt64(8 * (7 - index)) }
    }
    self.init(high: high, low: low)
  }

  private static func word<Word: FixedWidthInteger & BitwiseCopyable>(
    _ bytes: RawSpan, at start: Int, as type: Word.Type
  ) -> Word {
    // The span checks that the word is within it.
    let word = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: start, as: type)
    return Word(bigEndian: word)
  }

  private init(long text: String) { storage = .long(LongText(text)) }

  private init(short value: UInt128) {
    self.init(high: UInt64(truncatingIfNeeded: value >> 64), low: UInt64(truncatingIfNeeded: value))
  }

  private init(high: UInt64, low: UInt64) {
    storage = .short(
      high, UInt32(truncatingIfNeeded: low >> 32), UInt16(truncatingIfNeeded: low >> 16),
      UInt8(truncatingIfNeeded: low >> 8))
  }

  /// The sixteen bytes, the last of them zero; `nil` where the text is long.
  var words: (high: UInt64, low: UInt64)? {
    guard case .short(let first, let second, let third, let fourth) = storage else { return nil }
    return (first, UInt64(second) << 32 | UInt64(third) << 16 | UInt64(fourth) << 8)
  }

  var text: String {
    switch storage {
    case .long(let box): return box.text
    case .short:
      guard let words else { return "" }
      let value = UInt128(words.high) << 64 | UInt128(words.low)
      let count = 16 - value.trailingZeroBitCount / 8
      // Fifteen bytes are within the string itself; an array on the way would be on the heap.
      return unsafe String(unsafeUninitializedCapacity: Self.shortMax) { buffer in
        for index in 0..<count {
          unsafe buffer[index] = UInt8(truncatingIfNeeded: value >> UInt128(8 * (15 - index)))
        }
        return count
      }
    }
  }

  /// The sixteen bytes as one number, the last of them zero; `nil` where the text is long.
  var letters: UInt128? { words.map { UInt128($0.high) << 64 | UInt128($0.low) } }

  /// Whether `word`, of at most eight ASCII letters, stands anywhere in it.
  func contains(_ word: StaticString) -> Bool {
    guard let words else { return text.utf8.contains(word) }
    let width = 8 * word.utf8CodeUnitCount
    var pattern: UInt128 = 0
    for index in 0..<word.utf8CodeUnitCount {
      pattern = unsafe pattern << 8 | UInt128(word.utf8Start[index])
    }
    let mask = (1 as UInt128) << UInt128(width) - 1
    var value = UInt128(words.high) << 64 | UInt128(words.low)
    while value != 0 {
      if value & mask == pattern { return true }
      value >>= 8
    }
    return false
  }
}

extension ShortText: Hashable {
  static func == (left: ShortText, right: ShortText) -> Bool {
    switch (left.storage, right.storage) {
    case (.short(let a, let b, let c, let d), .short(let e, let f, let g, let h)):
      a == e && b == f && c == g && d == h
    case (.long(let left), .long(let right)): left === right || left.text == right.text
    case (.short, .long), (.long, .short): false
    }
  }

  func hash(into hasher: inout Hasher) {
    switch storage {
    case .short(let first, let second, let third, let fourth):
      hasher.combine(first)
      hasher.combine(UInt64(second) << 32 | UInt64(third) << 16 | UInt64(fourth))
    case .long(let box): hasher.combine(box.text)
    }
  }
}

extension ShortText {
  /// A number of the order of texts; of long ones that begin alike it is the same.
  var order: UInt128 {
    if let letters { return letters }
    var value: UInt128 = 0
    for byte in text.utf8.prefix(Self.shortMax) { value = value << 8 | UInt128(byte) }
    // Behind the short text that is its beginning.
    return value << 8 | 1
  }
}

extension ShortText: Comparable {
  /// By bytes, which is the order of strings where all is ASCII.
  static func < (left: ShortText, right: ShortText) -> Bool {
    guard let mine = left.words, let theirs = right.words else { return left.text < right.text }
    return (mine.high, mine.low) < (theirs.high, theirs.low)
  }
}

extension String.UTF8View {
  fileprivate func contains(_ word: StaticString) -> Bool {
    let pattern = Array("\(word)".utf8)
    let bytes = Array(self)
    guard bytes.count >= pattern.count else { return false }
    return (0...(bytes.count - pattern.count)).contains { start in
      bytes[start..<(start + pattern.count)].elementsEqual(pattern)
    }
  }
}

/// A set of ASCII bytes, asked once for every byte of every code that is read.
struct ByteSet: Sendable {
  private var low: UInt64 = 0
  private var high: UInt64 = 0

  init(_ members: StaticString) {
    for index in 0..<members.utf8CodeUnitCount {
      let byte = unsafe members.utf8Start[index]
      if byte < 64 { low |= 1 << UInt64(byte) } else { high |= 1 << UInt64(byte - 64) }
    }
  }

  func contains(_ byte: UInt8) -> Bool {
    if byte < 64 { return low >> UInt64(byte) & 1 == 1 }
    return byte < 128 && high >> UInt64(byte - 64) & 1 == 1
  }

  static let slug = ByteSet("abcdefghijklmnopqrstuvwxyz0123456789-")
  static let ods = ByteSet("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
  static let code = ByteSet(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:/-")
}
