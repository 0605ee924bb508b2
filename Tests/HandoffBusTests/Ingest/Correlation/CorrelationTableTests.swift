import HandoffCodecs
import HandoffCore
import TestSupport
import Testing

@testable import HandoffBus

/// The table against a naive one: a dictionary for entries, a list for links.
@Suite struct CorrelationTableTests {
  /// What the table promises, in the plainest way.
  struct Model {
    var entries: [Token: CorrelationTable.Known] = [:]
    var days: [Token: UInt16] = [:]
    var links: [(old: PatientKey, new: PatientKey, token: Token, day: UInt16)] = []

    func resolve(_ key: PatientKey) -> PatientKey {
      var key = key
      while let link = links.first(where: { $0.old == key }) { key = link.new }
      return key
    }

    /// The rules once more, case by case; gives what must be written, and the A16 evidence.
    mutating func learn(
      _ token: Token, _ known: CorrelationTable.Known, isDefining: Bool, day: UInt16
    ) -> CorrelationTable.Learned {
      guard let old = entries[token] else {
        entries[token] = known
        days[token] = day
        return .init(entry: known)
      }
      if old.patientKey == .nobody { return .init() }
      let isSamePerson = resolve(old.patientKey) == resolve(known.patientKey)
      var new = old
      var conflict: PatientKey?
      switch (isSamePerson, old.kind, isDefining) {
      case (false, .person?, _):
        return .init(conflict: resolve(old.patientKey))
      case (false, .business?, let isDefining):
        conflict = resolve(old.patientKey)
        guard isDefining, old.from == known.from else { return .init(conflict: conflict) }
        new = .init(patientKey: .nobody, handoffID: nil, kind: old.kind)
      case (false, _, _):
        new = .init(patientKey: .nobody, handoffID: nil, kind: old.kind)
      case (true, _, true) where old.from == nil || old.from == known.from:
        new.handoffID = known.handoffID
        new.from = known.from
        new.to = known.to
      case (true, _, true): break
      case (true, _, false):
        if known.handoffID != nil, known.handoffID != old.handoffID { new.handoffID = nil }
      }
      let isOld = Int(day) - Int(days[token] ?? 0) >= 30
      guard new != old || isOld else { return .init() }
      if new.patientKey != .nobody { new.patientKey = known.patientKey }
      entries[token] = new
      days[token] = day
      return .init(entry: new, conflict: conflict)
    }

    subscript(token: Token) -> CorrelationTable.Known? {
      guard var known = entries[token], known.patientKey != .nobody else { return nil }
      known.patientKey = resolve(known.patientKey)
      return known
    }
  }

  static func key(_ number: Int) -> PatientKey {
    guard
      let key = PatientKey(
        epoch: 1,
        hash: (0..<32).map { UInt8(truncatingIfNeeded: (number &+ 1) &* ($0 &* 37 &+ 11)) })
    else { preconditionFailure("32 bytes are a hash") }
    return key
  }

  static func organisation(_ number: Int) -> OrganisationID? {
    number == 0 ? nil : ODSCode("R\(number)").map { .ods($0) }
  }

  /// What a topic holds, record after record, of which a crash takes nothing.
  enum Record {
    case entry(CorrelationEntry)
    case tombstone(Token)
  }

  @Test(arguments: 0..<24 as Range<UInt64>)
  func `the table says what a naive one says, through aborts, restarts and forgetting`(
    seed: UInt64
  ) {
    var random = SeededGenerator(seed: seed)
    var table = CorrelationTable()
    var model = Model()
    var topic: [Record] = []
    var position = 0
    var today: UInt16 = 20_000
    for step in 0..<300 {
      var next = model
      var written: [Record] = []
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        learn(&table, &next, &written, today, &random)
      }
      switch Int.random(in: 0..<10, using: &random) {
      case 0, 1: table.rollBack()
      default:
        _ = table.commit()
        model = next
        topic += written
      }
      today += UInt16.random(in: 0...9, using: &random)
      if step % 20 == 19 { forget(&table, &model, &topic, &position, today) }
      if step % 50 == 49 { table = restored(topic, &random) }
      if step % 10 == 9 { compare(table, model, seed: seed, step: step) }
    }
    compare(table, model, seed: seed, step: -1)
  }

  private func learn(
    _ table: inout CorrelationTable, _ model: inout Model, _ written: inout [Record],
    _ today: UInt16, _ random: inout SeededGenerator
  ) {
    let token = Token(rawValue: UInt128(Int.random(in: 1...40, using: &random)) << 64 | 7)
    let person = Self.key(Int.random(in: 0..<9, using: &random))
    if Int.random(in: 0..<8, using: &random) == 0 {
      let new = Self.key(Int.random(in: 0..<9, using: &random))
      let own = Token(rawValue: person.spread | 1)
      guard let link = table.link(person, to: new, token: own, day: today) else {
        #expect(model.resolve(person) != person || model.resolve(new) == person)
        return
      }
      #expect(model.resolve(person) == person && model.resolve(new) != person)
      model.links.append((person, new, own, today))
      var entry = CorrelationEntry(
        token: own, patientKey: link.old, handoffID: nil, eventID: EventID(rawValue: 1))
      entry.newPatientKey = link.new
      entry.kind = .link
      entry.seenDay = today
      written.append(.entry(entry))
      return
    }
    let kinds: [CorrelationKind] = [.message, .business, .person, .reference, .conversation]
    let kind = kinds[Int(truncatingIfNeeded: token.rawValue >> 64) % 5]
    let known = CorrelationTable.Known(
      patientKey: model.resolve(person),
      handoffID: kind == .person
        ? nil : HandoffID(rawValue: UInt128(Int.random(in: 1...3, using: &random))),
      from: Self.organisation(Int.random(in: 0...2, using: &random)),
      to: Self.organisation(Int.random(in: 0...2, using: &random)), kind: kind)
    let isDefining = kind == .business && Bool.random(using: &random)
    let learned = table.learn(token, known, isDefining: isDefining, day: today)
    #expect(learned == model.learn(token, known, isDefining: isDefining, day: today))
    guard let new = learned.entry else { return }
    var entry = CorrelationEntry(
      token: token, patientKey: new.patientKey, handoffID: new.handoffID,
      eventID: EventID(rawValue: 1), from: new.from, to: new.to)
    entry.kind = new.kind
    entry.seenDay = today
    written.append(.entry(entry))
  }

  private func forget(
    _ table: inout CorrelationTable, _ model: inout Model, _ topic: inout [Record],
    _ position: inout Int, _ today: UInt16
  ) {
    let before = today - 60
    let tokens = table.forget(below: &position, scanMax: 1_000, countMax: 7) { _ in before }
    _ = table.commit()
    for token in tokens {
      topic.append(.tombstone(token))
      if model.entries[token] != nil {
        #expect(model.days[token].map { $0 < before } ?? false)
        model.entries[token] = nil
      } else if let index = model.links.firstIndex(where: { $0.token == token }) {
        let old = model.links[index].old
        #expect(!model.entries.values.contains { $0.patientKey == old })
        #expect(!model.links.contains { $0.new == old })
        model.links.remove(at: index)
      } else {
        Issue.record("forgot what was not there")
      }
    }
  }

  /// As the topic is read again: each token in its order, tokens among each other in any.
  private func restored(
    _ topic: [Record], _ random: inout SeededGenerator
  ) -> CorrelationTable {
    var table = CorrelationTable()
    var partitions: [[Record]] = [[], [], []]
    for record in topic {
      let token =
        switch record {
        case .entry(let entry): entry.token
        case .tombstone(let token): token
        }
      partitions[Int(truncatingIfNeeded: (token.rawValue >> 64) % 3)].append(record)
    }
    for partition in partitions.shuffled(using: &random) {
      for record in partition {
        switch record {
        case .entry(let entry): table.restore(entry)
        case .tombstone(let token): table.restoreTombstone(token)
        }
      }
    }
    return table
  }

  private func compare(_ table: CorrelationTable, _ model: Model, seed: UInt64, step: Int) {
    for number in 1...40 {
      let token = Token(rawValue: UInt128(number) << 64 | 7)
      #expect(table[token] == model[token], "seed \(seed), step \(step), token \(number)")
    }
    #expect(table.count == model.entries.count + model.links.count, "seed \(seed), step \(step)")
    for number in 0..<9 {
      #expect(table.resolve(Self.key(number)) == model.resolve(Self.key(number)))
    }
  }

  @Test(arguments: 0..<8 as Range<UInt64>)
  func `an index finds every slot through growth, removal and renumbering`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var index = SlotIndex()
    var words: [UInt32: UInt128] = [:]
    for step in 0..<4_000 {
      if words.count < 20 || Bool.random(using: &random) {
        // Few homes, so that runs of neighbours form.
        let slot = UInt32(step)
        let word = UInt128(UInt64.random(in: 0..<64, using: &random)) << 64 | UInt128(step)
        words[slot] = word
        let all = words
        index.insert(slot, word) { all[$0] ?? 0 }
      } else if let slot = words.keys.sorted().randomElement(using: &random),
        let word = words[slot]
      {
        let all = words
        index.remove(slot, word) { all[$0] ?? 0 }
        words[slot] = nil
      }
    }
    for (slot, word) in words { #expect(index.find(word) { $0 == slot } == slot, "\(seed)") }
    #expect(index.count == words.count)
  }

  @Test func `a full table says so, and forgetting makes room`() {
    var table = CorrelationTable(countMax: 10)
    for number in 1...10 {
      _ = table.learn(
        Token(rawValue: UInt128(number)),
        CorrelationTable.Known(patientKey: Self.key(number), handoffID: nil, kind: .message),
        day: number < 6 ? 100 : 900)
    }
    #expect(table.isFull)
    _ = table.commit()
    #expect(table.isFull)
    var position = 0
    #expect(table.forget(below: &position, scanMax: 99, countMax: 99) { _ in 500 }.count == 5)
    _ = table.commit()
    #expect(!table.isFull && table.count == 5)
  }

  @Test func `ids of handoffs and people are remembered for different times`() {
    let limits = CorrelationLimits()
    let today: UInt16 = 20_000
    #expect(limits.horizon(.message, today: today) == today - limits.days)
    #expect(limits.horizon(.person, today: today) == today - limits.personDays)
    #expect(limits.horizon(.business, today: 5) == 0)
  }
}
