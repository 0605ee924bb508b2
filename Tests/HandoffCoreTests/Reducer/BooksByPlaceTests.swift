import HandoffCore
import TestSupport
import Testing

@Suite("Books by place")
struct BooksByPlaceTests {
  private static let here = JourneyGenerator.code("bucks")

  /// The practice has a place, the hospital none.
  private static func scene() throws -> Scene {
    var policy = Policy.default
    policy.register = try OrganisationRegisterTests.register(
      [Scene.gp: RegisteredOrganisation(place: here), Scene.hospital: RegisteredOrganisation()],
      isComplete: false)
    return Scene(policy: policy)
  }

  /// The same people and books, as a reducer has them that restored what another one stored.
  private static func restored(
    _ scene: Scene, _ change: (inout PartitionState) -> Void
  ) throws -> Scene {
    var restored = try Self.scene()
    var state = scene.reducer.state
    change(&state)
    try restored.reducer.restore(state)
    try restored.reducer.restore(try #require(scene.reducer.person(for: Scene.key)))
    try restored.reducer.takeStock { _ in }
    return restored
  }

  @Test func `a handoff goes from bucket to bucket on the page of its sender's place`() throws {
    var scene = try Self.scene()
    scene.say(.handoffRequested, at: 0)
    #expect(scene.reducer.state.books.byPlace[Self.here]?[.open] == 1)
    scene.say(.accepted, at: 1)
    scene.say(.cancelled, at: 2)
    #expect(scene.reducer.state.books.byPlace[Self.here]?[.open] == 0)
    #expect(scene.reducer.state.books.byPlace[Self.here]?.requested == 1)
    #expect(scene.reducer.state.books.isBalanced)
  }

  @Test func `books without places are filed by those who are remembered`() throws {
    var before = try Self.scene()
    before.say(.handoffRequested, at: 0, id: 1, handoff: HandoffID(rawValue: 1))
    before.say(.handoffRequested, at: 1, id: 2, handoff: HandoffID(rawValue: 2))
    var scene = try Self.restored(before) { $0.books.byPlace = [nil: $0.books.total] }
    #expect(scene.reducer.state.books == before.reducer.state.books.withAnEmptyPageOfNoPlace)
    scene.say(.handoffAmended, at: 2, id: 3, handoff: HandoffID(rawValue: 1)) {
      $0.kind = HandoffKind("community-bed")
    }
    #expect(scene.reducer.state.books.isBalanced)
    #expect(scene.reducer.state.books.byPlace[Self.here]?[.open] == 2)
  }

  @Test func `what stands on another page, or on that of none, is filed where it belongs`() throws {
    let there = JourneyGenerator.code("oxon")
    for wrong in [nil, there] as [Code?] {
      var before = try Self.scene()
      before.say(.handoffRequested, at: 0, id: 1, handoff: HandoffID(rawValue: 1))
      before.say(.handoffRequested, at: 1, id: 2, handoff: HandoffID(rawValue: 2))
      before.say(.cancelled, at: 2, id: 3, handoff: HandoffID(rawValue: 2))
      let right = before.reducer.state.books
      // One of the two is filed, the other is not, and elsewhere is one that was forgotten.
      var scene = try Self.restored(before) { state in
        state.books.byPlace[Self.here]?[.open] = 0
        state.books.byPlace[Self.here]?.requested -= 1
        state.books.byPlace[wrong, default: Ledger()].requested += 1
        state.books.byPlace[wrong]?[.open] += 1
        state.books.byPlace[there, default: Ledger()].requested += 1
        state.books.byPlace[there]?[.rejected] += 1
        state.books.total.requested += 1
        state.books.total[.rejected] += 1
      }
      #expect(scene.reducer.state.books.byPlace[Self.here] == right.byPlace[Self.here])
      #expect(scene.reducer.state.books.byPlace[there]?.requested == 1)
      scene.say(.cancelled, at: 3, id: 4, handoff: HandoffID(rawValue: 1))
      let pages = scene.reducer.state.books.byPlace
      #expect(pages[Self.here]?[.cancelled] == 2 && pages[Self.here]?[.open] == 0)
      let areBalanced = pages.values.allSatisfy(\.isBalanced)
      #expect(areBalanced)
    }
  }

  /// The pages, once two open handoffs are filed of which the second came by a transfer.
  private static func filed(_ pages: [Code?: Ledger]) throws -> [Code?: Ledger] {
    var before = try Self.scene()
    before.say(.handoffRequested, at: 0, id: 1, handoff: HandoffID(rawValue: 1))
    before.say(.handoffRequested, at: 1, id: 2, handoff: HandoffID(rawValue: 2))
    var state = before.reducer.state
    var person = try #require(before.reducer.person(for: Scene.key))
    person.handoffs[1].isTransferred = true
    state.books.byPlace = pages
    var scene = try Self.scene()
    try scene.reducer.restore(state)
    try scene.reducer.restore(person)
    try scene.reducer.takeStock { _ in }
    return scene.reducer.state.books.byPlace
  }

  @Test func `what came by a request is filed as such beside what came by a transfer`() throws {
    let there = JourneyGenerator.code("oxon")
    // The one that came by a transfer is filed; the other stands elsewhere, beside one like the first
    // that was forgotten.
    var (page, other) = (Ledger(), Ledger())
    (page.transferredIn, page[.open]) = (1, 1)
    (other.requested, other.transferredIn, other[.open], other[.rejected]) = (1, 1, 1, 1)
    let pages = try Self.filed([Self.here: page, there: other])
    #expect(pages[Self.here]?.requested == 1 && pages[Self.here]?.transferredIn == 1)
    #expect(pages[there]?.requested == 0 && pages[there]?.transferredIn == 1)
    let areBalanced = pages.values.allSatisfy(\.isBalanced)
    #expect(areBalanced)
  }

  @Test func `what came by a transfer is filed as such beside what came by a request`() throws {
    let there = JourneyGenerator.code("oxon")
    // Both stand elsewhere, beside one that was requested and forgotten.
    var other = Ledger()
    (other.requested, other.transferredIn, other[.open], other[.rejected]) = (2, 1, 2, 1)
    let pages = try Self.filed([there: other])
    #expect(pages[Self.here]?.requested == 1 && pages[Self.here]?.transferredIn == 1)
    #expect(pages[there]?.requested == 1 && pages[there]?.transferredIn == 0)
    let areBalanced = pages.values.allSatisfy(\.isBalanced)
    #expect(areBalanced)
  }

  @Test func `what two pages lack is taken from the one that has too many`() throws {
    let there = JourneyGenerator.code("oxon")
    var before = try Self.scene()
    before.say(.handoffRequested, at: 0, id: 1, handoff: HandoffID(rawValue: 1))
    before.say(.handoffRequested, at: 1, id: 2, handoff: HandoffID(rawValue: 2)) {
      $0.from = Party(organisation: Scene.stranger)
    }
    let right = before.reducer.state.books.byPlace
    let scene = try Self.restored(before) { state in
      var all = Ledger()
      (all.requested, all[.open]) = (2, 2)
      state.books.byPlace = [nil: Ledger(), Self.here: Ledger(), there: all]
    }
    let pages = scene.reducer.state.books.byPlace
    #expect(pages[nil] == right[nil] && pages[Self.here] == right[Self.here])
    #expect(pages[there] == Ledger() && right.count == 2)
  }

  @Test func `places beyond the limit share the page of none, and it balances`() throws {
    var before = try Self.scene()
    before.say(.discharged, at: 0, handoff: nil)
    var scene = try Self.restored(before) { state in
      for number in 0..<Books.placeCountMax {
        state.books.byPlace[JourneyGenerator.code("place-\(number)")] = Ledger()
      }
    }
    scene.say(.handoffRequested, at: 1)
    let pages = scene.reducer.state.books.byPlace
    #expect(pages[Self.here] == nil && pages[nil]?[.open] == 1)
    scene.say(.cancelled, at: 2)
    #expect(scene.reducer.state.books.byPlace[nil]?[.open] == 0)
    #expect(scene.reducer.state.books.isBalanced)
  }
}

extension Books {
  fileprivate var withAnEmptyPageOfNoPlace: Books {
    var books = self
    books.byPlace[nil, default: Ledger()].requested += 0
    return books
  }
}
