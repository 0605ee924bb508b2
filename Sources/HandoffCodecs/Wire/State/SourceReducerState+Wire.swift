package import HandoffCore

/// One record of the source reducer's changelog.
package enum SourceReducerState: Hashable, Sendable {
  case partition(SourcePartitionState)
  /// Without the messages that it knows again, which are records of their own.
  case source(Source)
  case messages(of: Code, MessageMemory.Segment)

  /// The key of the record.
  package var key: String {
    switch self {
    case .partition: WireCodec.partitionStateKey
    case .source(let source): "source.\(source.code)"
    case .messages(let code, let segment): Self.key(ofMessages: segment.number, of: code)
    }
  }

  /// The key of a segment of messages, also once it is forgotten.
  package static func key(ofMessages number: UInt64, of code: Code) -> String {
    "messages.\(code).\(number)"
  }
}

extension WireCodec {
  package func encode(_ state: SourceReducerState) -> WireRecord {
    record(
      state, key: state.key, id: state.key, source: Self.busSource, time: nil, subject: nil)
  }

  /// A record of the source reducer's changelog; a layout of another version is
  /// `wire.version-unknown`.
  package static func sourceReducerState(
    _ record: WireRecord
  ) throws(WireError) -> SourceReducerState {
    let state = try message(SourceReducerState.self, record)
    guard let key = record.key, key.elementsEqual(state.key.utf8) else {
      throw WireError(.keyMismatch, "key")
    }
    return state
  }
}

extension SourceReducerState: WireMessage {
  package static var wireName: StaticString { "baton.handoff.v1.SourceReducerState" }

  package func write(to writer: inout ProtobufWriter) {
    writer.unsigned(1, stateLayout)
    switch self {
    case .partition(let state): writer.nested(2) { state.write(to: &$0) }
    case .source(let source): writer.nested(3) { source.write(to: &$0) }
    case .messages(let code, let segment):
      writer.nested(4) { segment.write(of: code, to: &$0) }
    }
  }

  package init(reading reader: inout ProtobufReader) throws(WireError) {
    var isLayoutKnown = false
    var content: (number: UInt32, reader: ProtobufReader)?
    while let number = try reader.nextField() {
      switch number {
      case 1:
        try reader.checkLayout()
        isLayoutKnown = true
      case 2: content = (number, try reader.nested("SourcePartition"))
      case 3: content = (number, try reader.nested("SourceMemory"))
      case 4: content = (number, try reader.nested("SourceMessages"))
      default: try reader.skip()
      }
    }
    guard isLayoutKnown else { throw reader.missing("layout") }
    guard var content else { throw reader.missing("content") }
    switch content.number {
    case 2: self = .partition(try SourcePartitionState(reading: &content.reader))
    case 3: self = .source(try Source(reading: &content.reader))
    default:
      let (code, segment) = try MessageMemory.Segment.read(&content.reader)
      self = .messages(of: code, segment)
    }
  }
}

extension SourcePartitionState {
  func write(to writer: inout ProtobufWriter) {
    writer.moment(1, time)
    writer.signed(2, nextOffset)
    writer.nested(3) { activation.write(to: &$0) }
    for episode in book.episodes { writer.nested(4) { episode.write(to: &$0) } }
  }

  init(reading reader: inout ProtobufReader) throws(WireError) {
    var time = Timestamp(nanoseconds: 0)
    var nextOffset: Int64 = 0
    var activation: RulesActivation?
    var episodes: [Episode] = []
    while let number = try reader.nextField() {
      switch number {
      case 1: time = try reader.moment()
      case 2: nextOffset = try reader.signed(Int64.self, "next_offset")
      case 3:
        var nested = try reader.nested("RulesActivation")
        activation = try RulesActivation(reading: &nested)
      case 4:
        var nested = try reader.nested("Episode")
        episodes.append(try Episode(reading: &nested))
      default: try reader.skip()
      }
    }
    guard let activation else { throw reader.missing("activation") }
    self.init(
      time: time, nextOffset: nextOffset, activation: activation, book: EpisodeBook(episodes))
  }
}

extension MessageMemory.Segment {
  func write(of code: Code, to writer: inout ProtobufWriter) {
    writer.code(1, code)
    writer.unsigned(2, number)
    for entry in entries {
      writer.nested(3) { writer in
        writer.identifier(1, entry.receptionID)
        writer.identifier(2, entry.key)
        writer.identifier(3, entry.content)
        writer.identifier(4, entry.subject)
        writer.moment(5, entry.at)
        writer.nested(6) { entry.evidence.write(to: &$0) }
      }
    }
  }

  static func read(
    _ reader: inout ProtobufReader
  ) throws(WireError) -> (Code, MessageMemory.Segment) {
    var code: Code?
    var segment = MessageMemory.Segment(number: 0, entries: [])
    while let number = try reader.nextField() {
      switch number {
      case 1: code = try reader.code("source")
      case 2: segment.number = try reader.unsigned()
      case 3:
        guard segment.entries.count < MessageMemory.segmentSize else {
          throw reader.invalid("messages")
        }
        var nested = try reader.nested("SourceMessage")
        segment.entries.append(try MessageMemory.Entry(reading: &nested))
      default: try reader.skip()
      }
    }
    guard let code else { throw reader.missing("source") }
    return (code, segment)
  }
}

extension MessageMemory.Entry {
  init(reading reader: inout ProtobufReader) throws(WireError) {
    var receptionID: ReceptionID?
    var key: Token?
    var content: Token?
    var subject: Token?
    var at = Timestamp(nanoseconds: 0)
    var evidence: Evidence?
    while let number = try reader.nextField() {
      switch number {
      case 1: receptionID = try reader.identifier("reception_id")
      case 2: key = try reader.identifier("message_key")
      case 3: content = try reader.identifier("content_mac")
      case 4: subject = try reader.identifier("subject")
      case 5: at = try reader.moment()
      case 6:
        var nested = try reader.nested("Evidence")
        evidence = try Evidence(reading: &nested)
      default: try reader.skip()
      }
    }
    guard let receptionID else { throw reader.missing("reception_id") }
    guard let evidence else { throw reader.missing("evidence") }
    self.init(
      receptionID: receptionID, key: key, content: content, subject: subject, at: at,
      evidence: evidence)
  }
}
