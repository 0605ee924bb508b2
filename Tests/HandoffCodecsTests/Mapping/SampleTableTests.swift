import HandoffCore
import TestSupport
import Testing

@testable import HandoffCodecs

@Suite(.enabled(if: PackageRoot.hasSamples, "../shared/samples is not here"))
struct SampleTableTests {
  @Test func `every message of every sample becomes what the reviewed table says`() throws {
    for name in Samples.names {
      let parts = name.split(separator: "/", maxSplits: 1).map(String.init)
      let summary = Samples.summary(Samples.mapper.map(try Samples.bytes(name)))
      #expect(summary == SampleTable.rows[parts[0]]?[parts[1]], "\(name)")
    }
  }

  @Test func `the table has a row for every sample and no other`() {
    let rows = SampleTable.rows.flatMap { folder, files in files.keys.map { "\(folder)/\($0)" } }
    #expect(rows.sorted() == Samples.names)
  }

  @Test func `what the table calls a handoff, nothing or broken is what its summary says`() {
    for row in SampleTable.folders.values.flatMap({ $0 }) {
      #expect(row.kind == row.kindOfSummary && !row.note.isEmpty, "\(row.file)")
    }
    #expect(SampleTable.hl7.map(\.file) == SampleTable.hl7.map(\.file).sorted())
    #expect(!(SampleTable.hl7 + SampleTable.hl7Pairs).contains { $0.kind == .broken })
  }

  @Test func `dead letters are only bad NHS numbers and outcomes that answer nothing`() {
    for row in SampleTable.folders.values.flatMap({ $0 }) where row.kind == .broken {
      let isBroken = row.summary.contains("identity.nhs-number-")
      let isUnanswered = row.summary == "refused correlation.none OperationOutcome"
      #expect(isBroken || isUnanswered, "\(row.file)")
    }
  }

  @Test(.enabled(if: PackageRoot.hasSamples), arguments: ["ADT-A05-01.hl7", "ADT-A05-02.hl7"])
  func `a pre-admission is a request for a bed where the connector says so`(file: String) throws {
    var context = MappingContext()
    context.kinds["A05"] = HandoffKind("community-bed")
    let outcome = FrameMapper(context).map(try Samples.bytes("hl7v2-microsoft/\(file)"))[0].outcome
    #expect(outcome.fact?.type == .handoffRequested)
    #expect(outcome.fact?.kind?.description == "community-bed")
  }

  @Test(arguments: [
    ("ebxml-acks", 2, 2, 2, 0, 0), ("fhir-bars-api-json", 29, 10, 11, 10, 9),
    ("fhir-ers-json", 22, 20, 28, 2, 0), ("fhir-gravity-json", 14, 7, 9, 7, 0),
    ("fhir-v2tofhir", 3, 3, 4, 0, 0), ("hl7v2-microsoft", 43, 40, 49, 3, 0),
    ("itk-111", 6, 4, 4, 0, 2), ("itk3", 1, 1, 1, 0, 0),
  ])
  func `the messages of a folder add up`(
    folder: String, messages: Int, mapped: Int, facts: Int, without: Int, refused: Int
  ) throws {
    var counts = (messages: 0, mapped: 0, facts: 0, without: 0, refused: 0)
    for name in Samples.names where name.hasPrefix("\(folder)/") {
      for frame in Samples.mapper.map(try Samples.bytes(name)) {
        counts.messages += 1
        switch frame.outcome {
        case .mapped(let message):
          counts.mapped += 1
          counts.facts += message.facts.count
        case .noHandoffFact: counts.without += 1
        case .refused: counts.refused += 1
        }
      }
    }
    #expect(counts == (messages, mapped, facts, without, refused))
    #expect(counts.messages == counts.mapped + counts.without + counts.refused)
  }

  @Test func `a request and its cancellation may share MSH-10 and are told apart by MSH-9`() throws
  {
    let request = try map("hl7v2-microsoft/REF-I12-01.hl7")
    let cancel = try map("hl7v2-microsoft/REF-I14-01.hl7")
    #expect(request.messageID == cancel.messageID)
    #expect(request.messageType == "REF^I12" && cancel.messageType == "REF^I14")
    #expect(request.facts[0].handoff == cancel.facts[0].handoff)
    #expect(request.facts[0].handoff?.value == "226839")
    #expect(request.facts[0].handoff?.assigner == "EPIC")
    #expect(request.facts[0].references[0].value == "11001")
  }

  @Test func `samples whose NHS number fails its check digit pass as untraced where it is set so`()
    throws
  {
    var context = MappingContext()
    context.checkDigit = .treatAsUntraced
    let name = "fhir-bars-api-json/process_message__request__ValidationResponse_(POST)_.json"
    let outcome = FrameMapper(context).map(try Samples.bytes(name))[0].outcome
    #expect(outcome.fact?.type == .completed && outcome.fact?.speaker == .receiver)
    #expect(outcome.message?.person?.nhsNumberStatus == .checkDigitFailed)
  }

  private func map(_ name: String) throws -> MappedMessage {
    try #require(FrameMapper().map(try Samples.bytes(name))[0].outcome.message)
  }
}
