import HandoffCodecs
import HandoffCore
import TestSupport
import Testing

/// A record in JSON and the same in Protobuf are one record, for every kind there is.
@Suite struct `Two forms of one record` {
  private func json(_ bytes: [UInt8], _ type: String) throws -> [UInt8] {
    try #require(WireJSON.json(fromProtobuf: bytes, type: type))
  }

  private func protobuf(_ json: [UInt8], _ type: String) throws -> [UInt8] {
    try WireJSON.protobuf(fromJSON: json, type: type)
  }

  /// Value and full type of each record that this version writes, and of each that one ever wrote.
  private func values(seed: UInt64) throws -> [(type: String, bytes: [UInt8])] {
    var records = try RecordSamples.all(seed: seed)
    if seed == 0 {
      let landed = try LandedVersion.all.flatMap { try $0.lines("records.ndjson") }
      records += try landed.map { try NDJSON.parse($0).record }
    }
    return try records.compactMap { record in
      let type = record.headers.first { $0.name == "ce_type" }?.value ?? []
      let isJSON = record.headers.contains { $0.value == Array("application/json".utf8) }
      let name = String(decoding: type, as: UTF8.self)
      let value = try #require(record.value)
      return (name, isJSON ? try protobuf(value, name) : value)
    }
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `become each other and come back byte for byte`(seed: UInt64) throws {
    for (type, bytes) in try values(seed: seed) {
      let text = try json(bytes, type)
      #expect(try protobuf(text, type) == bytes, "\(type)")
      #expect(try json(protobuf(text, type), type) == text, "\(type)")
    }
  }

  @Test func `hold every field there is, each of which makes a difference in both`() throws {
    let source = try ProtoSource.contract()
    var seen: Set<String> = []
    for seed in 0..<30 as Range<UInt64> {
      for (type, bytes) in try values(seed: seed + 1) {
        let tree = try JSONTree(json(bytes, type))
        for member in tree.members {
          let name = "\(type.split(separator: ".").last ?? "").\(member.name)"
          guard seen.insert(name).inserted else { continue }
          let less = Array(tree.without(member.name).compact.utf8)
          #expect(try protobuf(less, type) != bytes, "\(name)")
        }
      }
    }
    for message in RecordSchemas(source).onTopics {
      for field in message.fields {
        #expect(seen.contains("\(message.name).\(field.jsonName)"), "\(message.name).\(field.name)")
      }
    }
  }

  @Test(arguments: 0..<5 as Range<UInt64>)
  func `are read though a later writer put fields into them that nobody knows`(seed: UInt64) throws
  {
    let unknown: [UInt8] = [0x82, 0x7d, 2, 9, 9]  // Field 2000, two bytes.
    for (type, bytes) in try values(seed: seed) {
      let name = String(type.split(separator: ".").last ?? "")
      var tree = try JSONTree(json(bytes, type))
      tree["ofTheFuture"] = ["deep": [["er": "x"]]]
      let fromJSON = try protobuf(Array(tree.compact.utf8), type)
      #expect(fromJSON == bytes, "\(type)")
      #expect(throws: Never.self, "\(type)") {
        try RecordSamples.read(name, protobuf: bytes + unknown)
      }
    }
  }

  /// Sets whose schema says that a value of the future is read as none.
  private static let readAsUnsaid: Set = ["CorrelationEntry.kind"]

  @Test(arguments: [false, true])
  func `are refused alike where a closed set has a value of the future`(
    isBesideUnknown: Bool
  ) throws {
    let source = try ProtoSource.contract()
    var count = 0
    for (type, bytes) in try values(seed: 3) {
      let name = String(type.split(separator: ".").last ?? "")
      for (path, changed) in changes(try JSONTree(json(bytes, type)), name, source) {
        var changed = changed
        if isBesideUnknown { changed["ofTheFuture"] = 1 }
        if Self.readAsUnsaid.contains(path) {
          #expect(throws: Never.self, "\(path)") { try RecordSamples.read(name, changed) }
        } else {
          #expect(throws: WireError.self, "\(path)") { try RecordSamples.read(name, changed) }
        }
        count += 1
      }
    }
    #expect(count > 10)
  }

  /// The document with one closed set changed, at each place where there is one.
  private func changes(
    _ tree: JSONTree, _ message: String, _ source: ProtoSource
  ) -> [(path: String, document: JSONTree)] {
    var changes: [(String, JSONTree)] = []
    for field in source.message(message)?.fields ?? [] where tree[field.jsonName] != .null {
      let value = tree[field.jsonName]
      let path = "\(message).\(field.name)"
      if source.enumeration(field.type, in: message) != nil {
        for other in [.string("OF_THE_FUTURE"), .number("9999")] as [JSONTree] {
          var changed = tree
          changed[field.jsonName] = other
          changes.append((path, changed))
        }
      } else if source.message(field.type) != nil {
        guard let inner = field.isRepeated ? value.elements.first : value else { continue }
        for (path, changedInner) in self.changes(inner, field.type, source) {
          var changed = tree
          changed[field.jsonName] =
            field.isRepeated
            ? .array([changedInner] + value.elements.dropFirst()) : changedInner
          changes.append((path, changed))
        }
      }
    }
    return changes
  }
}
