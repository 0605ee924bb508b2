package import HandoffCore

extension PersonTransfer: WireMessage {
  package static var wireName: StaticString { "baton.handoff.v1.PersonTransfer" }

  package func write(to writer: inout ProtobufWriter) {
    writer.identifier(1, id)
    writer.patientKey(2, to)
    for key in path { writer.patientKey(3, key) }
    writer.witness(4, cause)
    writer.flag(5, isMerge)
    writer.nested(6) { person.write(to: &$0) }
    for activation in activations { writer.nested(7) { activation.write(to: &$0) } }
    writer.unsigned(8, rulesVersion)
  }

  package init(reading reader: inout ProtobufReader) throws(WireError) {
    var id: EventID?
    var to: PatientKey?
    var path: [PatientKey] = []
    var cause: Witness?
    var isMerge = false
    var person: Person?
    var activations: [RulesActivation] = []
    var rulesVersion: UInt32 = 0
    while let number = try reader.nextField() {
      switch number {
      case 1: id = try reader.identifier("transfer_id")
      case 2: to = try reader.patientKey("to")
      case 3: try path.append(from: &reader)
      case 4: cause = try reader.witness("cause")
      case 5: isMerge = try reader.flag()
      case 6:
        var nested = try reader.nested("PersonState")
        person = try Person(reading: &nested)
      case 7:
        var nested = try reader.nested("RulesActivation")
        activations.append(try RulesActivation(reading: &nested))
      case 8: rulesVersion = try reader.unsigned(UInt32.self, "rules_version")
      default: try reader.skip()
      }
    }
    guard let id else { throw reader.missing("transfer_id") }
    guard let to else { throw reader.missing("to") }
    guard let cause else { throw reader.missing("cause") }
    guard let person else { throw reader.missing("person") }
    self.init(
      id: id, to: to, path: path, cause: cause, isMerge: isMerge, person: person,
      activations: activations, rulesVersion: rulesVersion)
  }
}

extension KeyLink {
  func write(to writer: inout ProtobufWriter) {
    writer.numbered(1, direction)
    writer.patientKey(2, key)
    writer.identifier(3, transferID)
    for key in path { writer.patientKey(4, key) }
    writer.flag(5, isMerge)
    writer.witness(6, cause)
    writer.hash(7, recordHash)
    writer.flag(8, hadOpenOnBoth)
    writer.unsigned(9, rulesVersion)
    // Read by versions 3 and 4 of the rules only.
    writer.flag(180, rulesVersion != 0)
  }

  init(reading reader: inout ProtobufReader) throws(WireError) {
    var direction: Direction?
    var key: PatientKey?
    var transferID: EventID?
    var path: [PatientKey] = []
    var isMerge = false
    var cause: Witness?
    var recordHash: RecordHash?
    var hadOpenOnBoth = false
    var rulesVersion: UInt32 = 0
    while let number = try reader.nextField() {
      switch number {
      case 1: direction = try reader.numbered("direction")
      case 2: key = try reader.patientKey("key")
      case 3: transferID = try reader.identifier("transfer_id")
      case 4: try path.append(from: &reader)
      case 5: isMerge = try reader.flag()
      case 6: cause = try reader.witness("cause")
      case 7: recordHash = try reader.hash("record_hash")
      case 8: hadOpenOnBoth = try reader.flag()
      case 9: rulesVersion = try reader.unsigned(UInt32.self, "rules_version")
      default: try reader.skip()
      }
    }
    guard let direction else { throw reader.missing("direction") }
    guard let key else { throw reader.missing("key") }
    guard let transferID else { throw reader.missing("transfer_id") }
    guard let cause else { throw reader.missing("cause") }
    self.init(
      direction: direction, key: key, transferID: transferID, path: path, isMerge: isMerge,
      cause: cause, recordHash: recordHash, hadOpenOnBoth: hadOpenOnBoth,
      rulesVersion: rulesVersion)
  }
}

extension KeyLink.Direction: WireNumbered {
  package var wireNumber: UInt32 {
    switch self {
    case .movedTo: 1
    case .cameFrom: 2
    }
  }
}

extension Array<PatientKey> {
  /// Adds one key of a path, which is bounded.
  fileprivate mutating func append(from reader: inout ProtobufReader) throws(WireError) {
    guard count < PersonTransfer.pathMax, let key = try reader.patientKey("path") else {
      throw reader.invalid("path")
    }
    append(key)
  }
}
