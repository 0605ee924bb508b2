import HandoffCore
import TestSupport
import Testing

@Suite struct `A policy of sources` {
  /// As the default, with a maintenance window until ten.
  private static func other() throws -> Policy {
    var policy = Policy.default
    policy.hash = try OrganisationRegisterTests.hash(4)
    var source = SourcePolicy()
    source.maintenance = [.once(from: SourceScene.seconds(0), to: SourceScene.seconds(3600))]
    policy.sources[SourceScene.code] = source
    return policy
  }

  @Test func `that is activated judges from then on, what is armed already too`() throws {
    var scene = SourceScene()
    let policy = try Self.other()
    let activation = RulesActivation(rulesVersion: 1, policyHash: policy.hash)
    scene.reducer.provide(policy)
    scene.beat(at: 0)
    scene.apply(.rulesActivation(activation), at: 10)
    #expect(scene.reducer.state.activation == activation)
    #expect(scene.tick(at: 3600 + 179).isEmpty)
    let said = scene.tick(at: 3600 + 180)
    #expect(said.short == ["A18 opened"] && said.first?.policyHash == policy.hash)
  }

  @Test func `that shortens a time ends what it would have ended, when it would have`() throws {
    var scene = SourceScene()
    var policy = try Self.other()
    policy.windows.repeats = .minutes(30)
    scene.reducer.provide(policy)
    scene.receive(at: 0) { $0.isTimeDoubtful = true }
    let activation = RulesActivation(rulesVersion: 1, policyHash: policy.hash)
    scene.apply(.rulesActivation(activation), at: 3000)
    let said = scene.tick(at: 3001)
    #expect(said.short == ["A19 resolved"])
    #expect(said.first?.resolvedAt == SourceScene.seconds(1800))
  }

  @Test func `is under the profile that is switched on, also after a restart`() throws {
    var policy = try Self.other()
    let winter = try #require(Code("winter"))
    policy.profiles = [PolicyProfile(name: winter, windows: ["orphan": .hours(2)])]
    var scene = SourceScene()
    scene.reducer.provide(policy)
    scene.apply(
      .rulesActivation(
        RulesActivation(rulesVersion: 1, policyHash: policy.hash, profile: winter)), at: 10)
    var restored = SourceScene()
    restored.reducer.provide(policy)
    try restored.reducer.restore(scene.reducer.state)
    for var each in [scene, restored] {
      let orphan = SourceOrphan(
        source: SourceScene.code, receptionID: ReceptionID(rawValue: 1),
        reference: Token(rawValue: 1), system: JourneyGenerator.code("MSH-10"),
        receivedAt: SourceScene.seconds(20), isResolved: false, at: SourceScene.seconds(20))
      let said = try #require(each.say(.orphan(orphan), at: 90_000).first)
      #expect(said.rule == .a13 && said.profile == winter)
      #expect(said.opened == SourceScene.seconds(20 + 900 + 7200))
    }
  }

  @Test func `that nobody has is said, and the one before judges on`() throws {
    var scene = SourceScene()
    let hash = try OrganisationRegisterTests.hash(9)
    let activation = RulesActivation(rulesVersion: 1, policyHash: hash)
    scene.beat(at: 0)
    #expect(scene.apply(.rulesActivation(activation), at: 10).short == ["S05 opened"])
    #expect(scene.reducer.missingPolicies == [hash])
    #expect(scene.reducer.state.activation == activation)
    // The same again is our own redelivery.
    #expect(scene.apply(.rulesActivation(activation), at: 11).isEmpty)
    #expect(scene.tick(at: 180).short == ["A18 opened"])
  }

  @Test func `that nobody has, named by what is taken back, is missed no more`() throws {
    var scene = SourceScene()
    let hashes = [try OrganisationRegisterTests.hash(8), try OrganisationRegisterTests.hash(9)]
    let activations = hashes.map { RulesActivation(rulesVersion: 1, policyHash: $0) }
    scene.apply(.rulesActivation(activations[0]), at: 10)
    scene.reducer.beginBatch()
    scene.apply(.rulesActivation(activations[1]), at: 11)
    #expect(scene.reducer.missingPolicies == hashes)
    scene.reducer.rollBackBatch()
    #expect(scene.reducer.missingPolicies == [hashes[0]])
  }
}
