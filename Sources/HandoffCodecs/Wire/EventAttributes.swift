/// The `ce_` headers of a record as members of a line, in the line's order.
struct EventAttributes {
  var members: [(name: String, value: String)] = []
  var contentType: String?

  /// Members of a line that are no attribute of the event.
  private static let reserved: Set<String> = [
    "datacontenttype", "partitionkey", "recordkey", "brokertopic", "brokerpartition",
    "brokeroffset", "brokertime", "recordheaders", "recordhash", "data",
  ]
  private static let order = ["specversion", "id", "source", "type", "time", "subject"]

  init() {}

  /// What the headers of a record say; what cannot stand as an attribute is left out.
  init(_ record: WireRecord) {
    var found: [(name: String, value: String)] = []
    for header in record.headers {
      guard let value = header.value, let text = String(validating: value, as: UTF8.self) else {
        continue
      }
      if header.name == "content-type" {
        contentType = contentType ?? text
      } else if header.name.hasPrefix("ce_") {
        let name = String(header.name.dropFirst(3))
        guard Self.isAttribute(name), !found.contains(where: { $0.name == name }) else { continue }
        found.append((name, text))
      }
    }
    members =
      Self.order.compactMap { name in found.first { $0.name == name } }
      + found.filter { !Self.order.contains($0.name) }
    // A line is a CloudEvent 1.0 even where the record is none; `recordheaders` then has the truth.
    members.removeAll { $0.name == "specversion" }
    members.insert(("specversion", "1.0"), at: 0)
  }

  /// Lower-case letters and digits only, as CloudEvents asks, and none of the line's own members.
  static func isAttribute(_ name: String) -> Bool {
    !name.isEmpty && !reserved.contains(name)
      && name.utf8.allSatisfy {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
          || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
      }
  }

  /// The headers that these attributes stand for.
  func headers(contentType: String?) -> [RecordHeader] {
    members.map { RecordHeader("ce_\($0.name)", $0.value) }
      + (contentType.map { [RecordHeader("content-type", $0)] } ?? [])
  }

  /// The value as JSON for people; `nil` where the schema cannot read it.
  func decoded(_ value: [UInt8]?) -> [UInt8]? {
    guard let value, let type = members.first(where: { $0.name == "type" })?.value else {
      return nil
    }
    switch contentType {
    case CloudEvent.protobufType:
      // Fields that this version does not know would be lost, and the hash with them.
      guard let json = WireJSON.json(fromProtobuf: value, type: type),
        (try? WireJSON.protobuf(fromJSON: json, type: type)) == value
      else { return nil }
      return json
    case CloudEvent.jsonType:
      let isOneLine = !value.contains(0x0a) && !value.contains(0x0d)
      guard isOneLine, (try? WireJSON.protobuf(fromJSON: value, type: type)) != nil else {
        return nil
      }
      return value
    default: return nil
    }
  }
}

/// A record's headers as bytes: `repeated Header { string name = 1; optional bytes value = 2; } = 1`.
enum HeaderList {
  static func encode(_ headers: [RecordHeader]) -> [UInt8] {
    var writer = ProtobufWriter()
    for header in headers {
      writer.nested(1) { nested in
        nested.bytes(1, Array(header.name.utf8))
        if let value = header.value { nested.present(2, bytes: value) }
      }
    }
    return writer.bytes
  }

  static func decode(_ bytes: [UInt8]) -> [RecordHeader]? {
    var reader = ProtobufReader(bytes, message: "recordheaders")
    var headers: [RecordHeader] = []
    do {
      while let number = try reader.nextField() {
        guard number == 1 else { return nil }
        var nested = try reader.nested("recordheaders")
        var header = RecordHeader("", nil)
        while let number = try nested.nextField() {
          switch number {
          case 1: header.name = try nested.text("name", bytesMax: 1 << 15)
          case 2: header.value = try nested.byteArray()
          default: return nil
          }
        }
        headers.append(header)
      }
    } catch {
      return nil
    }
    return headers
  }
}

/// Writes one JSON object on one line.
struct JSONLine {
  private var bytes: [UInt8] = [UInt8(ascii: "{")]

  mutating func string(_ name: String, _ value: String) {
    member(name, JSONMembers.quote(value))
  }

  /// A member whose value is JSON already.
  mutating func member(_ name: String, _ json: [UInt8]) {
    if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
    bytes.append(contentsOf: JSONMembers.quote(name))
    bytes.append(UInt8(ascii: ":"))
    bytes.append(contentsOf: json)
  }

  consuming func end() -> [UInt8] {
    bytes.append(UInt8(ascii: "}"))
    return bytes
  }
}
