import TestSupport
import Testing

@testable import HandoffCore

struct PersonTableTests {
  private static func key(_ number: UInt64, epoch: UInt16 = 1) -> PatientKey {
    PatientKey(epoch: epoch, high: UInt128(number), low: 7)
  }

  private static func person(_ key: PatientKey) -> Person {
    var person = Person(key: key)
    person.unlinkedCount = 1
    return person
  }

  private static func moment(_ seconds: Int64) -> Timestamp {
    Timestamp(nanoseconds: seconds * 1_000_000_000)
  }

  @Test(arguments: Array(0..<8 as Range<UInt64>))
  func `people fall due by moment, and by key where the moment is one`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var table = PersonTable()
    var expected: [(at: Timestamp, key: PatientKey)] = []
    for number in (0..<200 as Range<UInt64>).shuffled(using: &generator) {
      let key = Self.key(number, epoch: UInt16.random(in: 1...3, using: &generator))
      let due = Self.moment(Int64.random(in: 0..<20, using: &generator))
      table.put(Self.person(key), due, at: table.insert(key))
      expected.append((due, key))
    }
    expected.sort { ($0.at, $0.key) < ($1.at, $1.key) }
    for due in expected {
      let found = table.popDue(upTo: Self.moment(20))
      #expect(found?.at == due.at)
      #expect(found.map { table.key(at: $0.slot) } == due.key)
    }
    #expect(table.popDue(upTo: .distantFuture) == nil)
  }

  @Test func `who was forgotten is passed over, and a slot is not given away while it is queued`() {
    var table = PersonTable()
    let (first, second) = (Self.key(1), Self.key(2))
    let slot = table.insert(first)
    table.put(Self.person(first), Self.moment(5), at: slot)
    table.remove(slot)
    #expect(table.slot(of: first) == nil)
    #expect(table.insert(second) != slot)
    #expect(table.popDue(upTo: Self.moment(9)) == nil)
    #expect(table.insert(Self.key(3)) == slot)
    #expect(table.count == 2)
    #expect(Set(table.keys) == [second, Self.key(3)])
  }

  @Test func `a later moment replaces an earlier one without being said twice`() {
    var table = PersonTable()
    let key = Self.key(1)
    let slot = table.insert(key)
    table.put(Self.person(key), Self.moment(5), at: slot)
    table.put(Self.person(key), Self.moment(8), at: slot)
    #expect(table.popDue(upTo: Self.moment(7)) == nil)
    #expect(table.popDue(upTo: Self.moment(8))?.at == Self.moment(8))
    #expect(table.popDue(upTo: Self.moment(99)) == nil)
  }

  @Test func `a table of texts that is full has them written out, and they read back`() throws {
    var writer = PackedWriter()
    for number in 0..<60_010 {
      _ = writer.texts.number(of: InlineText("t\(number)"))
    }
    for text in ["new", "newer-than-the-fifteen-that-are-short"] {
      var person = Person(key: Self.key(1))
      var handoff = Handoff(id: HandoffID(rawValue: 3), current: HandoffFacts())
      handoff.current.rail = Code(text)
      handoff.current.needCode = Code("t5")
      person.handoffs = [handoff]
      let packed = person.packed(by: &writer)
      #expect(Person(key: person.key, unpacking: packed, writer.texts) == person)
    }
  }

  @Test func `texts have the numbers that they had, whichever were asked for last`() {
    var table = TextTable()
    var generator = SeededGenerator(seed: 1)
    // More than are remembered as asked for last, short ones and long ones.
    let texts = (0..<1_000).map { number in
      InlineText<8>("t\(number)" + (number % 5 == 0 ? "-longer-than-fifteen-letters" : ""))
    }
    let numbers = texts.map { table.number(of: $0) }
    #expect(Set(numbers).count == texts.count)
    for _ in 0..<5_000 {
      let place = Int.random(in: texts.indices, using: &generator)
      let recent = table.recentNumber(of: texts[place].letters)
      #expect(recent == nil || recent == numbers[place], "seed 1")
      #expect(table.number(of: texts[place]) == numbers[place], "seed 1")
    }
  }

  @Test(arguments: [1, 29, 30, 31, 32, 61, 62, 63, 400])
  func `somebody of whom more is known than a writer holds at once reads back`(count: Int) {
    var table = PersonTable()
    var person = Person(key: Self.key(1))
    for number in 0..<count {
      person.seen.append(
        SeenEvent(
          eventID: EventID(rawValue: UInt128(number)), receptionID: ReceptionID(tail: 3),
          messageKey: Token(tail: UInt64(number)), contentMac: Token(tail: UInt64(number) << 7),
          type: .interim, arrivedAt: Self.moment(Int64(number)),
          hash: RecordHashPrefix(rawValue: UInt128(number) << 64), offset: Int64(number)))
    }
    person.handoffs = (0..<count).map { number in
      var facts = HandoffFacts()
      facts.rail = Code("rail-\(number)")
      facts.needKey = Token(rawValue: UInt128(number))
      return Handoff(id: HandoffID(rawValue: UInt128(number)), current: facts)
    }
    let slot = table.insert(person.key)
    // The second is smaller again: nothing of the first may be left.
    for kept in [person, Self.person(person.key), person] {
      table.put(kept, nil, at: slot)
      #expect(table.person(at: slot) == kept)
    }
  }
}
