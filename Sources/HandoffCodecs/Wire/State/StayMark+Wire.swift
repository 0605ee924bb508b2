import HandoffCore

extension StayMark {
  func write(to writer: inout ProtobufWriter) {
    writer.numbered(1, type)
    writer.witness(2, witness)
    writer.organisation(3, saidBy)
    if let pathway { writer.present(4, pathway) }
    writer.moment(5, present: readyAt)
    if let policy { writer.present(6, policy) }
    writer.flag(60, isRetraction)
  }

  init(reading reader: inout ProtobufReader) throws(WireError) {
    var type: EventType?
    var witness: Witness?
    var saidBy: OrganisationID?
    var pathway: UInt8?
    var readyAt: Timestamp?
    var isRetraction = false
    var policy: UInt16?
    while let number = try reader.nextField() {
      switch number {
      case 1: type = try reader.numbered("type")
      case 2: witness = try reader.witness("witness")
      case 3: saidBy = try reader.organisation("said_by")
      case 4:
        pathway = try reader.unsigned(UInt8.self, "pathway")
        guard pathway.map({ $0 <= 3 }) ?? true else { throw reader.invalid("pathway") }
      case 5: readyAt = try reader.moment()
      case 6: policy = try reader.unsigned(UInt16.self, "policy")
      case 60: isRetraction = try reader.flag()
      default: try reader.skip()
      }
    }
    guard let type else { throw reader.missing("type") }
    guard let witness else { throw reader.missing("witness") }
    self.init(
      type: type, witness: witness, saidBy: saidBy, pathway: pathway, readyAt: readyAt,
      isRetraction: isRetraction, policy: policy)
  }
}
