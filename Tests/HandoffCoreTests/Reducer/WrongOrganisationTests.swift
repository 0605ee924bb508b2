import HandoffCore
import TestSupport
import Testing

@Suite("A17: wrong or closed organisation")
struct WrongOrganisationTests {
  typealias Organisation = RegisteredOrganisation

  static let hub = JourneyGenerator.organisation("HUB")
  static let heir = JourneyGenerator.organisation("NEW")

  /// A scene in which a register is in force; what it does not say is open.
  static func scene(
    _ organisations: [OrganisationID: Organisation], isComplete: Bool = false
  ) throws -> Scene {
    var policy = Policy.default
    policy.register = try OrganisationRegisterTests.register(
      organisations, isComplete: isComplete)
    return Scene(policy: policy)
  }

  static func day(_ text: String) throws -> CivilDate { try #require(CivilDate(text)) }

  static func causes(_ scene: Scene) -> [String] {
    scene.verdicts.filter { $0.action == .opened && $0.rule == .a17 }
      .map { $0.cause?.description ?? "" }
  }

  @Test func `without a register nobody is unknown`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    #expect(scene.open.isEmpty)
  }

  @Test func `a party that a whole register does not know is said at once`() throws {
    var scene = try Self.scene([Scene.gp: Organisation()], isComplete: true)
    scene.say(.handoffRequested, at: 0)
    #expect(Self.causes(scene) == ["receiver-unknown"])
    #expect(scene.verdicts.first?.severity == .high)
    #expect(
      scene.verdicts.first?.registerHash == scene.reducer.state.activations.last?.registerHash)
  }

  @Test(
    arguments: [
      ("2026-11-23", nil), ("2026-11-22", "receiver-closed-in-grace"),
      ("2026-08-25", "receiver-closed-in-grace"), ("2026-08-24", "receiver-closed"),
    ] as [(String, String?)])
  func `a closing is a warning for 90 local days, and names who took over`(
    last: String, cause: String?
  ) throws {
    var scene = try Self.scene([
      Scene.hospital: Organisation(validTo: try Self.day(last), successors: [Self.heir]),
      Self.heir: Organisation(),
    ])
    scene.say(.handoffRequested, at: 0)
    #expect(Self.causes(scene) == [cause].compactMap(\.self))
    guard let cause else { return }
    #expect(scene.verdicts.first?.severity == (cause.hasSuffix("grace") ? .low : .high))
    #expect(scene.verdicts.first?.successor == Self.heir)
  }

  @Test func `a sender may be closed, or not yet open`() throws {
    var closed = try Self.scene([Scene.gp: Organisation(validTo: try Self.day("2020-01-01"))])
    closed.say(.handoffRequested, at: 0)
    #expect(Self.causes(closed) == ["sender-closed"])
    var early = try Self.scene([Scene.gp: Organisation(validFrom: try Self.day("2030-01-01"))])
    early.say(.handoffRequested, at: 0)
    #expect(Self.causes(early) == ["sender-not-open"])
  }

  @Test func `closed is judged by when it happened, and not by when it arrived`() throws {
    var scene = try Self.scene([Scene.hospital: Organisation(validTo: try Self.day("2026-11-23"))])
    scene.say(.handoffRequested, at: 0, arriving: 3 * 1_440)
    #expect(Self.causes(scene).isEmpty)
  }

  @Test func `a letter to a council is to who may not have it`() throws {
    var scene = try Self.scene([Scene.hospital: Organisation(roles: [.council])])
    scene.say(.handoffRequested, at: 0) { $0.kind = HandoffKind("outpatient-letter") }
    #expect(Self.causes(scene) == ["receiver-role"])
    var practice = try Self.scene([Scene.hospital: Organisation(roles: [.gp])])
    practice.say(.handoffRequested, at: 0) { $0.kind = HandoffKind("outpatient-letter") }
    #expect(Self.causes(practice).isEmpty)
    var other = try Self.scene([Scene.gp: Organisation(roles: [.gp])])
    other.say(.handoffRequested, at: 0) { $0.kind = HandoffKind("ambulance-ed") }
    #expect(Self.causes(other) == ["sender-role"])
  }

  @Test(arguments: [(-1, "receiver-closed-in-grace"), (0, "receiver-closed")] as [(Int64, String)])
  func `the grace of a closing ends with the last minute of its last day`(
    minute: Int64, cause: String
  ) throws {
    // The 90 days after 24 August end as 23 November begins, nine hours before the scene.
    var scene = try Self.scene([Scene.hospital: Organisation(validTo: try Self.day("2026-08-24"))])
    scene.say(.handoffRequested, at: minute - 9 * 60, arriving: 0)
    #expect(Self.causes(scene) == [cause])
  }

  @Test func `an organisation of which the register does not say what it is may do anything`()
    throws
  {
    var scene = try Self.scene([Scene.gp: Organisation(), Scene.hospital: Organisation()])
    scene.say(.handoffRequested, at: 0) { $0.kind = HandoffKind("ambulance-ed") }
    #expect(Self.causes(scene).isEmpty)
  }

  @Test func `a kind of which the register names nobody who may take part anybody may`() throws {
    var policy = Policy.default
    var register = try OrganisationRegisterTests.register([
      Scene.gp: Organisation(roles: [.gp]), Scene.hospital: Organisation(roles: [.council]),
    ])
    register.parts[try #require(HandoffKind("gp-hospital"))] = KindParts()
    policy.register = register
    var scene = Scene(policy: policy)
    scene.say(.handoffRequested, at: 0)
    #expect(Self.causes(scene).isEmpty)
  }

  @Test func `a service takes people from its places only, where it names any`() throws {
    let (here, there) = (JourneyGenerator.code("oxfordshire"), JourneyGenerator.code("bucks"))
    var scene = try Self.scene([
      Scene.gp: Organisation(place: there), Scene.hospital: Organisation(catchment: [here]),
    ])
    scene.say(.handoffRequested, at: 0)
    #expect(Self.causes(scene) == ["outside-catchment"])
    var near = try Self.scene([
      Scene.gp: Organisation(place: here), Scene.hospital: Organisation(catchment: [here]),
    ])
    near.say(.handoffRequested, at: 0)
    #expect(Self.causes(near).isEmpty)
  }

  @Test func `an amendment to the right place ends it, and another leaves the episode`() throws {
    var scene = try Self.scene([Scene.gp: Organisation()], isComplete: true)
    scene.say(.handoffRequested, at: 0)
    scene.say(.handoffAmended, at: 1)
    #expect(scene.verdicts.short == ["A17 opened"])
    scene.say(.handoffAmended, at: 2, id: 99) { $0.to = Party(organisation: Scene.gp) }
    #expect(scene.verdicts.short == ["A17 opened", "A17 resolved"])
  }

  @Test func `a practice whose code is not known cannot be reached, register or not`() throws {
    // A whole register that does not have the code has nothing to add.
    for scene in [Scene(), try Self.scene([Scene.gp: Organisation()], isComplete: true)] {
      var scene = scene
      scene.say(.handoffRequested, at: 0) {
        $0.to = Party(organisation: JourneyGenerator.organisation("V81999"))
      }
      #expect(Self.causes(scene) == ["no-practice"])
    }
  }

  @Test(
    arguments: [
      ("mesh:12", "mailbox-unregistered"), ("mesh:17", "workflow-unregistered"),
      ("itk:20002", "receiver-unrecognised"), ("itk:20003", "sender-unrecognised"),
      ("itk:20012", "sender-unauthorised"), ("mesh:11", nil),
    ] as [(String, String?)])
  func `a transport that knows no such party says so`(reason: String, cause: String?) {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.transportFailed, at: 1) { $0.reason = Code(reason) }
    #expect(Self.causes(scene) == [cause].compactMap(\.self))
    scene.say(.disposition, at: 2)
    #expect(!scene.open.contains(.a17))
  }

  @Test func `a successor and a registered agent speak for the party`() throws {
    for speaker in [Self.heir, Self.hub] {
      var scene = try Self.scene([
        Scene.hospital: Organisation(successors: [Self.heir], agents: [Self.hub])
      ])
      scene.say(.handoffRequested, at: 0)
      scene.say(.accepted, at: 1) { $0.spokenBy = speaker }
      #expect(scene.state == .accepted)
      #expect(scene.open.isEmpty)
    }
  }

  @Test func `what an agent accepts its party has, so that both are one acceptance`() throws {
    var scene = try Self.scene([Scene.hospital: Organisation(agents: [Self.hub])])
    scene.say(.handoffRequested, at: 0)
    scene.say(.accepted, at: 1) { $0.spokenBy = Self.hub }
    #expect(scene.facts?.acceptedBy == Scene.hospital)
    scene.say(.accepted, at: 2, id: 77)
    scene.tick(at: 200)
    #expect(!scene.verdicts.map(\.rule).contains(.a05))
  }

  @Test(arguments: [EventType.accepted, .started])
  func `what an agent accepts that was asked of nobody is its party's to take up`(
    word: EventType
  ) throws {
    var scene = try Self.scene([Scene.hospital: Organisation(agents: [Self.hub])])
    scene.say(.handoffRequested, at: 0) { $0.to = nil }
    scene.say(.accepted, at: 1) { $0.spokenBy = Self.hub }
    scene.say(word, at: 2, id: 77)
    scene.tick(at: 200)
    #expect(!scene.verdicts.map(\.rule).contains(.a05))
  }

  @Test func `two homes for which one hub accepts are two acceptances of one need`() throws {
    var scene = try Self.scene([
      Scene.hospital: Organisation(agents: [Self.hub]),
      Scene.stranger: Organisation(agents: [Self.hub]),
    ])
    for (number, home) in [Scene.hospital, Scene.stranger].enumerated() {
      let handoff = HandoffID(rawValue: UInt128(20 + number))
      scene.say(.handoffRequested, at: 0, id: UInt128(300 + number), handoff: handoff) {
        $0.to = Party(organisation: home)
        $0.needKey = Token(rawValue: 5)
      }
      scene.say(.accepted, at: 1, id: UInt128(400 + number), handoff: handoff) {
        $0.spokenBy = Self.hub
        $0.to = Party(organisation: home)
      }
    }
    scene.tick(at: 130)
    #expect(scene.open.contains(.a05))
  }

  @Test func `a successor's acceptance beside its forerunner's is none of two`() throws {
    var scene = try Self.scene([Scene.hospital: Organisation(successors: [Self.heir])])
    scene.say(.handoffRequested, at: 0)
    scene.say(.accepted, at: 1)
    scene.say(.accepted, at: 2, id: 77) { $0.spokenBy = Self.heir }
    scene.tick(at: 200)
    #expect(!scene.verdicts.map(\.rule).contains(.a05))
  }

  @Test func `one that is neither is heard as before`() throws {
    var scene = try Self.scene([Scene.hospital: Organisation(successors: [Self.heir])])
    scene.say(.handoffRequested, at: 0)
    scene.say(.rejected, at: 1) { $0.spokenBy = Scene.stranger }
    #expect(Self.causes(scene) == ["no-party"])
    #expect(scene.state == .requested)
  }
}
