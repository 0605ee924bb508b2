package import HandoffCore

extension SourceState: WireMessage {
  package static var wireName: StaticString { "baton.handoff.v1.SourceState" }

  package func write(to writer: inout ProtobufWriter) {
    writer.code(1, source)
    writer.numbered(2, condition)
    writer.timestamp(3, completeUpTo)
    writer.timestamp(50, since)
  }

  package init(reading reader: inout ProtobufReader) throws(WireError) {
    var source: Code?
    var condition: Condition?
    var completeUpTo: Timestamp?
    var since: Timestamp?
    while let number = try reader.nextField() {
      switch number {
      case 1: source = try reader.code("source")
      case 2: condition = try reader.numbered("condition")
      case 3: completeUpTo = try reader.timestamp("complete_up_to")
      case 50: since = try reader.timestamp("since")
      default: try reader.skip()
      }
    }
    guard let source else { throw reader.missing("source") }
    guard let condition else { throw reader.missing("condition") }
    self.init(source: source, condition: condition, completeUpTo: completeUpTo, since: since)
  }
}

extension RulesActivation: WireMessage {
  /// The key under which the config topic keeps what a person activated last.
  package static let lastKey = "activated"

  package static var wireName: StaticString { "baton.handoff.v1.RulesActivation" }

  package func write(to writer: inout ProtobufWriter) {
    writer.unsigned(1, rulesVersion)
    writer.hash(2, policyHash)
    writer.code(3, profile)
    writer.flag(4, isCommanded)
    writer.hash(60, registerHash)
  }

  package init(reading reader: inout ProtobufReader) throws(WireError) {
    var rulesVersion: UInt32 = 0
    var policyHash: RecordHash?
    var profile: Code?
    var registerHash: RecordHash?
    var isCommanded = false
    while let number = try reader.nextField() {
      switch number {
      case 1: rulesVersion = try reader.unsigned(UInt32.self, "rules_version")
      case 2: policyHash = try reader.hash("policy_hash")
      case 3: profile = try reader.code("profile")
      case 60: registerHash = try reader.hash("register_hash")
      case 4: isCommanded = try reader.flag()
      default: try reader.skip()
      }
    }
    guard rulesVersion > 0 else { throw reader.missing("rules_version") }
    guard let policyHash else { throw reader.missing("policy_hash") }
    self.init(
      rulesVersion: rulesVersion, policyHash: policyHash, profile: profile,
      registerHash: registerHash, isCommanded: isCommanded)
  }
}

/// Carries nothing but the broker's timestamp of its record.
package struct Tick: WireMessage, Hashable {
  package static var wireName: StaticString { "baton.handoff.v1.Tick" }

  package init() {}
  package func write(to writer: inout ProtobufWriter) {}
  package init(reading reader: inout ProtobufReader) throws(WireError) {
    while try reader.nextField() != nil { try reader.skip() }
  }
}
