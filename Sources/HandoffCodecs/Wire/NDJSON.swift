package import HandoffCore

/// One line of NDJSON is one record: a CloudEvent in JSON (CloudEvents JSON format 1.0.2), with key,
/// place and broker's time as extension attributes.
///
/// | member | what |
/// | --- | --- |
/// | `specversion`, `id`, `source`, `type`, `time`, `subject` … | the record's `ce_` headers |
/// | `datacontenttype` | its `content-type` |
/// | `partitionkey` | its key, where that is text; `recordkey` in base64 where it is not |
/// | `brokertopic`, `brokerpartition`, `brokeroffset`, `brokertime` | where and when the broker put it |
/// | `recordheaders` | all headers in base64, only where the members above cannot give them back |
/// | `data_base64` | the stored value, byte for byte |
/// | `data` | the same decoded, for people, with `recordhash` beside it |
///
/// `brokeroffset` is a string, because an Integer of CloudEvents has 32 bits.
package enum NDJSON {
  /// The longest line that is read.
  package static let lineBytesMax = 8 << 20

  /// Which form the value is in.
  package enum Form: String, CaseIterable, Hashable, Sendable {
    /// The stored bytes in base64: what is exported, imported and proved.
    case exact
    /// The decoded message: what people read and write.
    case decoded
  }

  /// The line of a record of a topic, without its newline.
  package static func line(_ stored: StoredRecord, form: Form = .exact) -> [UInt8] {
    line(
      NDJSONRecord(
        record: stored.record, coordinates: stored.coordinates, brokerAt: stored.brokerAt),
      form: form)
  }

  /// The line of a record that has no place in a topic yet.
  package static func line(_ record: WireRecord, form: Form = .exact) -> [UInt8] {
    line(NDJSONRecord(record: record, coordinates: nil, brokerAt: nil), form: form)
  }

  /// The line of a record, without its newline.
  ///
  /// A value that the schema cannot decode stays exact in either form.
  package static func line(_ record: NDJSONRecord, form: Form) -> [UInt8] {
    var line = JSONLine()
    let attributes = EventAttributes(record.record)
    for (name, value) in attributes.members { line.string(name, value) }
    let decoded = form == .decoded ? attributes.decoded(record.record.value) : nil
    if decoded != nil {
      line.string("datacontenttype", CloudEvent.jsonType)
    } else if let contentType = attributes.contentType {
      line.string("datacontenttype", contentType)
    }
    if let key = record.record.key {
      if let text = String(validating: key, as: UTF8.self) {
        line.string("partitionkey", text)
      } else {
        line.string("recordkey", Base64.encode(key))
      }
    }
    if let coordinates = record.coordinates {
      line.string("brokertopic", coordinates.topic)
      line.member("brokerpartition", Array("\(coordinates.partition)".utf8))
      line.string("brokeroffset", "\(coordinates.offset)")
    }
    if let brokerAt = record.brokerAt { line.string("brokertime", RFC3339.text(brokerAt)) }
    if attributes.headers(contentType: attributes.contentType) != record.record.headers {
      line.string("recordheaders", Base64.encode(HeaderList.encode(record.record.headers)))
    }
    if let decoded {
      line.string("recordhash", WireCodec.recordHash(record.record.value).description)
      line.member("data", decoded)
    } else if let value = record.record.value {
      line.string("data_base64", Base64.encode(value))
    }
    return line.end()
  }

  /// Reads one line in either form.
  ///
  /// A decoded line gives the Protobuf form of its data; where it carries `recordhash`, that form,
  /// or else the data's own text, must have it.
  package static func parse(_ line: [UInt8]) throws(NDJSONFault) -> NDJSONRecord {
    guard line.count <= lineBytesMax else { throw .tooLong }
    let members: JSONMembers
    do {
      members = try JSONMembers(line)
    } catch {
      throw .malformed(position: error.position)
    }
    guard members.text("specversion") == "1.0" else { throw .member("specversion") }
    let coordinates = try coordinates(members)
    var brokerAt: Timestamp?
    if members.raw("brokertime") != nil {
      guard let time = members.text("brokertime").flatMap({ RFC3339.parse($0) }) else {
        throw .member("brokertime")
      }
      brokerAt = time
    }
    let (value, isDecoded) = try value(members)
    let headers = try headers(members, isDecoded: isDecoded)
    return NDJSONRecord(
      record: WireRecord(key: try key(members), value: value, headers: headers),
      coordinates: coordinates, brokerAt: brokerAt)
  }

  /// Whether `line` is the one exact form of the record it holds.
  ///
  /// Every byte of such a line is then bound to the record's key, headers, place, time and value,
  /// so that no byte of an exported line can change unseen.
  package static func isCanonical(_ line: [UInt8]) -> Bool {
    guard let record = try? parse(line) else { return false }
    return self.line(record, form: .exact) == line
  }

  private static func key(_ members: JSONMembers) throws(NDJSONFault) -> [UInt8]? {
    if members.raw("recordkey") != nil {
      guard let key = members.text("recordkey").flatMap({ Base64.decode($0) }) else {
        throw .member("recordkey")
      }
      return key
    }
    guard members.raw("partitionkey") != nil else { return nil }
    guard let key = members.text("partitionkey") else { throw .member("partitionkey") }
    return Array(key.utf8)
  }

  private static func coordinates(
    _ members: JSONMembers
  ) throws(NDJSONFault) -> RecordCoordinates? {
    guard members.raw("brokertopic") != nil else { return nil }
    guard let topic = members.text("brokertopic"), (1...249).contains(topic.utf8.count) else {
      throw .member("brokertopic")
    }
    guard let partition = members.integer("brokerpartition").flatMap({ Int32(exactly: $0) }),
      partition >= 0
    else { throw .member("brokerpartition") }
    guard let offset = members.integer("brokeroffset"), offset >= 0 else {
      throw .member("brokeroffset")
    }
    return RecordCoordinates(topic: topic, partition: partition, offset: offset)
  }

  private static func value(
    _ members: JSONMembers
  ) throws(NDJSONFault) -> (value: [UInt8]?, isDecoded: Bool) {
    if members.raw("data_base64") != nil {
      guard members.raw("data") == nil else { throw .member("data") }
      guard let value = members.text("data_base64").flatMap({ Base64.decode($0) }) else {
        throw .member("data_base64")
      }
      return (value, false)
    }
    guard let data = members.raw("data") else { return (nil, false) }
    guard let type = members.text("type") else { throw .member("type") }
    let protobuf: [UInt8]
    do {
      protobuf = try WireJSON.protobuf(fromJSON: Array(data), type: type)
    } catch {
      throw .data(error)
    }
    guard members.raw("recordhash") != nil else { return (protobuf, true) }
    guard let stated = members.text("recordhash") else { throw .member("recordhash") }
    if WireCodec.recordHash(protobuf).description == stated { return (protobuf, true) }
    guard WireCodec.recordHash(Array(data)).description == stated else {
      throw .member("recordhash")
    }
    return (Array(data), false)
  }

  private static func headers(
    _ members: JSONMembers, isDecoded: Bool
  ) throws(NDJSONFault) -> [RecordHeader] {
    if members.raw("recordheaders") != nil {
      guard
        let headers = members.text("recordheaders").flatMap({ Base64.decode($0) })
          .flatMap(HeaderList.decode)
      else { throw .member("recordheaders") }
      return headers
    }
    var attributes = EventAttributes()
    for (name, raw) in members.members where EventAttributes.isAttribute(name) {
      guard raw.first == UInt8(ascii: "\""), let text = members.text(name) else {
        throw .member(name)
      }
      attributes.members.append((name, text))
    }
    var contentType = members.text("datacontenttype")
    guard contentType != nil || members.raw("datacontenttype") == nil else {
      throw .member("datacontenttype")
    }
    if isDecoded { contentType = CloudEvent.protobufType }
    return attributes.headers(contentType: contentType)
  }
}

/// What one line holds.
package struct NDJSONRecord: Hashable, Sendable {
  package var record: WireRecord
  /// Where it stood, for a line that was exported from a topic.
  package var coordinates: RecordCoordinates?
  package var brokerAt: Timestamp?

  package init(record: WireRecord, coordinates: RecordCoordinates?, brokerAt: Timestamp?) {
    self.record = record
    self.coordinates = coordinates
    self.brokerAt = brokerAt
  }

  /// The record as a topic keeps it; `nil` for a line without place or time.
  package var stored: StoredRecord? {
    guard let coordinates, let brokerAt else { return nil }
    return StoredRecord(record: record, coordinates: coordinates, brokerAt: brokerAt)
  }
}

/// Why one line is no record.
///
/// It never quotes the line.
package enum NDJSONFault: Error, Hashable, Sendable {
  /// Longer than the limit.
  case tooLong
  /// No JSON object; the byte at which it shows, from 0.
  case malformed(position: Int)
  /// A member that is missing or wrong.
  case member(String)
  /// Data that is no message of its type.
  case data(WireError)
}

extension NDJSONFault: CustomStringConvertible {
  package var description: String {
    switch self {
    case .tooLong: "ndjson.line-too-long: over \(NDJSON.lineBytesMax) bytes"
    case .malformed(let position): "ndjson.malformed: no JSON object, at byte \(position)"
    case .member(let name): "ndjson.member-invalid: \(name)"
    case .data(let error): "ndjson.data-invalid: \(error)"
    }
  }
}
