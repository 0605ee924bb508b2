package import HandoffCore

/// What the config topic holds: every policy and every register that was ever put in force.
package struct RulesOnLog: Sendable {
  package var policies: [Policy]
  package var registers: [OrganisationRegister]

  package init(policies: [Policy] = [], registers: [OrganisationRegister] = []) {
    self.policies = policies
    self.registers = registers
  }

  package var hashes: Set<RecordHash> {
    Set(policies.map(\.hash)).union(registers.map(\.hash))
  }

  /// Makes all of it known to a reducer.
  package func provide(to reducer: inout PersonReducer) {
    for policy in policies { reducer.provide(policy) }
    for register in registers { reducer.provide(register) }
  }
}

extension RulesActivation {
  /// What has to be known to follow it.
  var hashes: Set<RecordHash> {
    var hashes: Set = [policyHash]
    if let registerHash { hashes.insert(registerHash) }
    return hashes
  }
}

/// A register and the bytes it was read from, which the config topic keeps.
package struct RegisterSource: Sendable {
  package var register: OrganisationRegister
  package var bytes: [UInt8]

  package init(register: OrganisationRegister, bytes: [UInt8]) {
    self.register = register
    self.bytes = bytes
  }
}
