import HandoffCodecs
import HandoffCore

/// The committed entries: flat arrays side by side and one index, some 60 bytes an entry.
///
/// A `Dictionary<Token, Known>` holds the same in several times as much (`baton bench` measures
/// both). Entries are dense: the last one fills the place of one that is forgotten.
struct CorrelationStore: Sendable {
  /// One entry as it is stored: the person is the one it was written with, links not followed.
  struct Entry: Hashable, Sendable {
    var patientKey: PatientKey
    var handoffID: HandoffID?
    var from: OrganisationID?
    var to: OrganisationID?
    var kind: CorrelationKind?
    var isUntraced = false
    var seenDay: UInt16 = 0
  }

  private var tokens: [UInt128] = []
  /// 0 is none: no HMAC is all zeros.
  private var handoffs: [UInt128] = []
  private var persons: [UInt32] = []
  private var parties: [UInt32] = []
  private var days: [UInt16] = []
  private var kinds: [UInt8] = []
  private var index = SlotIndex()
  private var people = PersonSlots()
  private var pairs = PartySlots()
  /// Old person to new, by slot; each old one has one entry of its own in the arrays above.
  private var links: [UInt32: UInt32] = [:]

  var count: Int { tokens.count }
  var personCount: Int { people.count }
  var linkCount: Int { links.count }

  /// Bytes that are allocated for it, as far as it can tell.
  var byteCount: Int {
    tokens.capacity * 16 + handoffs.capacity * 16 + persons.capacity * 4 + parties.capacity * 4
      + days.capacity * 2 + kinds.capacity + index.byteCount + people.byteCount + pairs.byteCount
      + links.capacity * 12
  }

  subscript(token: Token) -> Entry? {
    slot(of: token).map(entry)
  }

  /// The key that stands for `key` after every link; `key` itself where there is none.
  func resolve(_ key: PatientKey) -> PatientKey {
    guard !links.isEmpty, var slot = people.slot(of: key) else { return key }
    guard links[slot] != nil else { return key }
    // No circle is ever made; a forged topic could hold one, and must not hold us.
    for _ in 0..<links.count {
      guard let next = links[slot] else { break }
      slot = next
    }
    return people[slot]
  }

  func isUntraced(_ key: PatientKey) -> Bool {
    people.slot(of: key).map { people.isUntraced($0) } ?? false
  }

  // MARK: Changing

  /// Stores an entry in place of whatever stood under the token.
  mutating func put(_ token: Token, _ entry: Entry) {
    let person = people.retain(entry.patientKey, isUntraced: entry.isUntraced)
    let pair = pairs.retain(PartySlots.Pair(from: entry.from, to: entry.to))
    if let slot = slot(of: token).map(Int.init) {
      unlink(slot)
      people.release(persons[slot])
      pairs.release(parties[slot])
      handoffs[slot] = entry.handoffID?.rawValue ?? 0
      persons[slot] = person
      parties[slot] = pair
      days[slot] = entry.seenDay
      kinds[slot] = Self.number(entry.kind)
      return
    }
    let slot = UInt32(tokens.count)
    tokens.append(token.rawValue)
    handoffs.append(entry.handoffID?.rawValue ?? 0)
    persons.append(person)
    parties.append(pair)
    days.append(entry.seenDay)
    kinds.append(Self.number(entry.kind))
    withIndex { index, tokens in
      index.insert(slot, token.rawValue) { tokens[Int($0)] }
    }
  }

  /// Everything of `old` is `new`'s from now on; kept under `token`, the old key's own.
  ///
  /// Other links are not looked at: while the topic is read again they stand beside some that are
  /// forgotten further on, and what looks like a circle then is none in the end.
  mutating func link(
    _ token: Token, _ old: PatientKey, to new: PatientKey, isUntraced: Bool, seenDay: UInt16
  ) {
    put(token, Entry(patientKey: old, kind: .link, isUntraced: isUntraced, seenDay: seenDay))
    guard let slot = people.slot(of: old) else { return }
    links[slot] = people.retain(new)
  }

  mutating func remove(_ token: Token) {
    guard let slot = slot(of: token).map(Int.init) else { return }
    unlink(slot)
    people.release(persons[slot])
    pairs.release(parties[slot])
    withIndex { index, tokens in
      index.remove(UInt32(slot), tokens[slot]) { tokens[Int($0)] }
    }
    let last = tokens.count - 1
    if slot != last {
      let moved = tokens[last]
      index.renumber(UInt32(last), to: UInt32(slot), moved)
      tokens[slot] = moved
      handoffs[slot] = handoffs[last]
      persons[slot] = persons[last]
      parties[slot] = parties[last]
      days[slot] = days[last]
      kinds[slot] = kinds[last]
    }
    tokens.removeLast()
    handoffs.removeLast()
    persons.removeLast()
    parties.removeLast()
    days.removeLast()
    kinds.removeLast()
  }

  // MARK: Forgetting

  /// Tokens among up to `scanMax` entries below `position` that were last seen before their day.
  ///
  /// A link goes only when nothing but itself names the old person. `position` moves down to 0;
  /// from there the next look begins at the end.
  func expired(
    below position: inout Int, scanMax: Int, countMax: Int, before day: (CorrelationKind?) -> UInt16
  ) -> [Token] {
    if position <= 0 || position > tokens.count { position = tokens.count }
    var found: [Token] = []
    var scanned = 0
    while position > 0, scanned < scanMax, found.count < countMax {
      position -= 1
      scanned += 1
      let kind = Self.kind(kinds[position])
      guard days[position] < day(kind) else { continue }
      if kind == .link, people.useCount(persons[position]) > 1 { continue }
      found.append(Token(rawValue: tokens[position]))
    }
    return found
  }

  /// How many entries there are of each kind; walks all of them.
  func countByKind() -> [CorrelationKind?: Int] {
    var counts = [Int](repeating: 0, count: 256)
    for kind in kinds { counts[Int(kind)] += 1 }
    var result: [CorrelationKind?: Int] = [:]
    for (number, count) in counts.enumerated() where count > 0 {
      result[Self.kind(UInt8(number)), default: 0] += count
    }
    return result
  }

  // MARK: Parts

  private func slot(of token: Token) -> UInt32? {
    index.find(token.rawValue) { tokens[Int($0)] == token.rawValue }
  }

  private func entry(_ slot: UInt32) -> Entry {
    let slot = Int(slot)
    let pair = pairs[parties[slot]]
    return Entry(
      patientKey: people[persons[slot]],
      handoffID: handoffs[slot] == 0 ? nil : HandoffID(rawValue: handoffs[slot]),
      from: pair.from, to: pair.to, kind: Self.kind(kinds[slot]),
      isUntraced: people.isUntraced(persons[slot]), seenDay: days[slot])
  }

  /// Undoes the link whose entry stands in `slot`, where it is one.
  private mutating func unlink(_ slot: Int) {
    guard kinds[slot] == Self.number(.link) else { return }
    guard let target = links.removeValue(forKey: persons[slot]) else { return }
    people.release(target)
  }

  /// Lends the index out beside the tokens, which it must read while it changes.
  private mutating func withIndex(_ body: (inout SlotIndex, [UInt128]) -> Void) {
    var index = SlotIndex.lent
    swap(&index, &self.index)
    body(&index, tokens)
    swap(&index, &self.index)
  }

  private static func number(_ kind: CorrelationKind?) -> UInt8 {
    UInt8(truncatingIfNeeded: kind?.wireNumber ?? 0)
  }

  private static let kindsByNumber: [CorrelationKind?] =
    [nil] + CorrelationKind.allCases.sorted { $0.wireNumber < $1.wireNumber }

  private static func kind(_ number: UInt8) -> CorrelationKind? {
    number < kindsByNumber.count ? kindsByNumber[Int(number)] : nil
  }
}
