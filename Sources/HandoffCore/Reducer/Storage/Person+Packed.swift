// A person as packed bytes, part by part. What is empty for nearly everybody costs one bit.

extension Person {
  /// What of a person is there at all.
  private enum Part {
    static let repetitions: UInt8 = 1
    static let alerts: UInt8 = 2
    static let readiness: UInt8 = 4
    static let dischargeReady: UInt8 = 8
    static let links: UInt8 = 16
    static let stay: UInt8 = 32
    static let unlinked: UInt8 = 64
  }

  private var parts: UInt8 {
    (repetitions.isEmpty ? 0 : Part.repetitions) | (alerts.isEmpty ? 0 : Part.alerts)
      | (readinessSaid == nil ? 0 : Part.readiness)
      | (dischargeReadyAt == nil ? 0 : Part.dischargeReady) | (links.isEmpty ? 0 : Part.links)
      | (stay.isEmpty ? 0 : Part.stay) | (unlinkedCount == 0 ? 0 : Part.unlinked)
  }

  /// The bytes of everything but the key.
  func packed(by writer: inout PackedWriter) -> [UInt8] {
    writer.begin(remembering: seen)
    let parts = parts
    writer.byte(parts)
    writer.number(UInt64(seen.count))
    var last = (arrivedAt: Timestamp(nanoseconds: 0), offset: Int64(0))
    for event in seen {
      writer.arrival(PackedArrival(event), saidBy: event.spokenBy, after: last)
      last = (event.arrivedAt, event.offset)
    }
    writer.number(UInt64(handoffs.count))
    for index in handoffs.indices { writer.handoff(handoffs[index]) }
    if parts & Part.repetitions != 0 { writer.list(repetitions) { $0.repetition($1) } }
    if parts & Part.alerts != 0 { writer.list(alerts) { $0.alert($1) } }
    if let readinessSaid { writer.witness(readinessSaid) }
    if let dischargeReadyAt { writer.whole(dischargeReadyAt.nanoseconds) }
    if parts & Part.links != 0 { writer.list(links) { $0.link($1) } }
    if parts & Part.stay != 0 { writer.list(stay) { $0.mark($1) } }
    if unlinkedCount != 0 { writer.number(UInt64(unlinkedCount)) }
    let packed = writer.takePacked()
    assert(
      Person(key: key, unpacking: packed, writer.texts) == abridged,
      "packing a person leaves something of it out")
    return packed
  }

  /// Reads the first of the bytes: whether arrivals and handoffs are all that there is.
  static func hasNothingElse(_ reader: inout PackedReader) -> Bool { reader.byte() == 0 }

  init(key: PatientKey, unpacking bytes: [UInt8], _ texts: TextTable) {
    self.init(key: key)
    var reader = PackedReader(bytes)
    let parts = reader.byte()
    reader.readArrivals()
    reader.appendSeen(to: &seen, texts)
    let handoffCount = reader.count()
    handoffs.reserveCapacity(handoffCount)
    for _ in 0..<handoffCount { handoffs.append(reader.handoff(texts)) }
    if parts & Part.repetitions != 0 { repetitions = reader.list { $0.repetition(texts) } }
    if parts & Part.alerts != 0 { alerts = reader.list { $0.alert(texts) } }
    if parts & Part.readiness != 0 { readinessSaid = reader.witness() }
    if parts & Part.dischargeReady != 0 {
      dischargeReadyAt = Timestamp(nanoseconds: reader.whole(Int64.self))
    }
    if parts & Part.links != 0 { links = reader.list { $0.link() } }
    if parts & Part.stay != 0 { stay = reader.list { $0.mark(texts) } }
    if parts & Part.unlinked != 0 { unlinkedCount = UInt32(reader.number()) }
  }
}

extension PackedWriter {
  /// Begins somebody of whom there are arrivals and one handoff, which is written next: all
  /// arrivals but `latest` stand written in `range` of `bytes`, the last of them as `last`.
  mutating func plainPerson(
    copying range: Range<Int>, of bytes: [UInt8], _ latest: PackedArrival,
    saidBy speaker: OrganisationID?, after last: (arrivedAt: Timestamp, offset: Int64)
  ) {
    byte(0)
    number(UInt64(arrivalCount))
    copy(range, of: bytes)
    arrival(latest, saidBy: speaker, after: last)
    number(1)
  }
}

// MARK: Lists, and cases by number

extension PackedWriter {
  mutating func list<Element>(
    _ elements: [Element], _ write: (inout PackedWriter, Element) -> Void
  ) {
    number(UInt64(elements.count))
    for element in elements { write(&self, element) }
  }

  /// A case of a closed set without payloads, by its place in the declaration.
  @inline(__always) mutating func ordinal<Case: CaseIterable>(_ value: Case) {
    byte(Self.place(of: value))
  }

  @inline(__always) fileprivate static func place<Case: CaseIterable>(of value: Case) -> UInt8 {
    precondition(MemoryLayout<Case>.size == 1, "a closed set of up to 256")
    return unsafe unsafeBitCast(value, to: UInt8.self)
  }

  mutating func key(_ key: PatientKey) {
    whole(key.epoch)
    whole(key.high)
    whole(key.low)
  }

  mutating func optional<Kind>(_ value: Identifier<Kind>?) {
    byte(value == nil ? 0 : 1)
    if let value { whole(value.rawValue) }
  }

  mutating func optional(_ value: Timestamp?) {
    byte(value == nil ? 0 : 1)
    if let value { whole(value.nanoseconds) }
  }

  mutating func optional(_ value: Timestamp?, near base: Timestamp) {
    byte(value == nil ? 0 : 1)
    if let value { moment(value, near: base) }
  }
}

extension PackedReader {
  mutating func list<Element>(_ read: (inout PackedReader) -> Element) -> [Element] {
    let count = count()
    var elements: [Element] = []
    elements.reserveCapacity(count)
    for _ in 0..<count { elements.append(read(&self)) }
    return elements
  }

  mutating func ordinal<Case: CaseIterable>(_ type: Case.Type) -> Case {
    member(of: type, at: byte())
  }

  fileprivate func member<Case: CaseIterable>(of type: Case.Type, at place: UInt8) -> Case {
    precondition(Int(place) < type.allCases.count, "a case of the set")
    return unsafe unsafeBitCast(place, to: type)
  }

  mutating func key() -> PatientKey {
    let epoch = whole(UInt16.self)
    let high = whole(UInt128.self)
    return PatientKey(epoch: epoch, high: high, low: whole(UInt128.self))
  }

  mutating func optional<Kind>() -> Identifier<Kind>? { byte() == 0 ? nil : identifier() }

  mutating func optionalMoment() -> Timestamp? {
    byte() == 0 ? nil : Timestamp(nanoseconds: whole(Int64.self))
  }

  mutating func optionalMoment(near base: Timestamp) -> Timestamp? {
    byte() == 0 ? nil : moment(near: base)
  }
}

// MARK: What is remembered of arrivals

/// What the first byte of an arrival says.
private enum ArrivalPart {
  static let type: UInt8 = 0x3f
  static let messageKey: UInt8 = 0x40
  static let partition: UInt8 = 0x80
}

extension PackedWriter {
  mutating func arrival(
    _ arrival: PackedArrival, saidBy speaker: OrganisationID?,
    after last: (arrivedAt: Timestamp, offset: Int64)
  ) {
    // The type is one of fewer than 64, and the two bits say what else there is.
    byte(
      Self.place(of: arrival.type) | (arrival.messageTail == nil ? 0 : ArrivalPart.messageKey)
        | (arrival.partition == nil ? 0 : ArrivalPart.partition))
    whole(arrival.eventID.rawValue)
    whole(arrival.receptionTail)
    tail(arrival.contentTail)
    whole(arrival.hash.rawValue)
    if let messageTail = arrival.messageTail { tail(messageTail) }
    if let partition = arrival.partition { whole(partition) }
    text(speaker)
    moment(arrival.arrivedAt, near: last.arrivedAt)
    signed(arrival.offset &- last.offset)
  }
}

extension PackedReader {
  /// Reads the arrivals into ``arrivals``, with room for one more; says which bytes they are.
  @discardableResult
  mutating func readArrivals() -> Range<Int> {
    let count = count()
    let start = position
    arrivals.reserveCapacity(count + 1)
    for _ in 0..<count { arrivals.append(arrival(after: lastArrival)) }
    return start..<position
  }

  /// When the arrival before the next came, and where it stood.
  var lastArrival: (arrivedAt: Timestamp, offset: Int64) {
    guard let last = arrivals.last else { return (Timestamp(nanoseconds: 0), 0) }
    return (last.arrivedAt, last.offset)
  }

  private mutating func arrival(
    after last: (arrivedAt: Timestamp, offset: Int64)
  ) -> PackedArrival {
    let parts = byte()
    let type = member(of: EventType.self, at: parts & ArrivalPart.type)
    let (eventID, receptionTail, contentTail, hash) = beginningOfArrival()
    let messageTail = parts & ArrivalPart.messageKey == 0 ? nil : tail()
    let partition = parts & ArrivalPart.partition == 0 ? nil : whole(Int32.self)
    let speakerPosition = position
    skipText()
    let arrivedAt = moment(near: last.arrivedAt)
    return PackedArrival(
      eventID: eventID, hash: hash, contentTail: contentTail, messageTail: messageTail,
      arrivedAt: arrivedAt, offset: last.offset &+ signed(), receptionTail: receptionTail,
      partition: partition, type: type, speakerPosition: speakerPosition)
  }

  /// The arrivals that were read, each with who said it.
  func appendSeen(to seen: inout [SeenEvent], _ texts: TextTable) {
    seen.reserveCapacity(arrivals.count + 1)
    for arrival in arrivals {
      let speaker: OrganisationID? = text(at: arrival.speakerPosition, texts)
      seen.append(SeenEvent(arrival, saidBy: speaker))
    }
  }
}

extension SeenEvent {
  fileprivate init(_ arrival: PackedArrival, saidBy speaker: OrganisationID?) {
    self.init(
      eventID: arrival.eventID, receptionID: ReceptionID(tail: arrival.receptionTail),
      messageKey: arrival.messageTail.map { Token(tail: $0) },
      contentMac: Token(tail: arrival.contentTail), type: arrival.type,
      arrivedAt: arrival.arrivedAt, hash: arrival.hash, offset: arrival.offset,
      partition: arrival.partition, spokenBy: speaker)
  }
}
