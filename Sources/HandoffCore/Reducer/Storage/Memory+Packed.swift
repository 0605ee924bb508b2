// What few people have: repeats, alerts, links to other keys, words about a stay.

extension PackedWriter {
  mutating func repetition(_ value: Repetition) {
    ordinal(value.rule)
    whole(value.subject.rawValue)
    optional(value.handoffID)
    whole(value.beganWith.rawValue)
    whole(value.lastReceptionID.rawValue)
    number(UInt64(value.count))
    whole(value.opened.nanoseconds)
    whole(value.lastAt.nanoseconds)
    witness(value.first)
    witness(value.latest)
    text(value.cause)
  }

  mutating func alert(_ value: EmittedAlert) {
    whole(value.id.rawValue)
    ordinal(value.rule)
    optional(value.handoffID)
    whole(value.beganWith.rawValue)
    optional(value.subject)
    text(value.cause)
    number(UInt64(value.revision))
    byte((value.isOpen ? 1 : 0) | (value.isUndetermined ? 2 : 0))
    whole(value.opened.nanoseconds)
    number(UInt64(value.count))
    text(value.hangsOn)
    optional(value.answeredAt)
  }

  mutating func link(_ value: KeyLink) {
    ordinal(value.direction)
    key(value.key)
    whole(value.transferID.rawValue)
    list(value.path) { $0.key($1) }
    let hasHash: UInt8 = value.recordHash == nil ? 0 : 4
    byte((value.isMerge ? 1 : 0) | (value.hadOpenOnBoth ? 2 : 0) | hasHash)
    number(UInt64(value.rulesVersion))
    witness(value.cause)
    if let recordHash = value.recordHash { hash(recordHash) }
  }

  mutating func mark(_ value: StayMark) {
    ordinal(value.type)
    byte(value.isRetraction ? 1 : 0)
    witness(value.witness)
    text(value.saidBy)
    byte(value.pathway.map { min($0, .max - 1) + 1 } ?? 0)
    optional(value.readyAt)
    number(value.policy.map { UInt64($0) + 1 } ?? 0)
  }
}

extension PackedReader {
  mutating func repetition(_ texts: TextTable) -> Repetition {
    let rule = ordinal(Rule.self)
    let subject: Token = identifier()
    let handoffID: HandoffID? = optional()
    let beganWith: EventID = identifier()
    let lastReceptionID: ReceptionID = identifier()
    let count = UInt32(number())
    let opened = Timestamp(nanoseconds: whole(Int64.self))
    let lastAt = Timestamp(nanoseconds: whole(Int64.self))
    let first = witness()
    let latest = witness()
    return Repetition(
      rule: rule, subject: subject, handoffID: handoffID, beganWith: beganWith,
      lastReceptionID: lastReceptionID, count: count, opened: opened, lastAt: lastAt,
      first: first, latest: latest, cause: text(texts))
  }

  mutating func alert(_ texts: TextTable) -> EmittedAlert {
    let id: AlertID = identifier()
    let rule = ordinal(Rule.self)
    let handoffID: HandoffID? = optional()
    let beganWith: EventID = identifier()
    let subject: Token? = optional()
    let cause: Code? = text(texts)
    let revision = UInt32(number())
    let flags = byte()
    let opened = Timestamp(nanoseconds: whole(Int64.self))
    var alert = EmittedAlert(
      id: id, rule: rule, handoffID: handoffID, beganWith: beganWith, subject: subject,
      cause: cause, revision: revision, isOpen: flags & 1 != 0, opened: opened,
      count: UInt32(number()))
    alert.isUndetermined = flags & 2 != 0
    alert.hangsOn = text(texts)
    alert.answeredAt = optionalMoment()
    return alert
  }

  mutating func link() -> KeyLink {
    let direction = ordinal(KeyLink.Direction.self)
    let key = key()
    let transferID: EventID = identifier()
    let path = list { $0.key() }
    let flags = byte()
    let rulesVersion = UInt32(number())
    let cause = witness()
    return KeyLink(
      direction: direction, key: key, transferID: transferID, path: path,
      isMerge: flags & 1 != 0, cause: cause, recordHash: flags & 4 == 0 ? nil : hash(),
      hadOpenOnBoth: flags & 2 != 0, rulesVersion: rulesVersion)
  }

  mutating func mark(_ texts: TextTable) -> StayMark {
    let type = ordinal(EventType.self)
    let isRetraction = byte() == 1
    let witness = witness()
    let saidBy: OrganisationID? = text(texts)
    let pathway = byte()
    let readyAt = optionalMoment()
    let policy = number()
    return StayMark(
      type: type, witness: witness, saidBy: saidBy, pathway: pathway == 0 ? nil : pathway - 1,
      readyAt: readyAt, isRetraction: isRetraction, policy: policy == 0 ? nil : UInt16(policy - 1))
  }
}
