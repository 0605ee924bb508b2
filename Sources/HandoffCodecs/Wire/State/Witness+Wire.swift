import HandoffCore

extension ProtobufReader {
  /// Nanoseconds since the Unix epoch.
  mutating func moment() throws(WireError) -> Timestamp {
    Timestamp(nanoseconds: Int64(bitPattern: try fixed64()))
  }

  /// What counts of a content's MAC: 48 bits, of the 64 that were written up to version 4 of the rules.
  mutating func contentTail() throws(WireError) -> UInt64 { try fixed64() & Token.tailMask }

  mutating func witness(_ field: StaticString) throws(WireError) -> Witness {
    var reader = try nested("Witness")
    var eventID: EventID?
    var hash: RecordHashPrefix?
    var arrivedAt = Timestamp(nanoseconds: 0)
    var occurredAt = Timestamp(nanoseconds: 0)
    var offset: Int64 = 0
    var partition: Int32?
    while let number = try reader.nextField() {
      switch number {
      case 1: eventID = try reader.identifier("event_id")
      case 2: hash = try reader.hashPrefix("record_hash")
      case 3: arrivedAt = try reader.moment()
      case 4: occurredAt = try reader.moment()
      case 5: offset = try reader.signed(Int64.self, "offset")
      case 6: partition = try reader.partition()
      default: try reader.skip()
      }
    }
    guard let eventID, let hash else { throw invalid(field) }
    return Witness(
      eventID: eventID, hash: hash, arrivedAt: arrivedAt, occurredAt: occurredAt, offset: offset,
      partition: partition)
  }
}

extension ProtobufWriter {
  mutating func moment(_ field: UInt32, _ value: Timestamp) {
    if value.nanoseconds != 0 { fixed64(field, UInt64(bitPattern: value.nanoseconds)) }
  }

  /// Written even where it is 1970.
  mutating func moment(_ field: UInt32, present value: Timestamp?) {
    if let value { fixed64(field, UInt64(bitPattern: value.nanoseconds)) }
  }

  mutating func witness(_ field: UInt32, _ value: Witness?) {
    guard let value else { return }
    nested(field) { writer in
      writer.identifier(1, value.eventID)
      writer.hash(2, prefix: value.hash)
      writer.moment(3, value.arrivedAt)
      writer.moment(4, value.occurredAt)
      writer.signed(5, value.offset)
      writer.signed(6, present: value.partition)
    }
  }
}

extension Mark.Step: WireNumbered {
  /// One above the number in memory, because 0 means unspecified.
  package var wireNumber: UInt32 { UInt32(rawValue) + 1 }

  static func numbered(_ number: UInt64) -> Mark.Step? {
    (1...255).contains(number) ? Mark.Step(rawValue: UInt8(number - 1)) : nil
  }
}

extension ProtobufReader {
  /// A partition of a topic, from 0.
  mutating func partition() throws(WireError) -> Int32 {
    let partition = try signed(Int32.self, "partition")
    guard partition >= 0 else { throw invalid("partition") }
    return partition
  }
}
