import HandoffCore

/// A value of ours with one Protobuf form.
package protocol WireMessage: Sendable {
  /// The message's full name, which is also its `ce_type`.
  static var wireName: StaticString { get }

  func write(to writer: inout ProtobufWriter)

  /// Reads one message to its end; names the first field that is missing or breaks its rule.
  init(reading reader: inout ProtobufReader) throws(WireError)
}

extension WireMessage {
  /// The Protobuf form.
  package var protobuf: [UInt8] {
    var writer = ProtobufWriter(capacity: 512)
    write(to: &writer)
    return writer.bytes
  }

  /// Reads the Protobuf form.
  package init(protobuf bytes: [UInt8]) throws(WireError) {
    var reader = ProtobufReader(bytes, message: Self.wireName)
    try self.init(reading: &reader)
  }
}

extension ProtobufReader {
  mutating func party(_ field: StaticString) throws(WireError) -> Party {
    var organisation: OrganisationID?
    var system: Code?
    var role: Code?
    try inside("Party") { number, reader throws(WireError) in
      switch number {
      case 1: organisation = try reader.organisation("organisation")
      case 2: system = try reader.code("system")
      case 3: role = try reader.code("role")
      default: try reader.skip()
      }
    }
    guard let organisation else { throw invalid(field) }
    return Party(organisation: organisation, system: system, role: role)
  }

  mutating func externalReference(
    _ field: StaticString
  ) throws(WireError) -> ExternalReference {
    var system: Code?
    var token: Token?
    var assigner: OrganisationID?
    try inside("ExternalReference") { number, reader throws(WireError) in
      switch number {
      case 1: system = try reader.code("system")
      case 2: token = try reader.identifier("token")
      case 3: assigner = try reader.organisation("assigner")
      default: try reader.skip()
      }
    }
    guard let system, let token else { throw invalid(field) }
    return ExternalReference(system: system, token: token, assigner: assigner)
  }

  mutating func coordinates(_ field: StaticString) throws(WireError) -> RecordCoordinates {
    var topic = ""
    var partition: Int32 = 0
    var offset: Int64 = 0
    try inside("RecordCoordinates") { number, reader throws(WireError) in
      switch number {
      case 1: topic = try reader.text("topic", bytesMax: 249)
      case 2: partition = try reader.signed(Int32.self, "partition")
      case 3: offset = try reader.signed(Int64.self, "offset")
      default: try reader.skip()
      }
    }
    guard !topic.isEmpty, partition >= 0, offset >= 0 else { throw invalid(field) }
    return RecordCoordinates(topic: topic, partition: partition, offset: offset)
  }
}

extension ProtobufWriter {
  mutating func party(_ field: UInt32, _ value: Party?) {
    guard let value else { return }
    nested(field) { writer in
      writer.organisation(1, value.organisation)
      writer.code(2, value.system)
      writer.code(3, value.role)
    }
  }

  mutating func externalReference(_ field: UInt32, _ value: ExternalReference) {
    nested(field) { writer in
      writer.code(1, value.system)
      writer.identifier(2, value.token)
      writer.organisation(3, value.assigner)
    }
  }

  mutating func coordinates(_ field: UInt32, _ value: RecordCoordinates?) {
    guard let value else { return }
    nested(field) { writer in
      writer.text(1, value.topic)
      writer.signed(2, value.partition)
      writer.signed(3, value.offset)
    }
  }
}
