import HandoffCore

extension Defect {
  func write(to writer: inout ProtobufWriter) {
    writer.identifier(1, id)
    writer.numbered(2, rule)
    writer.code(3, cause)
    writer.unsigned(4, revision)
    writer.unsigned(5, count)
    writer.moment(6, opened)
    writer.moment(7, lastAt)
    for item in evidence { writer.nested(8) { item.write(to: &$0) } }
  }

  init(reading reader: inout ProtobufReader) throws(WireError) {
    var id: AlertID?
    var rule: Rule?
    var cause: Code?
    var revision: UInt32 = 0
    var count: UInt32 = 0
    var opened = Timestamp(nanoseconds: 0)
    var lastAt = Timestamp(nanoseconds: 0)
    var evidence: [Evidence] = []
    while let number = try reader.nextField() {
      switch number {
      case 1: id = try reader.identifier("alert_id")
      case 2: rule = try reader.numbered("rule")
      case 3: cause = try reader.code("cause")
      case 4: revision = try reader.unsigned(UInt32.self, "revision")
      case 5: count = try reader.unsigned(UInt32.self, "count")
      case 6: opened = try reader.moment()
      case 7: lastAt = try reader.moment()
      case 8:
        guard evidence.count < 2 else { throw reader.invalid("evidence") }
        var nested = try reader.nested("Evidence")
        evidence.append(try Evidence(reading: &nested))
      default: try reader.skip()
      }
    }
    guard let id else { throw reader.missing("alert_id") }
    guard let rule else { throw reader.missing("rule") }
    self.init(
      rule: rule, cause: cause, id: id, revision: revision, count: count, opened: opened,
      lastAt: lastAt, evidence: evidence)
  }
}
