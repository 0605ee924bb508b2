import HandoffCodecs
import HandoffCore
import TestSupport
import Testing

/// The schema of a line, and the reader and writer of lines, say the same.
@Suite struct `The schema of a line` {
  private let schema: JSONSchema

  init() throws {
    schema = try #require(try RecordSchemas.all()[LineSchema.fileName])
  }

  @Test func `is what the code makes of it`() throws {
    let made = LineSchema(records: RecordSchemas(try ProtoSource.contract()).records).schema
    let path = "Schemas/json/\(LineSchema.fileName)"
    #expect(try GoldenFile.text(path, madeAs: made.pretty) == made.pretty, "\(GoldenFile.advice)")
  }

  /// Records of every kind, and one of a foreign writer.
  private func lines(seed: UInt64) throws -> [JSONTree] {
    var records = try RecordSamples.all(seed: seed).map {
      StoredRecord(
        record: $0,
        coordinates: RecordCoordinates(topic: "handoff.events.v1", partition: 3, offset: 17),
        brokerAt: JourneyGenerator.start)
    }
    var foreign = records[0]
    foreign.record.headers = [RecordHeader("odd", nil), RecordHeader("ce_dataschema", "x")]
    foreign.record.key = [0xff]
    records.append(foreign)
    return try records.flatMap { stored in
      try NDJSON.Form.allCases.map { try JSONTree(NDJSON.line(stored, form: $0)) }
    }
  }

  @Test(arguments: 0..<10 as Range<UInt64>)
  func `takes every line that is written`(seed: UInt64) throws {
    for line in try lines(seed: seed) { #expect(try schema.faults(in: line) == []) }
  }

  @Test(arguments: LandedVersion.all)
  func `takes every line of earlier versions`(version: LandedVersion) throws {
    for name in ["records.ndjson", "meaning.ndjson", "submissions.ndjson"] {
      for line in try version.lines(name) {
        #expect(try schema.faults(in: JSONTree(line)) == [], "\(name)")
      }
    }
  }

  @Test func `refuses what the reader refuses, and nothing else`() throws {
    var refused = 0
    // Not of the foreign record: its headers stand in one member, and no other is read.
    for line in try lines(seed: 3).dropLast(2) {
      // Data has schemas of its own, and no schema can tell a wrong hash or a type that is none.
      let apart = line["data"] == .null ? [] : ["data", "recordhash", "type"]
      let envelope = apart.reduce(line) { $0.without($1) }
      for mutated in Mutations.all(of: envelope) where mutated.document.members.count > 1 {
        var document = mutated.document
        for name in apart {
          document[name] = line[name]
        }
        let isRead = (try? NDJSON.parse(Array(document.compact.utf8))) != nil
        #expect(try schema.faults(in: document).isEmpty == isRead, "\(mutated.what)")
        if !isRead { refused += 1 }
      }
    }
    #expect(refused > 200)
  }

  @Test func `refuses wrong kinds of data and hash as the reader does`() throws {
    let decoded = try #require(try lines(seed: 3).first { $0["data"] != .null })
    var cases: [JSONTree] = []
    for (name, value) in [
      ("recordhash", 5), ("recordhash", "zz"), ("data", "text"), ("data", []),
      ("data_base64", "AAAA"), ("datacontenttype", 5), ("type", "com.example.thing"),
    ] as [(String, JSONTree)] {
      var line = decoded
      line[name] = value
      cases.append(line)
    }
    cases.append(decoded.without("type"))
    for line in cases.dropLast(2) + cases.suffix(1) {
      #expect(try !schema.faults(in: line).isEmpty)
      #expect(throws: NDJSONFault.self) { try NDJSON.parse(Array(line.compact.utf8)) }
    }
    // A type that nobody here knows is for the reader to refuse: the schema cannot know it.
    #expect(throws: NDJSONFault.data(WireError(.typeUnknown, "ce_type"))) {
      try NDJSON.parse(Array(cases[6].compact.utf8))
    }
  }
}
