import HandoffCore

extension HandoffFacts {
  func write(to writer: inout ProtobufWriter) {
    writer.numbered(1, state)
    writer.numbered(2, stateBeforeHold)
    writer.numbered(3, stateBeforeEnd)
    writer.flag(4, isRequested)
    writer.flag(5, isBackfill)
    writer.flag(6, isFeedbackOwed)
    writer.flag(7, isDocument)
    writer.flag(8, isEndedByPlatform)
    writer.unsigned(9, policy)
    writer.code(10, rail)
    writer.organisation(11, from)
    writer.organisation(12, to)
    writer.organisation(13, acceptedBy)
    writer.short(14, kind)
    writer.short(15, priority)
    writer.identifier(16, needKey)
    writer.identifier(17, journeyID)
    writer.identifier(18, parentHandoffID)
    writer.identifier(19, newHandoffID)
    writer.code(20, endReason)
    writer.moment(21, present: bookedFor)
    writer.moment(22, present: dischargeReadyAt)
    writer.moment(23, Timestamp(nanoseconds: paused.nanoseconds))
    for index in marks.indices {
      let start = writer.open(24)
      marks[index].write(to: &writer)
      writer.close(start)
    }
    for finding in findings { writer.nested(25) { finding.write(to: &$0) } }
    for fact in pending { writer.nested(26) { fact.write(to: &$0) } }
    writer.unsigned(27, sameCount)
    writer.unsigned(28, lateCount)
    writer.unsigned(29, duplicateCount)
    writer.code(30, needCode)
    for service in cc { writer.organisation(31, service) }
    if requestHash != 0 { writer.fixed64(32, requestHash) }
    writer.unsigned(100, version)
    if !oldVersions.isEmpty {
      let old = oldVersions.flatMap { old in (0..<4).map { UInt8(old >> (24 - 8 * $0) & 255) } }
      writer.bytes(101, old)
    }
    writer.flag(102, isAmendmentSeen)
  }

  init(reading reader: inout ProtobufReader) throws(WireError) {
    self.init()
    while let number = try reader.nextField() {
      switch number {
      case 1...9: try readStanding(number, from: &reader)
      case 10...20: try readParties(number, from: &reader)
      case 21...32: try readHistory(number, from: &reader)
      case 100...102: try readVersions(number, from: &reader)
      default: try reader.skip()
      }
    }
  }

  private mutating func readStanding(
    _ number: UInt32, from reader: inout ProtobufReader
  ) throws(WireError) {
    switch number {
    case 1: state = try reader.standing("state")
    case 2: stateBeforeHold = try reader.standing("state_before_hold")
    case 3: stateBeforeEnd = try reader.standing("state_before_end")
    case 4: isRequested = try reader.flag()
    case 5: isBackfill = try reader.flag()
    case 6: isFeedbackOwed = try reader.flag()
    case 7: isDocument = try reader.flag()
    case 8: isEndedByPlatform = try reader.flag()
    case 9: policy = try reader.unsigned(UInt16.self, "policy")
    default: try reader.skip()
    }
  }

  private mutating func readParties(
    _ number: UInt32, from reader: inout ProtobufReader
  ) throws(WireError) {
    switch number {
    case 10: rail = try reader.code("rail")
    case 11: from = try reader.organisation("from")
    case 12: to = try reader.organisation("to")
    case 13: acceptedBy = try reader.organisation("accepted_by")
    case 14: kind = try reader.kind("kind")
    case 15: priority = try reader.priority("priority")
    case 16: needKey = try reader.identifier("need_key")
    case 17: journeyID = try reader.identifier("journey_id")
    case 18: parentHandoffID = try reader.identifier("parent_handoff_id")
    case 19: newHandoffID = try reader.identifier("new_handoff_id")
    case 20: endReason = try reader.code("end_reason")
    default: try reader.skip()
    }
  }

  private mutating func readHistory(
    _ number: UInt32, from reader: inout ProtobufReader
  ) throws(WireError) {
    switch number {
    case 21: bookedFor = try reader.moment()
    case 22: dischargeReadyAt = try reader.moment()
    case 23: paused = Elapsed(nanoseconds: try reader.moment().nanoseconds)
    case 24:
      var nested = try reader.nested("Mark")
      marks.append(try Mark(reading: &nested))
    case 25:
      var nested = try reader.nested("Finding")
      findings.append(try Finding(reading: &nested))
    case 26:
      var nested = try reader.nested("Fact")
      pending.append(try Fact(reading: &nested))
    case 27: sameCount = try reader.unsigned(UInt32.self, "same_count")
    case 28: lateCount = try reader.unsigned(UInt32.self, "late_count")
    case 29: duplicateCount = try reader.unsigned(UInt32.self, "duplicate_count")
    case 30: needCode = try reader.code("need_code")
    case 31: try cc.append(from: &reader)
    case 32: requestHash = try reader.contentTail()
    default: try reader.skip()
    }
  }
}

extension HandoffFacts {
  private mutating func readVersions(
    _ number: UInt32, from reader: inout ProtobufReader
  ) throws(WireError) {
    switch number {
    case 100: version = try reader.unsigned(UInt32.self, "version")
    case 101:
      let bytes = try reader.byteArray()
      guard bytes.count % 4 == 0, bytes.count <= 4 * Self.oldVersionsMax else {
        throw reader.invalid("old_versions")
      }
      oldVersions = stride(from: 0, to: bytes.count, by: 4).map { start in
        bytes[start..<start + 4].reduce(0) { $0 << 8 | UInt32($1) }
      }
    default: isAmendmentSeen = try reader.flag()
    }
  }
}

extension ProtobufReader {
  /// A state that must be one.
  fileprivate mutating func standing(_ field: StaticString) throws(WireError) -> HandoffState {
    guard let state: HandoffState = try numbered(field) else { throw missing(field) }
    return state
  }
}

extension Handoff {
  func write(to writer: inout ProtobufWriter) {
    writer.identifier(1, id)
    let start = writer.open(2)
    current.write(to: &writer)
    writer.close(start)
    if settled != nil {
      let start = writer.open(3)
      settled?.write(to: &writer)
      writer.close(start)
    }
    for index in window.indices {
      let start = writer.open(4)
      window[index].write(to: &writer)
      writer.close(start)
    }
    writer.flag(5, isTransferred)
  }

  init(reading reader: inout ProtobufReader) throws(WireError) {
    var id: HandoffID?
    var current: HandoffFacts?
    var settled: HandoffFacts?
    var window: [Fact] = []
    var isTransferred = false
    while let number = try reader.nextField() {
      switch number {
      case 1: id = try reader.identifier("handoff_id")
      case 2:
        var nested = try reader.nested("HandoffFacts")
        current = try HandoffFacts(reading: &nested)
      case 3:
        var nested = try reader.nested("HandoffFacts")
        settled = try HandoffFacts(reading: &nested)
      case 4:
        var nested = try reader.nested("Fact")
        window.append(try Fact(reading: &nested))
      case 5: isTransferred = try reader.flag()
      default: try reader.skip()
      }
    }
    guard let id else { throw reader.missing("handoff_id") }
    guard let current else { throw reader.missing("current") }
    self.init(
      id: id, current: current, settled: settled, window: window, isTransferred: isTransferred)
  }
}
