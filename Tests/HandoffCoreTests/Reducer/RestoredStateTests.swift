import HandoffCore
import TestSupport
import Testing

/// What is put back into a reducer, and what a batch that is taken back leaves of policies.
@Suite struct RestoredStateTests {
  private static func activation(_ hash: RecordHash, register: RecordHash? = nil)
    -> RulesActivation
  {
    RulesActivation(rulesVersion: 1, policyHash: hash, registerHash: register)
  }

  @Test func `state in which no policy was ever in force puts back nothing`() throws {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    let before = scene.reducer.state
    try scene.reducer.restore(PartitionState(activations: []))
    #expect(scene.reducer.state == before)
  }

  @Test func `a person judged by a policy that was never in force here is refused`() throws {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    var person = try #require(scene.reducer.person(for: Scene.key))
    try scene.reducer.restore(person)
    // The first that is not there.
    person.handoffs[0].current.policy = UInt16(scene.reducer.state.activations.count)
    #expect(throws: UnknownActivation.self) { try scene.reducer.restore(person) }
    person.handoffs[0].current.policy = 0
    _ = scene.stay(.readyForDischarge, at: 1)
    var ready = try #require(scene.reducer.person(for: Scene.key))
    try scene.reducer.restore(ready)
    ready.stay[0].policy = UInt16(scene.reducer.state.activations.count)
    #expect(throws: UnknownActivation.self) { try scene.reducer.restore(ready) }
  }

  @Test func `state without a register is put back without one, whatever the policy came with`()
    throws
  {
    var policy = Policy.default
    policy.register = try OrganisationRegisterTests.register([:])
    var scene = Scene(policy: policy)
    scene.apply(.rulesActivation(Self.activation(policy.hash)), at: 0)
    #expect(scene.reducer.registerInForce == nil)
    var reducer = PersonReducer(policy: policy, topic: "handoff.events.v1", partition: 0)
    #expect(reducer.registerInForce != nil)
    try reducer.restore(scene.reducer.state)
    #expect(reducer.registerInForce == nil)
  }

  @Test func `a batch that is taken back takes back what it missed, and nothing before it`() throws
  {
    let (first, second) = (
      try OrganisationRegisterTests.hash(8), try OrganisationRegisterTests.hash(9)
    )
    var scene = Scene()
    scene.apply(.rulesActivation(Self.activation(first)), at: 0)
    scene.reducer.beginBatch()
    scene.apply(.rulesActivation(Self.activation(second)), at: 1)
    #expect(scene.reducer.missingPolicies == [first, second])
    scene.reducer.rollBackBatch()
    #expect(scene.reducer.missingPolicies == [first])
  }

  @Test func `of policy and register the one that is not known is named`() throws {
    let (unknown, register) = (
      try OrganisationRegisterTests.hash(8), try OrganisationRegisterTests.hash(9)
    )
    var scene = Scene()
    for (policy, missing) in [(unknown, unknown), (Policy.default.hash, register)] {
      let state = PartitionState(activations: [Self.activation(policy, register: register)])
      let error = #expect(throws: MissingPolicy.self) { try scene.reducer.restore(state) }
      #expect(error?.hash == missing)
    }
  }

  @Test func `a batch begins with nothing to be written`() {
    var region = Region()
    region.isPrompt = false
    var event = Scene.event(.patientMerged, id: 70, handoff: nil)
    (event.patientKey, event.newPatientKey) = (Region.a, Region.b)
    let record = JourneyGenerator.record(.event(event), at: Scene.nine, offset: 0)
    _ = region.reducers[1].apply(record)
    region.reducers[1].beginBatch()
    #expect(region.reducers[1].takeOutgoing().isEmpty)
  }
}
