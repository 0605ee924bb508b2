import Foundation
import HandoffCore
import HandoffStores
import TestSupport
import Testing

@testable import HandoffBus

/// Every cell of the reviewed table, with a request in its standard and an answer in another.
@Suite struct CorrelationMapTests {
  typealias Cell = CorrelationMap.Cell

  /// A request that bears the cell's id, and what comes by another rail and bears that id only.
  static func pair(_ cell: Cell) -> (request: String, answer: String)? {
    switch (cell.identifier, cell.standard) {
    case (.person, _): people(cell.standard)
    case (.message, let standard): messages(standard)
    case (.handoff, let standard): handoffs(standard)
    case (.reference, let standard): references(standard)
    case (.conversation, let standard): conversations(standard)
    case (.journey, _), (.lineage, _): nil
    }
  }

  private static func thin(_ type: String, _ id: String, _ members: String...) -> String {
    Conversation.submission(type, id: id, members: members.joined(separator: ","))
  }

  /// A request of a thin client, which writes the ids of other standards as they are called there.
  private static func thinRequest(_ members: String...) -> String {
    thin(
      "HandoffRequested", "t-1",
      ([#""person":{"nhsNumber":"\#(Conversation.person)"}"#, #""kind":"gp-hospital""#] + members)
        .joined(separator: ","))
  }

  private static func answered(_ system: String, _ value: String, _ assigner: String? = nil)
    -> String
  {
    thin("Accepted", "t-2", Conversation.reference("answers", system, value, assigner))
  }

  private static func named(_ system: String, _ value: String, _ assigner: String? = nil) -> String
  {
    thin("Accepted", "t-2", Conversation.reference("handoff", system, value, assigner))
  }

  /// The id of the handoff itself, where the cell is about another id.
  private static let itself = Conversation.reference("handoff", "RF1-6", "own-77", "RTH")

  private static func withReference(
    _ system: String, _ value: String, _ assigner: String? = nil
  ) -> String {
    let one = Conversation.reference("x", system, value, assigner).dropFirst(4)
    return thinRequest(itself, #""references":[\#(one)]"#)
  }

  private static let bundle = "9f3e1d0a-0000-4000-8000-00000000abcd"

  private static func messages(_ standard: CorrelationMap.Standard) -> (String, String)? {
    switch standard {
    case .bars:
      (
        Conversation.bars(
          bundle: bundle, identifier: ("urn:x", "own-77"), nhs: Conversation.person),
        answered("Bundle.id", bundle.uppercased())
      )
    case .hl7: (Conversation.referral(), answered("MSA-2", "M1", "PAS|RTH"))
    case .itk3:
      (
        withReference("Mex-MessageID", "20231114220000000000_ABC"),
        answered("Mex-LinkedMsgID", "20231114220000000000_ABC")
      )
    case .ihe360x: (order("own-77"), Conversation.acknowledgement(to: "M1"))
    case .ers, .gravity: nil
    }
  }

  private static func order(_ id: String) -> String {
    [
      "MSH|^~\\&|PAS|RTH|EPR|RXQ|20231114220000||OMG^O19|M1|P|2.5",
      "PID|1||\(Conversation.person)^^^NHS^NH||N^G", "PV1|1||||||||||||||||||V9^^^RTH",
      "ORC|NW|\(id)^RTH|F8^RXQ", "OBR|1|\(id)^RTH||306206005",
    ].joined(separator: "\r") + "\r"
  }

  private static func handoffs(_ standard: CorrelationMap.Standard) -> (String, String)? {
    switch standard {
    case .bars:
      (
        Conversation.bars(
          bundle: "b-1", identifier: ("https://fhir.nhs.uk/Id/UBRN", Conversation.ubrn),
          nhs: Conversation.person),
        Conversation.answer(to: "another", id: "0000 1234 5678^ERS")
      )
    case .hl7:
      (
        Conversation.referral(id: "own-77^RTH"),
        Conversation.bars(
          bundle: "b-2", identifier: ("RTH", "own-77"), nhs: nil, answers: "b-0",
          encounter: "in-progress")
      )
    case .itk3:
      (
        thinRequest(Conversation.reference("handoff", "Composition.identifier", "c-1", "urn:doc")),
        named("Composition.identifier", "c-1", "urn:doc")
      )
    case .ihe360x: (order("own-77"), named("ORC-2", "own-77", "RTH"))
    case .ers:
      (
        thinRequest(Conversation.reference("handoff", "UBRN", Conversation.ubrn)),
        Conversation.answer(to: "another", id: Conversation.ubrn + "^ERS")
      )
    case .gravity:
      (
        thinRequest(Conversation.reference("handoff", "Task.identifier", "t-9", "urn:tasks")),
        Conversation.answer(to: "another", id: "t-9^urn:tasks")
      )
    }
  }

  private static func references(_ standard: CorrelationMap.Standard) -> (String, String)? {
    switch standard {
    case .bars:
      (withReference("Appointment.id", "ap-1"), answered("Appointment.id", "ap-1"))
    case .hl7:
      (
        Conversation.referral(extra: ["PV1|1||||||||||||||||||V77^^^RTH"]),
        answered("PV1-19", "V77", "RTH")
      )
    case .itk3: (withReference("MessageHeader.id", "mh-1"), answered("MessageHeader.id", "mh-1"))
    case .ihe360x: (order("own-77"), answered("ORC-3", "F8", "RXQ"))
    case .ers: (withReference("ServiceRequest.id", "sr-1"), answered("ServiceRequest.id", "sr-1"))
    case .gravity: (withReference("Task.id", "ta-1"), answered("Task.id", "ta-1"))
    }
  }

  private static func conversations(_ standard: CorrelationMap.Standard) -> (String, String)? {
    switch standard {
    case .bars:
      (
        thinRequest(
          itself, Conversation.reference("conversation", "X-Correlation-ID", bundle)),
        answered("X-Correlation-ID", bundle)
      )
    case .hl7:
      // The answer to an answer.
      (
        Conversation.referral() + Conversation.answer(),
        answered("MSH-10", "R1", "EPR|RXQ")
      )
    case .itk3:
      (
        withReference("eb:MessageId", bundle), answered("eb:RefToMessageId", bundle)
      )
    case .ihe360x: (order("own-77"), named("ORC-2", "own-77", "RTH"))
    case .ers, .gravity: nil
    }
  }

  private static func people(_ standard: CorrelationMap.Standard) -> (String, String)? {
    let locals = [#"{"value":"PAT77","assigner":"RTH","type":"MR"}"#]
    let thinPerson = thin(
      "Accepted", "t-3", #""person":{"localIds":[\#(locals[0])]}"#,
      Conversation.reference("handoff", "RF1-6", "own-78", "RTH"))
    return switch standard {
    case .hl7, .ihe360x: (Conversation.referral(locals: ["PAT77^^^RTH^MR"]), thinPerson)
    case .bars, .itk3, .gravity, .ers:
      (
        thin(
          "HandoffRequested", "t-1",
          #""person":{"nhsNumber":"\#(Conversation.person)","localIds":[\#(locals[0])]}"#,
          #""kind":"gp-hospital""#, itself),
        Conversation.answer(to: "another", id: "own-79^RTH", locals: ["PAT77^^^RTH^MR"])
      )
    }
  }

  @Test(arguments: CorrelationMap.cells.indices)
  func `every cell of the table finds what it says, by another rail`(index: Int) async throws {
    let cell = CorrelationMap.cells[index]
    guard let (request, answer) = Self.pair(cell) else {
      #expect(cell.finds == .nothing, "\(cell.identifier) of \(cell.standard) has no pair")
      return
    }
    let other = Conversation.connector("folder")
    let bench = try IngestBench(others: [other])
    try await bench.take(request)
    try await bench.pass()
    try await bench.take(by: other, answer)
    try await bench.pass()
    let events = try bench.publisher.events()
    let name = Comment(rawValue: "\(cell.identifier) of \(cell.standard)")
    #expect(events.count >= 2, name)
    let (first, last) = (try #require(events.first), try #require(events.last))
    #expect(last.patientKey == first.patientKey, name)
    if cell.finds != .person {
      #expect(last.handoffID == first.handoffID, name)
      #expect(first.handoffID != nil, name)
    }
    #expect(bench.outbox.level.parkedCount == 0, name)
    await bench.close()
  }

  @Test func `the table has every identifier of every standard once`() {
    for identifier in CorrelationMap.Identifier.allCases {
      for standard in CorrelationMap.Standard.allCases {
        let cells = CorrelationMap.cells.filter {
          $0.identifier == identifier && $0.standard == standard
        }
        #expect(cells.count == 1, "\(identifier) of \(standard)")
      }
    }
  }

  @Test func `the page on correlation shows the table of the code`() throws {
    let path = PackageRoot.url
      .appending(path: "Sources/HandoffCore/HandoffCore.docc/Correlation.md")
      .path(percentEncoded: false)
    let page = try String(contentsOfFile: path, encoding: .utf8)
    let begin = "<!-- generated: CorrelationMap.markdown -->\n"
    let start = try #require(page.range(of: begin)).upperBound
    let end = try #require(page.range(of: "<!-- end -->")).lowerBound
    let shown = CorrelationMap.markdown + "\n"
    if ProcessInfo.processInfo.environment["BATON_WRITE_PAGES"] != nil {
      try page.replacingCharacters(in: start..<end, with: shown)
        .write(toFile: path, atomically: true, encoding: .utf8)
      return
    }
    #expect(
      page[start..<end] == shown, "run this test once with BATON_WRITE_PAGES=1, and read the change"
    )
  }
}
