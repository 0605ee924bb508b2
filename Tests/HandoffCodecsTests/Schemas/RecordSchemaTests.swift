import HandoffCodecs
import HandoffCore
import TestSupport
import Testing

/// The JSON Schemas of records, and the readers and writers of records, say the same.
@Suite struct `The schemas of records` {
  private let schemas: [String: JSONSchema]
  private let source: ProtoSource

  init() throws {
    source = try ProtoSource.contract()
    schemas = try RecordSchemas.all()
  }

  @Test func `are what the proto files make of them`() throws {
    for (name, schema) in RecordSchemas(source).files {
      let text = try GoldenFile.text("Schemas/json/\(name)", madeAs: schema.pretty)
      #expect(text == schema.pretty, "\(name): \(GoldenFile.advice)")
    }
  }

  @Test func `describe everything that is in them`() throws {
    func undescribed(_ schema: JSONTree, _ place: String) -> [String] {
      var found: [String] = []
      for group in ["properties", "$defs"] {
        for member in schema[group].members {
          if (member.value["description"].text ?? "").isEmpty {
            found.append("\(place).\(member.name)")
          }
          found += undescribed(member.value, "\(place).\(member.name)")
        }
      }
      return found
    }
    for (name, schema) in RecordSchemas(source).files {
      #expect(schema["description"].text?.isEmpty == false, "\(name)")
      #expect(undescribed(schema, name) == [])
    }
  }

  /// The data of records that this version writes, by the message's name.
  private func samples(seeds: Range<UInt64>) throws -> [(type: String, data: JSONTree)] {
    var samples: [(String, JSONTree)] = []
    for seed in seeds {
      for record in try RecordSamples.all(seed: seed) {
        let line = try JSONTree(NDJSON.line(record, form: .decoded))
        let type = try #require(line["type"].text?.split(separator: ".").last)
        samples.append((String(type), line["data"]))
      }
    }
    return samples
  }

  private func faults(_ type: String, _ data: JSONTree) throws -> [JSONSchema.Fault] {
    let schema = try #require(schemas[RecordSchemas.fileName(of: type)], "no schema of \(type)")
    return try schema.faults(in: data)
  }

  @Test func `take everything that is written`() throws {
    for (type, data) in try samples(seeds: 0..<20) {
      let faults = try faults(type, data)
      #expect(faults == [], "\(type)")
    }
    let journeys = ["gp-hospital-closed", "hospital-council-late", "gp-voluntary-rerouted"]
    for name in journeys.flatMap({ ["\($0).ndjson", "\($0).alerts.ndjson"] }) {
      let text = try GoldenFile.read("Schemas/journeys/\(name)")
      for line in text.split(separator: "\n") {
        let tree = try JSONTree(String(line))
        let type = try #require(tree["type"].text?.split(separator: ".").last)
        #expect(try faults(String(type), tree["data"]) == [], "\(name)")
      }
    }
  }

  @Test func `hold no field that is not written, and miss none that is`() throws {
    var written: [String: Set<String>] = [:]
    for (type, data) in try samples(seeds: 0..<200) {
      collect(data, in: type, into: &written)
    }
    let ofRecords = RecordSchemas(source).onTopics.reduce(into: Set<String>()) { names, record in
      reachable(record.name, into: &names)
    }
    for message in source.messages where ofRecords.contains(message.name) {
      #expect(
        written[message.name, default: []] == Set(message.fields.map(\.jsonName)),
        "\(message.name)")
    }
  }

  private func reachable(_ name: String, into names: inout Set<String>) {
    guard let message = source.message(name), names.insert(name).inserted else { return }
    for field in message.fields { reachable(field.type, into: &names) }
  }

  @Test(arguments: 0..<10 as Range<UInt64>)
  func `take every notice that an organisation is sent`(seed: UInt64) throws {
    var random = EventGenerator(seed: seed)
    let person = Notice.Person(
      nhsNumber: "9990500002", nhsNumberStatus: "number-present-and-verified",
      localIDs: [("4711", "RTH", "MR")], familyName: "Roe", givenName: "Ann",
      birthDate: "1950-02-03", postcode: "OX1 1AA")
    let identity = Notice.Identity(
      person: person, priorPerson: random.chance() ? person : nil, messageID: "m 1",
      references: [
        Notice.Reference(role: "handoff", system: "UBRN", value: "u 1", assigner: "Trust")
      ])
    let notices = [
      Notice(id: random.id(), of: try random.event(), identity),
      Notice(id: random.id(), of: try random.verdict()),
    ]
    for notice in notices {
      #expect(try faults("Notice", JSONTree(notice.json)) == [])
    }
  }

  private func collect(_ data: JSONTree, in type: String, into written: inout [String: Set<String>])
  {
    for member in data.members {
      written[type, default: []].insert(member.name)
      guard
        let field = source.message(type)?.fields.first(where: { $0.jsonName == member.name }),
        source.message(field.type) != nil
      else { continue }
      let values = field.isRepeated ? member.value.elements : [member.value]
      for value in values { collect(value, in: field.type, into: &written) }
    }
    if data.members.isEmpty { written[type, default: []].formUnion([]) }
  }

  @Test(arguments: 0..<3 as Range<UInt64>)
  func `refuse what readers refuse, and nothing else`(seed: UInt64) throws {
    var seen: Set<String> = []
    var refused = 0
    for (type, data) in try samples(seeds: seed..<seed + 1) where seen.insert(type).inserted {
      for mutated in Mutations.all(of: data) {
        // The one set whose unknown values are read as none, as its comment says.
        if type == "CorrelationEntry", mutated.what.hasPrefix("$.kind ") { continue }
        let faults = try faults(type, mutated.document)
        let isRead = (try? RecordSamples.read(type, mutated.document)) != nil
        #expect(faults.isEmpty == isRead, "\(type) \(mutated.what): \(faults)")
        if !isRead { refused += 1 }
      }
    }
    #expect(seen.count == RecordSchemas(source).onTopics.count && refused > 500)
  }
}
