import HandoffCore

/// A message with what its MSH segment says, and how its other fields are read.
struct HL7Envelope: Sendable {
  let message: HL7Message
  let context: MappingContext
  let type: String
  /// MSH-9.2; empty where only the type is given and nothing else says it.
  let trigger: String
  /// Where ``trigger`` was read.
  let triggerField: String
  /// The message without facts: its ids, its parties' names, its times.
  let base: MappedMessage
  /// EVN-2, or else MSH-7 (domain.md §0, finding 9).
  let occurredAt: (time: HL7Time, field: String)?

  init(_ message: HL7Message, context: MappingContext) throws(MappingError) {
    self.message = message
    self.context = context
    guard let header = message.first("MSH"), let type = header.value(9, 1)?.uppercased() else {
      throw MappingError(
        code("hl7.field-missing"), field: "MSH-9", explanation: "the message names no type",
        acknowledgement: .reject)
    }
    if let version = header.value(12) { try Self.check(version: version) }
    try Self.check(processingID: header.value(11), context)
    self.type = type
    (trigger, triggerField) = Self.trigger(of: type, in: message)
    var base = Self.base(of: header, type: type, trigger: trigger)
    base.provenance["messageType"] = triggerField == "MSH-9" ? "MSH-9" : "MSH-9, \(triggerField)"
    let recorded = try Self.time(header, 7, context)
    base.recordedAt = recorded?.timestamp
    base.provenance["recordedAt"] = recorded == nil ? nil : "MSH-7"
    let event = try message.first("EVN").flatMap { segment throws(MappingError) in
      try Self.time(segment, 2, context)
    }
    occurredAt = event.map { ($0, "EVN-2") } ?? recorded.map { ($0, "MSH-7") }
    base.isTimeDoubtful = event?.isDoubtful ?? recorded?.isDoubtful ?? false
    try Self.refuseLongIdentifiers(in: message, limits: context.limits)
    if let id = base.messageID {
      base.reference = RawReference(
        system: code("MSH-10"), value: id,
        assigner: Self.namespace(base.sendingSystem, base.sendingOrganisation))
      base.provenance["reference"] = "MSH-10, MSH-3, MSH-4"
    }
    self.base = base
  }

  /// The fields whose ids are kept, beside those of PID-3 and MRG-1.
  private static let identifierFields: [String: [Int]] = [
    "MSH": [3, 4, 5, 6, 10], "MSA": [2], "RF1": [6, 11], "ORC": [2, 3, 8], "OBR": [2, 3],
    "PV1": [19, 50], "PID": [18], "SCH": [1, 2, 26, 27], "MRG": [3, 5], "TXA": [12, 13, 14],
  ]

  /// An id that is longer than can be kept is refused: left out, its message would join another.
  private static func refuseLongIdentifiers(
    in message: HL7Message, limits: MappingLimits
  ) throws(MappingError) {
    for segment in message.segments {
      for field in identifierFields[segment.name] ?? [] {
        guard let whole = segment.repetitions(field).first,
          whole.bytes.count > limits.identifierMax
        else { continue }
        for component in 1...4
        where (whole.value(component)?.utf8.count ?? 0) > limits.identifierMax {
          throw MappingError(
            code("hl7.field-too-long"), field: "\(segment.name)-\(field)",
            explanation: "the id is longer than identifierMax (\(limits.identifierMax)) bytes")
        }
      }
    }
  }

  /// MSH-11 (table 0103): `P`, or `T` and `D`; an empty one says nothing.
  private static func check(
    processingID: String?, _ context: MappingContext
  ) throws(MappingError) {
    let letter = processingID?.uppercased()
    guard [nil, "P", "T", "D"].contains(letter) || context.processing == .any else {
      throw MappingError(
        code("hl7.processing-id"), field: "MSH-11",
        explanation: "a message is for production (P), training (T) or debugging (D)",
        acknowledgement: .reject)
    }
    try context.processing.check(
      isTest: ["T", "D"].contains(letter), field: "MSH-11", code("hl7.processing-id"))
  }

  private static func base(
    of header: HL7Segment, type: String, trigger: String
  ) -> MappedMessage {
    var base = MappedMessage(messageType: trigger.isEmpty ? type : "\(type)^\(trigger)")
    func take(_ property: String, _ field: Int) -> String? {
      let value = header.value(field)
      base.provenance[property] = value == nil ? nil : "MSH-\(field)"
      return value
    }
    base.messageID = take("messageID", 10)
    base.sendingSystem = take("sendingSystem", 3)
    base.sendingOrganisation = take("sendingOrganisation", 4)
    base.receivingSystem = take("receivingSystem", 5)
    base.receivingOrganisation = take("receivingOrganisation", 6)
    base.sequence = header.value(13).flatMap { UInt64($0) }
    base.provenance["sequence"] = base.sequence == nil ? nil : "MSH-13"
    return base
  }

  /// MSH-9.2; where it is empty EVN-1, the structure in MSH-9.3, or the only event of the type.
  ///
  /// Versions 2.1 to 2.3 may name the event in EVN-1 alone.
  private static func trigger(of type: String, in message: HL7Message) -> (String, String) {
    if let event = message.value("MSH", 9, 2) { return (event.uppercased(), "MSH-9") }
    if let event = message.value("EVN", 1) { return (event.uppercased(), "EVN-1") }
    let structure = (message.value("MSH", 9, 3) ?? "").uppercased().split(separator: "_")
    if structure.count == 2, structure[0] == type { return (String(structure[1]), "MSH-9") }
    let only = ["ORU": "R01", "ORM": "O01", "ORR": "O02"]
    return (only[type] ?? "", "MSH-9")
  }

  /// A fact with the time of the message and its journey.
  func fact(_ type: EventType, _ speaker: SpeakerRole) -> MappedFact {
    var fact = MappedFact(type: type, speaker: speaker)
    fact.provenance["type"] = triggerField == "MSH-9" ? "MSH-9" : "MSH-9, \(triggerField)"
    fact.occurredAt = occurredAt?.time.timestamp
    fact.provenance["occurredAt"] = occurredAt?.field
    fact.set(journey: reference("PV1", 50) ?? reference("PID", 18))
    return fact
  }

  /// A fact of a handoff that the message's sender hands over or asked for.
  func factFromSender(_ type: EventType) -> MappedFact {
    var fact = fact(type, .sender)
    fact.set(from: sender)
    fact.set(to: addressee)
    return fact
  }

  /// A fact by which the message's sender answers its addressee: the parties keep their places.
  func factFromReceiver(_ type: EventType, _ speaker: SpeakerRole = .receiver) -> MappedFact {
    var fact = fact(type, speaker)
    fact.set(from: addressee)
    fact.set(to: sender)
    return fact
  }

  /// What MSH-3 and MSH-4 name.
  var sender: HL7Party? { party(3, 4) }
  /// What MSH-5 and MSH-6 name.
  var addressee: HL7Party? { party(5, 6) }
  /// The namespace of ids that are the sender's own and name no other.
  var senderName: String? { base.sendingOrganisation ?? base.sendingSystem }
  /// The namespace of ids that are the addressee's own and name no other.
  var addresseeName: String? { base.receivingOrganisation ?? base.receivingSystem }

  /// Whether the one who assigned `reference` is the sender of this message.
  func isSenders(_ assigner: String?) -> Bool {
    guard let assigner else { return false }
    if assigner == base.sendingOrganisation || assigner == base.sendingSystem { return true }
    guard let own = sender?.party.odsCode else { return false }
    return context.odsCode(assigner) == own
  }

  /// The message about the patient of PID, or of nobody where it has no such segment.
  func message(requiringPerson isRequired: Bool) throws(MappingError) -> MappedMessage {
    var result = base
    guard let pid = message.first("PID") else {
      if isRequired { throw Self.missing("PID") }
      return result
    }
    result.person = try personReader.person(from: pid)
    result.provenance["person"] = HL7PersonReader.fields(of: pid)
    return result
  }

  var personReader: HL7PersonReader {
    HL7PersonReader(context: context, defaultAssigner: senderName)
  }

  /// An entity identifier or extended id; its assigner is `owner` where the field names none.
  ///
  /// Some senders leave component 1 empty and put the id into component 3 (domain.md §5).
  func reference(
    _ segment: HL7Segment?, _ field: Int, owner: String? = nil
  ) -> RawReference? {
    guard let segment, let name = Code("\(segment.name)-\(field)") else { return nil }
    let isExtendedID = ["PV1", "PID", "MRG"].contains(segment.name)
    let first = segment.value(field, 1)
    guard let value = first ?? (isExtendedID ? nil : segment.value(field, 3)),
      value.utf8.count <= context.limits.identifierMax
    else { return nil }
    let assigner =
      isExtendedID
      ? segment.value(field, 4, 1) ?? segment.value(field, 4, 2)
      : segment.value(field, 2) ?? (first == nil ? nil : segment.value(field, 3))
    return RawReference(
      system: name, value: value,
      assigner: assigner ?? owner ?? base.sendingOrganisation ?? base.sendingSystem)
  }

  func reference(_ segment: String, _ field: Int, owner: String? = nil) -> RawReference? {
    reference(message.first(segment), field, owner: owner)
  }

  /// A time of some field; refused where it is not one.
  func time(_ segment: HL7Segment?, _ field: Int) throws(MappingError) -> HL7Time? {
    guard let segment else { return nil }
    return try Self.time(segment, field, context)
  }

  /// MSH-3 and MSH-4 as one namespace, as an answer repeats them in MSH-5 and MSH-6.
  static func namespace(_ system: String?, _ organisation: String?) -> String? {
    guard system != nil || organisation != nil else { return nil }
    return "\(system ?? "")|\(organisation ?? "")"
  }

  static func missing(_ segment: String) -> MappingError {
    MappingError(
      code("hl7.segment-missing"), field: segment,
      explanation: "this message type cannot do without the segment")
  }

  static func unsupportedEvent(_ explanation: String) -> MappingError {
    MappingError(
      code("hl7.unsupported-event"), field: "MSH-9", explanation: explanation,
      acknowledgement: .reject)
  }

  private func party(_ system: Int, _ organisation: Int) -> HL7Party? {
    let header = message.first("MSH")
    let name = header?.value(organisation, 1) ?? header?.value(organisation, 2)
    let application = header?.value(system, 1) ?? header?.value(system, 2)
    guard name != nil || application != nil else { return nil }
    let fields = [name.map { _ in organisation }, application.map { _ in system }]
    return HL7Party(
      party: RawParty(
        organisation: name ?? application,
        odsCode: context.odsCode(
          name ?? application, type: header?.value(organisation, 3),
          universalID: header?.value(organisation, 2)),
        system: application),
      fields: fields.compactMap { $0.map { "MSH-\($0)" } }.joined(separator: ", "))
  }

  private static func time(
    _ segment: HL7Segment, _ field: Int, _ context: MappingContext
  ) throws(MappingError) -> HL7Time? {
    guard let text = segment.value(field) else { return nil }
    guard let time = HL7Time(text, localTime: context.localTime) else {
      throw MappingError(
        code("hl7.timestamp"), field: "\(segment.name)-\(field)",
        explanation: "a time is YYYYMMDDHHMMSS, shorter or with a fraction, and a zone like +0100")
    }
    return time
  }

  private static func check(version: String) throws(MappingError) {
    let parts = version.split(separator: ".")
    guard parts.count >= 2, parts[0] == "2", let minor = Int(parts[1]), (1...9).contains(minor)
    else {
      throw MappingError(
        code("hl7.version-unsupported"), field: "MSH-12",
        explanation: "read here are versions 2.1 to 2.9", acknowledgement: .reject)
    }
  }
}

/// A party, and the fields that name it.
struct HL7Party: Sendable {
  var party: RawParty
  var fields: String
}

extension MappedFact {
  mutating func set(from party: HL7Party?) {
    from = party?.party
    provenance["from"] = party?.fields
  }

  mutating func set(to party: HL7Party?) {
    to = party?.party
    provenance["to"] = party?.fields
  }

  mutating func set(handoff reference: RawReference?) {
    handoff = reference
    provenance["handoff"] = reference?.system.description
  }

  mutating func set(journey reference: RawReference?) {
    journey = reference
    provenance["journey"] = reference?.system.description
  }

  mutating func set(conversation reference: RawReference?) {
    conversation = reference
    provenance["conversation"] = reference?.system.description
  }

  /// Keeps the ids that are not the handoff's own, each once.
  mutating func set(references all: [RawReference?]) {
    references = []
    for reference in all.compactMap(\.self)
    where reference != handoff && !references.contains(reference) {
      references.append(reference)
    }
    let fields = references.map(\.system.description)
    provenance["references"] = fields.isEmpty ? nil : fields.joined(separator: ", ")
  }

  mutating func set(reason text: String?, field: String) {
    reason = text.flatMap { Code($0) }
    provenance["reason"] = reason == nil ? nil : field
  }

  mutating func set(outcome text: String?, field: String) {
    outcome = text.flatMap { Code($0) }
    provenance["outcome"] = outcome == nil ? nil : field
  }

  mutating func set(person: ClearPerson?, fields: String) {
    self.person = person
    provenance["person"] = person == nil ? nil : fields
  }

  mutating func set(answers reference: RawReference?) {
    answers = reference
    provenance["answers"] = reference == nil ? nil : "MSA-2"
  }
}

extension MappingContext {
  /// The ODS code of an organisation as a message names it.
  ///
  /// The connector's table comes first; else the name counts as a code only where the message says
  /// so, or the connector is told that its partners write codes.
  func odsCode(_ name: String?, type: String? = nil, universalID: String? = nil) -> ODSCode? {
    guard let name else { return nil }
    if let known = organisations[name] { return known }
    let says = type?.uppercased() == "ODS" || universalID == "2.16.840.1.113883.2.1.3.2.4.18.48"
    return says || namesAreODSCodes ? ODSCode(name) : nil
  }
}
