import HandoffCore
import TestSupport
import Testing

@Suite("Organisation register")
struct OrganisationRegisterTests {
  static func code(_ text: String) -> OrganisationID { JourneyGenerator.organisation(text) }

  static func day(_ text: String) throws -> CivilDate { try #require(CivilDate(text)) }

  static func hash(_ byte: UInt8) throws -> RecordHash {
    try #require(RecordHash(bytes: [UInt8](repeating: byte, count: 32)))
  }

  static func register(
    _ organisations: [OrganisationID: RegisteredOrganisation], isComplete: Bool = true,
    hash byte: UInt8 = 1
  ) throws -> OrganisationRegister {
    OrganisationRegister(
      version: 1, hash: try hash(byte), isComplete: isComplete, organisations: organisations)
  }

  @Test func `a code is open from its first day to its last, both included`() throws {
    let register = try Self.register([
      Self.code("QU9"): RegisteredOrganisation(
        validFrom: try Self.day("2022-07-01"), validTo: try Self.day("2026-03-31"))
    ])
    let before = register.presence(of: Self.code("QU9"), on: try Self.day("2022-06-30"))
    #expect(before == .notYetOpen)
    for day in ["2022-07-01", "2026-03-31"] {
      #expect(register.presence(of: Self.code("QU9"), on: try Self.day(day)) == .open)
    }
    let after = register.presence(of: Self.code("QU9"), on: try Self.day("2026-04-01"))
    #expect(after == .closed(after: try Self.day("2026-03-31")))
  }

  @Test(arguments: [true, false])
  func `only a whole register makes an ODS code unknown`(isComplete: Bool) throws {
    let register = try Self.register([:], isComplete: isComplete)
    let day = try Self.day("2026-11-23")
    #expect(register.presence(of: Self.code("RTH"), on: day) == (isComplete ? .unknown : .open))
    #expect(register.presence(of: .local(Token(rawValue: 9)), on: day) == .open)
  }

  @Test func `a line of successors leads to the first that is open`() throws {
    let closed = try Self.day("2024-03-31")
    let register = try Self.register([
      Self.code("A"): RegisteredOrganisation(validTo: closed, successors: [Self.code("B")]),
      Self.code("B"): RegisteredOrganisation(validTo: closed, successors: [Self.code("C")]),
      Self.code("C"): RegisteredOrganisation(),
    ])
    let day = try Self.day("2026-11-23")
    #expect(register.successor(of: Self.code("A"), on: day) == Self.code("C"))
    #expect(register.isOneLine(Self.code("A"), Self.code("C")))
    #expect(register.isOneLine(Self.code("C"), Self.code("A")))
  }

  @Test func `the place of several is that of the first that has one`() throws {
    let (north, south) = (try #require(Code("north")), try #require(Code("south")))
    let register = try Self.register([
      Self.code("A"): RegisteredOrganisation(place: north),
      Self.code("B"): RegisteredOrganisation(),
      Self.code("C"): RegisteredOrganisation(place: south),
    ])
    #expect(register.place(of: [Self.code("A"), Self.code("C")]) == north)
    #expect(register.place(of: [Self.code("B"), Self.code("C")]) == south)
    #expect(register.place(of: [nil, Self.code("A")]) == north)
    #expect(register.place(of: [Self.code("X"), Self.code("B"), nil]) == nil)
    #expect(register.place(of: []) == nil)
  }

  @Test func `two that one took over are not of one line with each other`() throws {
    let register = try Self.register([
      Self.code("A"): RegisteredOrganisation(successors: [Self.code("C")]),
      Self.code("B"): RegisteredOrganisation(successors: [Self.code("C")]),
    ])
    #expect(!register.isOneLine(Self.code("A"), Self.code("B")))
    #expect(register.isOneLine(Self.code("B"), Self.code("C")))
  }

  @Test func `successors that lead round in a ring end`() throws {
    let closed = try Self.day("2024-03-31")
    let register = try Self.register([
      Self.code("A"): RegisteredOrganisation(validTo: closed, successors: [Self.code("B")]),
      Self.code("B"): RegisteredOrganisation(validTo: closed, successors: [Self.code("A")]),
    ])
    #expect(register.successor(of: Self.code("A"), on: try Self.day("2026-11-23")) == nil)
  }

  @Test func `an agent speaks for a party and for those whose work the party took over`() throws {
    let hub = Self.code("HUB")
    let register = try Self.register([
      Self.code("OLD"): RegisteredOrganisation(successors: [Self.code("NEW")]),
      Self.code("NEW"): RegisteredOrganisation(agents: [hub]),
    ])
    #expect(register.isAgent(hub, of: Self.code("NEW")))
    #expect(register.isAgent(hub, of: Self.code("OLD")))
    #expect(!register.isAgent(Self.code("NEW"), of: hub))
  }

  @Test func `a register is in force from the record that names it`() throws {
    var scene = Scene()
    let register = try Self.register([:])
    scene.reducer.provide(register)
    let activation = RulesActivation(
      rulesVersion: 1, policyHash: Policy.default.hash, registerHash: register.hash)
    scene.apply(.rulesActivation(activation), at: 0)
    #expect(scene.reducer.state.activations.last?.registerHash == register.hash)
    #expect(scene.verdicts.isEmpty)
  }

  @Test func `a register that nobody gave us is said, and taken back`() throws {
    var scene = Scene()
    func activation(_ hash: RecordHash?) -> EventRecord.Content {
      .rulesActivation(
        RulesActivation(rulesVersion: 1, policyHash: Policy.default.hash, registerHash: hash))
    }
    scene.apply(activation(try Self.hash(9)), at: 0)
    #expect(scene.verdicts.short == ["S05 opened"])
    #expect(scene.verdicts.first?.cause == Code("register"))
    #expect(scene.reducer.missingPolicies == [try Self.hash(9)])
    scene.apply(activation(nil), at: 1)
    #expect(scene.verdicts.short == ["S05 opened", "S05 resolved"])
  }

  @Test func `state that a register judged is not put back without it`() throws {
    var scene = Scene()
    let register = try Self.register([:])
    scene.reducer.provide(register)
    scene.apply(
      .rulesActivation(
        RulesActivation(
          rulesVersion: 1, policyHash: Policy.default.hash, registerHash: register.hash)), at: 0)
    var reducer = PersonReducer(policy: .default, topic: "handoff.events.v1", partition: 0)
    #expect(throws: MissingPolicy.self) { try reducer.restore(scene.reducer.state) }
    reducer.provide(register)
    try reducer.restore(scene.reducer.state)
    #expect(reducer.state == scene.reducer.state)
  }
}
