package import HandoffCore

/// One entry of a snapshot, in bytes that only the build which wrote them reads.
///
/// The header names the build; entries of another are never looked at.
package enum SnapshotEntry: Hashable, Sendable {
  case person(PackedPerson)
  /// Texts that persons before it refer to by number; after those of such entries before it.
  case texts([String])

  private static let personKind: UInt8 = 1
  private static let textsKind: UInt8 = 2
  private static let textCountMax = 10_000

  package var bytes: [UInt8] {
    switch self {
    case .person(let person): [Self.personKind] + person.image
    // No text holds a zero byte.
    case .texts(let texts): [Self.textsKind] + Array(texts.joined(separator: "\u{0}").utf8)
    }
  }

  /// `nil` where it is neither.
  package init?(_ bytes: ArraySlice<UInt8>) {
    let content = bytes.dropFirst()
    switch bytes.first {
    case Self.personKind:
      guard let person = PackedPerson(image: content) else { return nil }
      self = .person(person)
    case Self.textsKind:
      let texts = content.split(separator: 0, omittingEmptySubsequences: false)
      self = .texts(texts.map { String(decoding: $0, as: UTF8.self) })
    default: return nil
    }
  }

  /// What ends a snapshot: all texts, none of the entries too large for a section.
  package static func texts(of reducer: PersonReducer) -> [[UInt8]] {
    let texts = reducer.packedTexts
    return stride(from: 0, to: texts.count, by: textCountMax).map {
      SnapshotEntry.texts(Array(texts[$0..<min($0 + textCountMax, texts.count)])).bytes
    }
  }
}
