import HandoffCodecs
import HandoffCore
import HandoffStores
import Testing

/// What the config topic keeps, as an auditor finds it.
@Suite struct `A record of the rules` {
  private static func type(_ key: String, _ value: [UInt8]?) -> String {
    let record = AuditRecord(
      log: AuditLogName(topic: "handoff.config.v1", partition: 0), offset: 0, brokerTimeMs: 0,
      key: Array(key.utf8), headers: [], value: value)
    return AuditDescription.ofWire(record).type
  }

  private static func hash(_ bytes: [UInt8]) -> String { WireCodec.recordHash(bytes).description }

  @Test func `is a policy, a register, or what was activated last`() {
    let policy = Array(PolicyDocument.render(.default).utf8)
    let register = Array("format: baton.register.v1\norganisations: []\n".utf8)
    let activation = RulesActivation(rulesVersion: 3, policyHash: Policy.default.hash)
    #expect(Self.type(Self.hash(policy), policy) == "Policy")
    #expect(Self.type(Self.hash(register), register) == "Register")
    #expect(Self.type("activated", activation.protobuf) == "Activated")
    for type in ["Policy", "register", "activated"] {
      #expect(AuditDescription.type(meantBy: type) != nil)
    }
  }

  @Test func `is unknown where its bytes are not what its key says`() {
    let policy = Array(PolicyDocument.render(.default).utf8)
    #expect(Self.type(Self.hash(policy), policy + [0x20]) == "unknown")
    #expect(Self.type("activated", [0xFF]) == "unknown")
    #expect(Self.type(Self.hash(policy), nil) == "unknown")
  }
}
