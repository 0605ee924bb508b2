/// Which fields of facts differ from those that they are written beside.
struct FactFields: OptionSet {
  let rawValue: UInt32

  // Those that differ most often come first: their numbers are shorter.
  static let state = FactFields(rawValue: 1 << 0)
  static let marks = FactFields(rawValue: 1 << 1)
  static let bookedFor = FactFields(rawValue: 1 << 2)
  static let requestHash = FactFields(rawValue: 1 << 3)
  static let needKey = FactFields(rawValue: 1 << 4)
  static let needCode = FactFields(rawValue: 1 << 5)
  static let acceptedBy = FactFields(rawValue: 1 << 6)
  static let rail = FactFields(rawValue: 1 << 7)
  static let counts = FactFields(rawValue: 1 << 8)
  static let from = FactFields(rawValue: 1 << 9)
  static let to = FactFields(rawValue: 1 << 10)
  static let kind = FactFields(rawValue: 1 << 11)
  static let priority = FactFields(rawValue: 1 << 12)
  static let stateBefore = FactFields(rawValue: 1 << 13)
  static let policy = FactFields(rawValue: 1 << 14)
  static let journeyID = FactFields(rawValue: 1 << 15)
  static let parentHandoffID = FactFields(rawValue: 1 << 16)
  static let newHandoffID = FactFields(rawValue: 1 << 17)
  static let endReason = FactFields(rawValue: 1 << 18)
  static let cc = FactFields(rawValue: 1 << 19)
  static let dischargeReadyAt = FactFields(rawValue: 1 << 20)
  static let paused = FactFields(rawValue: 1 << 21)
  static let findings = FactFields(rawValue: 1 << 22)
  static let pending = FactFields(rawValue: 1 << 23)
  static let version = FactFields(rawValue: 1 << 24)
  static let oldVersions = FactFields(rawValue: 1 << 25)

  mutating func insert(_ field: FactFields, if isDifferent: Bool) {
    if isDifferent { formUnion(field) }
  }
}

extension HandoffFacts {
  /// The six words of yes and no, in one byte.
  var flags: UInt8 {
    get {
      (isRequested ? 1 : 0) | (isBackfill ? 2 : 0) | (isFeedbackOwed ? 4 : 0)
        | (isDocument ? 8 : 0) | (isEndedByPlatform ? 16 : 0) | (isAmendmentSeen ? 32 : 0)
    }
    set {
      isRequested = newValue & 1 != 0
      isBackfill = newValue & 2 != 0
      isFeedbackOwed = newValue & 4 != 0
      isDocument = newValue & 8 != 0
      isEndedByPlatform = newValue & 16 != 0
      isAmendmentSeen = newValue & 32 != 0
    }
  }

  borrowing func fields(unlike base: borrowing HandoffFacts) -> FactFields {
    var fields: FactFields = []
    fields.insert(.state, if: state != base.state)
    fields.insert(
      .stateBefore,
      if: stateBeforeHold != base.stateBeforeHold || stateBeforeEnd != base.stateBeforeEnd)
    fields.insert(.policy, if: policy != base.policy)
    fields.insert(.rail, if: rail != base.rail)
    fields.insert(.from, if: from != base.from)
    fields.insert(.to, if: to != base.to)
    fields.insert(.acceptedBy, if: acceptedBy != base.acceptedBy)
    fields.insert(.kind, if: kind != base.kind)
    fields.insert(.priority, if: priority != base.priority)
    fields.insert(.needKey, if: needKey != base.needKey)
    fields.insert(.needCode, if: needCode != base.needCode)
    fields.insert(.journeyID, if: journeyID != base.journeyID)
    fields.insert(.parentHandoffID, if: parentHandoffID != base.parentHandoffID)
    fields.insert(.newHandoffID, if: newHandoffID != base.newHandoffID)
    fields.insert(.endReason, if: endReason != base.endReason)
    fields.insert(.cc, if: cc != base.cc)
    fields.insert(.requestHash, if: requestHash != base.requestHash)
    fields.insert(.bookedFor, if: bookedFor != base.bookedFor)
    fields.insert(.dischargeReadyAt, if: dischargeReadyAt != base.dischargeReadyAt)
    fields.insert(.paused, if: paused != base.paused)
    fields.insert(.marks, if: marks != base.marks)
    fields.insert(.findings, if: findings != base.findings)
    fields.insert(.pending, if: pending != base.pending)
    fields.insert(.version, if: version != base.version)
    fields.insert(.oldVersions, if: oldVersions != base.oldVersions)
    fields.insert(
      .counts,
      if: sameCount != base.sameCount || lateCount != base.lateCount
        || duplicateCount != base.duplicateCount)
    return fields
  }
}

extension Fact {
  /// What is yes, no or unsaid, and in whose role it was said, in one byte.
  var flags: UInt8 {
    get {
      (isBackfill ? 1 : 0) | (isRetry ? 2 : 0) | (isFeedbackOwed == nil ? 0 : 4)
        | (isFeedbackOwed == true ? 8 : 0) | (speaker == .sender ? 16 : 0)
        | (speaker == .receiver ? 32 : 0)
    }
    set {
      isBackfill = newValue & 1 != 0
      isRetry = newValue & 2 != 0
      isFeedbackOwed = newValue & 4 == 0 ? nil : newValue & 8 != 0
      speaker = newValue & 16 != 0 ? .sender : newValue & 32 != 0 ? .receiver : .platform
    }
  }

  borrowing func fields(unlike base: borrowing HandoffFacts) -> FactFields {
    var fields: FactFields = []
    fields.insert(.policy, if: policy != base.policy)
    fields.insert(.rail, if: rail != base.rail)
    fields.insert(.from, if: from != base.from)
    fields.insert(.to, if: to != base.to)
    fields.insert(.kind, if: kind != base.kind)
    fields.insert(.priority, if: priority != base.priority)
    fields.insert(.needKey, if: needKey != base.needKey)
    fields.insert(.needCode, if: needCode != base.needCode)
    fields.insert(.journeyID, if: journeyID != base.journeyID)
    fields.insert(.parentHandoffID, if: parentHandoffID != base.parentHandoffID)
    fields.insert(.newHandoffID, if: newHandoffID != base.newHandoffID)
    fields.insert(.endReason, if: reason != base.endReason)
    fields.insert(.cc, if: cc != base.cc)
    fields.insert(.requestHash, if: contentHash != base.requestHash)
    fields.insert(.version, if: version != base.version)
    fields.insert(.bookedFor, if: bookedFor != base.bookedFor)
    fields.insert(.dischargeReadyAt, if: dischargeReadyAt != base.dischargeReadyAt)
    return fields
  }
}
