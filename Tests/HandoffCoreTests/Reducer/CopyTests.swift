import HandoffCore
import TestSupport
import Testing

@Suite struct `A copy of the people` {
  private static func reducer() -> PersonReducer {
    PersonReducer(policy: .default, topic: "handoff.events.v1", partition: 0)
  }

  private static func records(_ seed: UInt64) -> [EventRecord] {
    var generator = JourneyGenerator(seed: seed)
    return generator.records(count: 300)
  }

  private static func people(of reducer: PersonReducer) -> [Person] {
    reducer.keys.compactMap { reducer.person(for: $0) }
  }

  /// Copies bit by bit while batches come, are taken back and come again, as a keeper does.
  private struct Copier {
    var keys: [PatientKey]
    var images: [[UInt8]] = []
    /// Whoever changed since it began, as the changelog has them.
    var changelog: [PatientKey: Person?] = [:]

    mutating func copy(_ count: Int, of reducer: PersonReducer) {
      for key in keys.suffix(count) {
        if let person = reducer.committedPerson(for: key) { images.append(person.image) }
      }
      keys.removeLast(min(count, keys.count))
    }

    func restored(_ reducer: PersonReducer) throws -> PersonReducer {
      var restored = PersonReducer(policy: .default, topic: "handoff.events.v1", partition: 0)
      try restored.restore(reducer.state)
      for image in images {
        let person = try #require(PackedPerson(image: image[...]))
        if changelog[person.key] == nil { restored.restore(person) }
      }
      try restored.restore(packedTexts: reducer.packedTexts)
      for person in changelog.values { if let person { try restored.restore(person) } }
      return restored
    }
  }

  @Test(arguments: Array(0..<24 as Range<UInt64>))
  func `of many moments, under what changed since, goes on as if nothing had been`(
    seed: UInt64
  ) throws {
    let all = Self.records(seed)
    var random = SeededGenerator(seed: seed)
    var reducer = Self.reducer()
    for record in all.prefix(100) { _ = reducer.apply(record) }
    var copier: Copier?
    var next = all.dropFirst(100).prefix(100)
    while !next.isEmpty {
      let batch = next.prefix(Int.random(in: 1...20, using: &random))
      let isKept = Bool.random(using: &random)
      reducer.beginBatch()
      var changes: [PatientKey: Person?] = [:]
      for record in batch {
        _ = reducer.apply(record)
        reducer.takeTouched { changes[$0] = .some($1) }
        if copier == nil { copier = Copier(keys: reducer.committedKeys) }
        copier?.copy(Int.random(in: 0...1, using: &random), of: reducer)
      }
      guard isKept else {
        reducer.rollBackBatch()
        continue
      }
      reducer.commitBatch()
      copier?.changelog.merge(changes) { $1 }
      next = next.dropFirst(batch.count)
    }
    copier?.copy(.max, of: reducer)
    var restored = try #require(try copier?.restored(reducer))
    var shown: [Person] = []
    try restored.takeStock { shown.append($0) }
    #expect(shown.sorted { $0.key < $1.key } == Self.people(of: reducer))
    #expect(Self.people(of: restored) == Self.people(of: reducer))
    #expect(copier?.images.isEmpty == false)

    let end = try #require(all.last).brokerAt.advanced(by: .hours(365 * 24))
    var (said, expected): ([Verdict], [Verdict]) = ([], [])
    for record in all.dropFirst(200) {
      said += restored.apply(record)
      expected += reducer.apply(record)
    }
    said += restored.advance(to: end)
    expected += reducer.advance(to: end)
    #expect(said == expected)
    #expect(!expected.isEmpty)
  }

  @Test func `has whom an open batch has forgotten, who may come back`() throws {
    let all = Self.records(3)
    var reducer = Self.reducer()
    for record in all { _ = reducer.apply(record) }
    let before = Self.people(of: reducer)
    reducer.beginBatch()
    _ = reducer.advance(to: try #require(all.last).brokerAt.advanced(by: .hours(5 * 365 * 24)))
    #expect(reducer.personCount < before.count)
    #expect(reducer.committedKeys.sorted() == before.map(\.key))
    let copied = before.compactMap { reducer.committedPerson(for: $0.key) }
    #expect(copied.map { reducer.unpacked($0) } == before)
    reducer.rollBackBatch()
    #expect(Self.people(of: reducer) == before)
  }

  @Test func `is refused where a text is longer than any that was packed`() {
    var reducer = Self.reducer()
    let tooLong = String(repeating: "x", count: 65)
    #expect(throws: TextsOutOfPlace.self) { try reducer.restore(packedTexts: ["a", tooLong]) }
  }

  @Test func `is refused where the texts have other numbers, or a policy was never in force`()
    throws
  {
    var reducer = Self.reducer()
    for record in Self.records(4) { _ = reducer.apply(record) }
    var second = reducer
    #expect(reducer.packedTexts.count > 1)
    #expect(throws: TextsOutOfPlace.self) { try second.restore(packedTexts: reducer.packedTexts) }

    var activated = Self.reducer()
    var state = activated.state
    state.activations += [state.activations[0]]
    state.inForce = 1
    try activated.restore(state)
    for record in Self.records(4) { _ = activated.apply(record) }
    var restored = Self.reducer()
    for key in activated.committedKeys {
      restored.restore(try #require(activated.committedPerson(for: key)))
    }
    try restored.restore(packedTexts: activated.packedTexts)
    #expect(throws: UnknownActivation.self) { try restored.takeStock { _ in } }
  }

  @Test func `of too few bytes is nobody`() throws {
    var reducer = Self.reducer()
    for record in Self.records(5) { _ = reducer.apply(record) }
    let key = try #require(reducer.keys.first)
    let person = try #require(reducer.committedPerson(for: key))
    #expect(PackedPerson(image: person.image[...]) == person)
    #expect(PackedPerson(image: person.image.prefix(41)) == nil)
    #expect(PackedPerson(image: []) == nil)
  }
}
