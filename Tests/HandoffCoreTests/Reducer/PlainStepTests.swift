import TestSupport
import Testing

@testable import HandoffCore

/// The plain step by itself; that it is what judging the whole person gives, every test of the reducer
/// finds out, because builds with assertions compare the two.
@Suite struct PlainStepTests {
  private var table = PersonTable()
  private var books = Books()
  private var slot: UInt32

  init() {
    var table = PersonTable()
    slot = table.insert(Scene.key)
    self.table = table
  }

  private mutating func step(
    _ type: EventType, at minute: Int64, id: UInt128? = nil,
    _ change: (inout HandoffEvent) -> Void = { _ in }
  ) -> Bool {
    var event = Scene.event(type, id: id, at: minute)
    event.receptionID = ReceptionID(rawValue: UInt128(UInt64(minute)) + 1_000)
    change(&event)
    let witness = Witness(
      eventID: event.id, hash: RecordHashPrefix(rawValue: event.id.rawValue),
      arrivedAt: Scene.minutes(minute), occurredAt: event.occurredAt, offset: minute)
    return table.stepPlainly(
      HeldEvent(event), witness, by: PlainRules(policies: [.default], inForce: 0), books: &books,
      at: slot)
  }

  private var state: HandoffState? { table.person(at: slot).handoffs.first?.current.state }

  @Test func `a handoff is taken from its request to its start without a person being made`() {
    let steps: [(EventType, HandoffState)] = [
      (.handoffRequested, .requested), (.transportAccepted, .inTransit), (.received, .received),
      (.accepted, .accepted), (.booked, .booked), (.started, .started),
    ]
    var test = self
    for (number, (type, state)) in steps.enumerated() {
      // Some within the window of the one before, some after it has settled.
      let isTaken = test.step(type, at: Int64(number * number * 3))
      #expect(isTaken, "\(type)")
      #expect(test.state == state)
      #expect(test.table.nextDue(at: test.slot) != nil)
    }
    #expect(test.table.person(at: test.slot).seen.count == steps.count)
    #expect(test.books.total.requested == 1 && test.books.total[.open] == 1)
  }

  @Test func `a handoff of which there are many words is judged as the whole person would be`() {
    var reducer = PersonReducer(policy: .default, topic: "handoff.events.v1", partition: 0)
    // A booking is changed, so that marks are taken away; then so many words that they fill more than
    // a writer holds at once. What each step gives is compared where assertions are on.
    let types: [EventType] =
      [.handoffRequested, .transportAccepted, .received, .accepted, .booked, .booked, .started]
      + Array(repeating: .interim, count: 150)
    for (number, type) in types.enumerated() {
      let minute = Int64(number * 20)
      var event = Scene.event(type, id: UInt128(number) + 100, at: minute)
      event.contentMac = Token(rawValue: UInt128(number) + 500)
      event.receptionID = ReceptionID(rawValue: UInt128(number) + 1_000)
      if type == .booked { event.bookedFor = Scene.minutes(9_000 + minute) }
      let record = EventRecord(
        content: .event(event), brokerAt: Scene.minutes(minute),
        coordinates: RecordCoordinates(
          topic: "handoff.events.v1", partition: 0, offset: Int64(number)),
        hash: RecordHash(high: UInt128(number), low: 0))
      #expect(reducer.apply(record).isEmpty)
    }
    let person = reducer.person(for: Scene.key)
    #expect(person?.seen.count == types.count)
    #expect(person?.handoffs.first?.current.state == .started)
    #expect(person?.handoffs.first?.current.bookedFor == Scene.minutes(9_100))
  }

  @Test func `what may be a repeat is left to be judged whole`() {
    var test = self
    let isFirst = test.step(.handoffRequested, at: 0) { $0.messageKey = Token(rawValue: 5) }
    #expect(isFirst)
    let before = test.table.packed(at: test.slot)
    let changes: [(inout HandoffEvent) -> Void] = [
      { $0.id = Scene.event(.handoffRequested).id },
      { $0.contentMac = Scene.event(.handoffRequested).contentMac },
      { $0.messageKey = Token(rawValue: 5) },
      { $0.messageKey = Token(rawValue: 1 << 64 | 5) },
    ]
    for change in changes {
      let isTaken = test.step(.received, at: 20, change)
      #expect(!isTaken)
    }
    #expect(test.table.packed(at: test.slot) == before)
  }

  @Test func `what ends, refers to another handoff or is out of turn is left to be judged whole`() {
    var test = self
    let isFirst = test.step(.handoffRequested, at: 0)
    #expect(isFirst)
    let (before, books) = (test.table.packed(at: test.slot), test.books)
    let isEndTaken = test.step(.rejected, at: 20)
    let isOtherTaken = test.step(.received, at: 20) { $0.handoffID = HandoffID(rawValue: 8) }
    let isUnlinkedTaken = test.step(.received, at: 20) { $0.handoffID = nil }
    let isStrangerTaken = test.step(.received, at: 20) { $0.spokenBy = Scene.stranger }
    let isIllegalTaken = test.step(.feedbackSent, at: 20)
    let isLateTaken = test.step(.received, at: 60 * 24 * 30)
    #expect(!isEndTaken && !isOtherTaken && !isUnlinkedTaken)
    #expect(!isStrangerTaken && !isIllegalTaken && !isLateTaken)
    #expect(test.table.packed(at: test.slot) == before && test.books == books)
  }

  @Test func `of somebody of whom more is remembered everything is judged whole`() {
    var test = self
    let isFirst = test.step(.handoffRequested, at: 0)
    #expect(isFirst)
    let plain = test.table.person(at: test.slot)
    let witness = plain.handoffs[0].current.marks[0].witness
    var others: [Person] = []
    for change: (inout Person) -> Void in [
      { $0.unlinkedCount = 1 }, { $0.readinessSaid = witness },
      { $0.dischargeReadyAt = Scene.nine },
      { $0.handoffs.append(Handoff(id: HandoffID(rawValue: 9), current: HandoffFacts())) },
      {
        $0.stay = [
          StayMark(
            type: .patientDied, witness: witness, saidBy: nil, pathway: nil, readyAt: nil,
            isRetraction: false)
        ]
      },
    ] {
      var person = plain
      change(&person)
      others.append(person)
    }
    for person in others {
      test.table.put(person, nil, at: test.slot)
      let isTaken = test.step(.received, at: 20)
      #expect(!isTaken)
    }
    test.table.put(plain, nil, at: test.slot)
    let isTaken = test.step(.received, at: 20)
    #expect(isTaken)
  }

  @Test func `of ids that are only compared the low halves are kept, and compared`() throws {
    var test = self
    let isTaken = test.step(.handoffRequested, at: 0) {
      $0.receptionID = ReceptionID(rawValue: 3 << 64 | 4)
      $0.messageKey = Token(rawValue: 5 << 64 | 6)
      $0.contentMac = Token(rawValue: 7 << 64 | 8)
    }
    #expect(isTaken)
    let seen = try #require(test.table.person(at: test.slot).seen.first)
    #expect(seen.receptionID.rawValue == 4 && seen.messageKey?.rawValue == 6)
    #expect(seen.contentMac.rawValue == 8)
    #expect(seen.eventID == Scene.event(.handoffRequested).id)
    var scene = Scene()
    scene.say(.handoffRequested, at: 0) { $0.receptionID = ReceptionID(rawValue: 3 << 64 | 4) }
    scene.say(.handoffRequested, at: 1) { $0.receptionID = ReceptionID(rawValue: 3 << 64 | 4) }
    #expect(scene.reducer.state.books.redeliveredCount == 1)
    scene.say(.handoffRequested, at: 2) { $0.receptionID = ReceptionID(rawValue: 3 << 64 | 5) }
    #expect(scene.open == [.a01])
  }
}
