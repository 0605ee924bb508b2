import HandoffCore

/// The attributes of a CloudEvents 1.0 event that a reader acts on, and its data.
///
/// Kafka protocol binding 1.0.2: in binary mode attributes are headers `ce_<name>` in UTF-8 and
/// `content-type` is the data's; in structured mode the value is the whole event in JSON.
struct CloudEvent {
  /// What form the data is in.
  enum DataForm { case protobuf, json }

  var id: [UInt8]
  var type: [UInt8]
  var form: DataForm
  var data: [UInt8]

  static let protobufType = "application/protobuf"
  static let jsonType = "application/json"
  static let structuredType = "application/cloudevents+json"

  private static let protobufTypeBytes = Array(protobufType.utf8)
  private static let specVersionBytes = Array("1.0".utf8)

  /// Reads the headers of a record, and in structured mode its value.
  init(_ value: [UInt8]?, headers: [RecordHeader]) throws(WireError) {
    // Where they stand: each value that is taken out costs a reference.
    var idAt: Int?
    var typeAt: Int?
    var specVersionAt: Int?
    var hasSource = false
    var contentTypeAt: Int?
    for index in headers.indices {
      // By length first: of most names one comparison is left.
      switch headers[index].name.utf8.count {
      case 5 where headers[index].name == "ce_id": idAt = index
      case 7 where headers[index].name == "ce_type": typeAt = index
      case 9 where headers[index].name == "ce_source":
        hasSource = headers[index].value?.isEmpty == false
      case 12 where headers[index].name == "content-type": contentTypeAt = index
      case 14 where headers[index].name == "ce_specversion": specVersionAt = index
      default: continue
      }
    }
    guard let value else { throw WireError(.tombstone, "value") }
    guard value.count <= WireCodec.valueBytesMax else { throw WireError(.tooLarge, "value") }
    var form: ContentType?
    if let contentTypeAt, let contentType = headers[contentTypeAt].value {
      form = try ContentType(contentType)
    }
    if form == .structured {
      self = try CloudEvent(structured: value)
      return
    }
    guard let specVersionAt, let specVersion = headers[specVersionAt].value else {
      throw WireError(.attributeMissing, "ce_specversion")
    }
    guard specVersion == Self.specVersionBytes else {
      throw WireError(.versionUnknown, "ce_specversion")
    }
    guard let idAt, let id = headers[idAt].value, !id.isEmpty else {
      throw WireError(.attributeMissing, "ce_id")
    }
    guard let typeAt, let type = headers[typeAt].value, !type.isEmpty else {
      throw WireError(.attributeMissing, "ce_type")
    }
    guard hasSource else { throw WireError(.attributeMissing, "ce_source") }
    switch form {
    case .protobuf: self.init(id: id, type: type, form: .protobuf, data: value)
    case .json: self.init(id: id, type: type, form: .json, data: value)
    case .structured, nil: throw WireError(.attributeMissing, "content-type")
    }
  }

  /// Reads an event in the JSON format: data as JSON, or any data in base64.
  init(structured value: [UInt8]) throws(WireError) {
    let members: JSONMembers
    do {
      members = try JSONMembers(value)
    } catch {
      throw WireError(.malformed, "cloudevents+json")
    }
    func text(_ name: String) throws(WireError) -> [UInt8] {
      guard let text = members.text(name), !text.isEmpty else {
        throw WireError(.attributeMissing, name)
      }
      return Array(text.utf8)
    }
    guard try text("specversion") == Self.specVersionBytes else {
      throw WireError(.versionUnknown, "specversion")
    }
    _ = try text("source")
    id = try text("id")
    type = try text("type")
    if let data = members.raw("data") {
      form = .json
      self.data = Array(data)
      return
    }
    let contentType = try ContentType(try text("datacontenttype"))
    guard let base64 = members.text("data_base64") else { throw WireError(.fieldMissing, "data") }
    guard let data = Base64.decode(base64) else { throw WireError(.malformed, "data_base64") }
    switch contentType {
    case .protobuf: form = .protobuf
    case .json: form = .json
    case .structured: throw WireError(.contentType, "datacontenttype")
    }
    self.data = data
  }

  private init(id: [UInt8], type: [UInt8], form: DataForm, data: [UInt8]) {
    self.id = id
    self.type = type
    self.form = form
    self.data = data
  }

  /// Media types are compared without case and parameters (RFC 9110 §8.3.1).
  private enum ContentType {
    case protobuf, json, structured

    init(_ bytes: [UInt8]) throws(WireError) {
      if bytes.equals(CloudEvent.protobufTypeBytes) {
        self = .protobuf
        return
      }
      let text = String(decoding: bytes.prefix { $0 != UInt8(ascii: ";") }, as: UTF8.self)
      switch text.lowercased().filter({ $0 != " " && $0 != "\t" }) {
      case CloudEvent.protobufType: self = .protobuf
      case CloudEvent.jsonType: self = .json
      case CloudEvent.structuredType: self = .structured
      default: throw WireError(.contentType, "content-type")
      }
    }
  }
}
