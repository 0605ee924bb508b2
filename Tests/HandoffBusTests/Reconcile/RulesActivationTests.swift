import HandoffCore
import Testing

@testable import HandoffBus

@Suite struct `A switch to the rules of this program` {
  private static let here = PersonReducer.rulesVersion

  private func activation(_ version: UInt32) -> RulesActivation {
    RulesActivation(
      rulesVersion: version, policyHash: Policy.default.hash, profile: Code("winter"),
      isCommanded: true)
  }

  @Test func `is needed where the log names older ones, and switches nothing else`() {
    #expect(activation(Self.here - 1).underTheRulesHere == activation(Self.here))
  }

  @Test func `is not made where the log names these or newer ones`() {
    #expect(activation(Self.here).underTheRulesHere == activation(Self.here))
    #expect(activation(Self.here + 1).underTheRulesHere == activation(Self.here + 1))
  }
}
