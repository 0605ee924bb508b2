import Foundation
import HandoffCodecs
import HandoffCore
import TestSupport
import Testing

@Suite(.serialized) struct WorkedJourneyTests {
  private static let folder = PackageRoot.url.appending(path: "Schemas/journeys")

  /// What the file holds; with UPDATE_GOLDEN=1, or with the end of its name, it is written first.
  private func golden(_ name: String, _ expected: [UInt8]) throws -> [UInt8] {
    let url = Self.folder.appending(path: name)
    let update = ProcessInfo.processInfo.environment["UPDATE_GOLDEN"]
    if let update, update == "1" || name.hasSuffix(update) {
      try Data(expected).write(to: url)
    }
    return Array(try Data(contentsOf: url))
  }

  private func lines(_ lines: [[UInt8]]) -> [UInt8] { lines.flatMap { $0 + [0x0a] } }

  /// The policy beside the journeys: the default of the day on which they were written.
  private func policy() throws -> Policy {
    let text = Array(PolicyDocument.render(.default).utf8)
    return try PolicyDocument(try golden("policy.yaml", text)).policy
  }

  @Test(arguments: try WorkedJourney.all())
  func `the file of a journey holds its records, for people to read`(journey: WorkedJourney) throws
  {
    let text = lines(journey.records.map { NDJSON.line($0, form: .decoded) })
    #expect(try golden("\(journey.name).ndjson", text) == text)
  }

  @Test(arguments: try WorkedJourney.all())
  func `a journey reads back from its file, and goes round in both forms`(journey: WorkedJourney)
    throws
  {
    let file = try Data(contentsOf: Self.folder.appending(path: "\(journey.name).ndjson"))
    var splitter = LineSplitter()
    splitter.append(file)
    splitter.finish()
    var records: [StoredRecord] = []
    while let line = try splitter.next() {
      let stored = try #require(try NDJSON.parse(line.bytes).stored)
      #expect(try NDJSON.parse(NDJSON.line(stored, form: .exact)).stored == stored)
      #expect(NDJSON.line(stored, form: .decoded) == line.bytes)
      records.append(stored)
    }
    #expect(records == journey.records)
  }

  @Test(arguments: try WorkedJourney.all())
  func `a journey raises the alerts beside it`(journey: WorkedJourney) throws {
    let verdicts = try journey.verdicts(under: policy())
    let text = lines(verdicts.map { NDJSON.line(WireCodec().encode($0), form: .decoded) })
    #expect(try golden("\(journey.name).alerts.ndjson", text) == text)
    let said = verdicts.map { "\($0.rule.rawValue) \($0.action.rawValue)" }
    #expect(said == Self.said[journey.name])
  }

  /// What each journey is about, so that a new golden file cannot quietly change it.
  private static let said = [
    "gp-hospital-closed": [],
    "hospital-council-late": [
      "A07 opened", "A07 resolved", "A21 opened", "A08 opened", "A21 resolved", "A08 resolved",
    ],
    "gp-voluntary-rerouted": ["A01 opened", "A01 resolved", "A11 opened", "A11 resolved"],
  ]
}
