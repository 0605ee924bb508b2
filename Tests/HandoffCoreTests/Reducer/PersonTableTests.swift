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
}
