import HandoffCore
import HandoffStores
import TestSupport
import Testing

@testable import HandoffBus

/// Every cell of the reviewed table that finds something, in the messages of its own standard.
@Suite struct `Native messages of a standard` {
  typealias Native = NativeConversation

  /// Several where a cell names several fields.
  static func conversations(_ cell: CorrelationMap.Cell) -> [NativeConversation] {
    switch cell.standard {
    case .bars: bars(cell.identifier)
    case .hl7: hl7(cell.identifier)
    case .itk3: itk3(cell.identifier)
    case .ihe360x: ihe360x(cell.identifier)
    case .ers: ers(cell.identifier)
    case .gravity: gravity(cell.identifier)
    }
  }

  private static func bars(_ identifier: CorrelationMap.Identifier) -> [NativeConversation] {
    let request = Native.barsRequest()
    return switch identifier {
    case .message: [.init(Native.bundle, request, Native.barsAnswer(to: Native.bundle))]
    case .handoff:
      [
        .init(
          "own-77", request,
          Native.barsAnswer(to: "nobody-knows", identifier: ("urn:rth", "own-77")))
      ]
    case .reference:
      // A booking of the referral, and the same slot given up, which names nothing but itself.
      [
        .init(
          "ap-1", Native.request("sr-1", "active", identifier: Conversation.ubrn),
          Native.appointment("ap-1", status: "booked", basedOn: "sr-1"),
          Native.appointment("ap-1", status: "cancelled"))
      ]
    case .conversation:
      [
        .init(
          Native.conversation,
          Native.framed([("X-Correlation-ID", Native.conversation)], request),
          Native.framed(
            [("X-Correlation-ID", Native.conversation)], Native.barsAnswer(to: "nobody-knows")))
      ]
    case .person, .journey, .lineage: []
    }
  }

  private static func hl7(_ identifier: CorrelationMap.Identifier) -> [NativeConversation] {
    let visit = "PV1|1||||||||||||||||||V77^^^RTH"
    let booking =
      "MSH|^~\\&|EPR|RXQ|PAS|RTH|20231114220500||SIU^S12|S1|P|2.5\rSCH|||||||||||^^^20231201\r"
      + visit + "\r"
    return switch identifier {
    case .message: [.init("M1", Conversation.referral(), Conversation.acknowledgement(to: "M1"))]
    case .handoff:
      [
        .init(
          "own-77", Conversation.referral(id: "own-77^RTH"),
          Conversation.answer(to: "another", id: "own-77^RTH"))
      ]
    case .reference: [.init("V77", Conversation.referral(extra: [visit]), booking)]
    case .conversation:
      // The answer to an answer.
      [
        .init(
          "R1", Conversation.referral(), Conversation.answer(),
          Conversation.acknowledgement(message: "K9", to: "R1", parties: "PAS|RTH|EPR|RXQ"))
      ]
    case .person, .journey, .lineage: []
    }
  }

  private static func itk3(_ identifier: CorrelationMap.Identifier) -> [NativeConversation] {
    let document = Native.document()
    let mesh = "20231114220000000000_ABC123"
    let ebXML = "0CDBA95F-74DA-47E9-8383-7B8E9167D146"
    return switch identifier {
    case .message:
      [
        .init(Native.bundle, document, Native.response("30001", to: Native.bundle)),
        .init(
          mesh, Native.framed([("Mex-MessageID", mesh)], document),
          Native.framed(
            [
              ("Mex-MessageType", "REPORT"), ("Mex-LinkedMsgID", mesh), ("Mex-StatusCode", "14"),
              ("Mex-MessageID", "20231119220000000000_DEF456"), ("Mex-StatusSuccess", "ERROR"),
            ], "")),
        .init(
          "local-17",
          Native.framed([("Mex-LocalID", "local-17"), ("Mex-From", "RTHOT001")], document),
          Native.framed(
            [
              ("Mex-MessageType", "REPORT"), ("Mex-LocalID", "local-17"), ("Mex-StatusCode", "14"),
              ("Mex-MessageID", "20231119220000000000_DEF456"), ("Mex-StatusSuccess", "ERROR"),
              ("Mex-To", "RTHOT001"),
            ], "")),
        .init(
          ebXML, Native.document(bundle: ebXML),
          """
          <soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns:eb="http://\
          www.oasis-open.org/committees/ebxml-msg/schema/msg-header-2_0.xsd"><soap:Header>\
          <eb:MessageHeader><eb:Action>Acknowledgment</eb:Action><eb:MessageData><eb:MessageId>\
          5BB171D4-53B2-4986-90CF-428BE6D157F5</eb:MessageId><eb:Timestamp>2023-11-14T22:05:00Z\
          </eb:Timestamp><eb:RefToMessageId>\(ebXML)</eb:RefToMessageId></eb:MessageData>\
          </eb:MessageHeader><eb:Acknowledgment soap:actor="urn:oasis:names:tc:ebxml-msg:actor:\
          toPartyMSH"><eb:Timestamp>2023-11-14T22:05:00Z</eb:Timestamp><eb:RefToMessageId>\
          \(ebXML)</eb:RefToMessageId></eb:Acknowledgment></soap:Header><soap:Body/>\
          </soap:Envelope>
          """),
      ]
    case .handoff:
      [
        .init(
          "c-1", document,
          Native.document(
            bundle: "b-8", header: "mh-8", composition: "d-8", replaces: "c-1"))
      ]
    case .reference: [.init("mh-1", document, Native.response("30001", to: "mh-1"))]
    case .conversation:
      // The infrastructure answers first, the business after it, both to the same message.
      [
        .init(
          Native.bundle, document, Native.response("20013", to: Native.bundle),
          Native.response("30001", to: Native.bundle, id: "b-3"))
      ]
    case .person, .journey, .lineage: []
    }
  }

  private static func ihe360x(_ identifier: CorrelationMap.Identifier) -> [NativeConversation] {
    let request = Native.order("NW", "own-77^RTH|F8^RXQ", message: "OMG^O19")
    return switch identifier {
    case .message: [.init("M1", request, Conversation.acknowledgement(to: "M1"))]
    case .handoff:
      [
        .init(
          "own-77", request,
          Native.order("OK", "own-77^RTH|||IP", message: "OSU^O51", patient: false))
      ]
    case .reference:
      [.init("F8", request, Native.order("OK", "|F8^RXQ||IP", message: "OSU^O51", patient: false))]
    case .conversation:
      // Accepted, then done: every message of the loop names it.
      [
        .init(
          "own-77", request,
          Native.order("OK", "own-77^RTH|||IP", message: "OSU^O51", patient: false),
          Native.order("SC", "own-77^RTH|||CM", message: "OSU^O51", patient: false)
            .replacing("|R1|", with: "|R2|"))
      ]
    case .person, .journey, .lineage: []
    }
  }

  private static func ers(_ identifier: CorrelationMap.Identifier) -> [NativeConversation] {
    let ubrn = Conversation.ubrn
    return switch identifier {
    case .handoff:
      [
        .init(
          ubrn, Native.referral(ubrn, "NOT_BOOKED"), Native.referral(ubrn, "BOOKED")),
        .init(ubrn, Native.referral(ubrn, "NOT_BOOKED"), Native.worklist(ubrn, "REJECTED")),
      ]
    case .reference:
      [
        .init(
          "sr-1", Native.request("sr-1", "active", identifier: ubrn),
          Native.appointment("ap-1", status: "booked", basedOn: "sr-1"))
      ]
    default: []
    }
  }

  private static func gravity(_ identifier: CorrelationMap.Identifier) -> [NativeConversation] {
    let focus = #""focus":{"reference":"ServiceRequest/sr-1"},"#
    let named = #""identifier":[{"system":"urn:tasks","value":"tk-1"}],"#
    let asked = Native.task("t-1", "requested", focus + named, patient: Native.patient)
    return switch identifier {
    case .handoff:
      [
        .init("sr-1", asked, Native.task("t-2", "accepted", focus)),
        .init(
          "tk-1", Native.task("t-1", "requested", named, patient: Native.patient),
          Native.task("t-2", "accepted", named)),
      ]
    case .reference:
      [
        .init("t-1", asked, Native.task("t-1", "accepted", "")),
        .init(
          Conversation.ubrn,
          Native.collection(asked, Native.request("sr-1", "active", identifier: Conversation.ubrn)),
          Native.worklist(Conversation.ubrn, "REJECTED")),
      ]
    default: []
    }
  }

  private func events(_ messages: [String]) async throws -> (all: [HandoffEvent], parked: Int) {
    let other = Conversation.connector("folder")
    let bench = try IngestBench(others: [other])
    for (index, message) in messages.enumerated() {
      // Turn about by two rails, with a restart in between.
      if index % 2 == 0 {
        try await bench.take(message)
      } else {
        try await bench.take(by: other, message)
      }
      try await bench.pass()
      try await bench.restart(later: .minutes(1))
    }
    let events = try bench.publisher.events()
    let parked = bench.outbox.level.parkedCount
    await bench.close()
    return (events, parked)
  }

  @Test(arguments: CorrelationMap.cells.indices)
  func `find by each id what the table says, and by an unknown one nothing`(index: Int)
    async throws
  {
    let cell = CorrelationMap.cells[index]
    let conversations = Self.conversations(cell)
    #expect(
      conversations.isEmpty == (cell.finds == .nothing || cell.identifier == .person),
      "\(cell.identifier) of \(cell.standard)")
    for conversation in conversations {
      let name = Comment(rawValue: "\(cell.identifier) of \(cell.standard): \(conversation.id)")
      let (events, parked) = try await events(conversation.messages)
      let first = try #require(events.first, name)
      let last = try #require(events.last, name)
      #expect(events.count >= conversation.messages.count && parked == 0, name)
      #expect(first.handoffID != nil && last.handoffID == first.handoffID, name)
      #expect(last.patientKey == first.patientKey, name)
      let strange = try await self.events(
        conversation.messages.dropLast() + [conversation.stranger])
      let isFound =
        strange.all.count >= events.count && strange.all.last?.handoffID == first.handoffID
      #expect(!isFound, name)
    }
  }

  /// A record number that came with an NHS number, and then alone.
  private static let people: [(CorrelationMap.Standard, String, String)] = [
    (
      .bars,
      Native.collection(
        Native.task(
          "t-1", "requested", #""focus":{"reference":"ServiceRequest/s1"},"#,
          patient: #"{"reference":"Patient/p"}"#), Self.patient(nhs: true)),
      Native.collection(
        Native.task(
          "t-2", "requested", #""focus":{"reference":"ServiceRequest/s2"},"#,
          patient: #"{"reference":"Patient/p"}"#), Self.patient(nhs: false))
    ),
    (
      .hl7, Conversation.referral(locals: ["PAT77^^^RTH^MR"]),
      Conversation.answer(to: "another", id: "own-78^RTH", locals: ["PAT77^^^RTH^MR"])
    ),
    (
      .itk3, Native.document(),
      Native.document(bundle: "b-8", header: "mh-8", composition: "d-8").replacing(
        #"{"system":"https://fhir.nhs.uk/Id/nhs-number","value":"\#(Conversation.person)"},"#,
        with: "")
    ),
    (
      .ihe360x, Native.order("NW", "own-77^RTH", message: "OMG^O19"),
      Native.order("NW", "own-78^RTH", message: "OMG^O19").replacing(
        "\(Conversation.person)^^^NHS^NH~", with: ""
      ).replacing("|M1|", with: "|M2|")
        .replacing("own-77", with: "own-78")
    ),
    (
      .ers, Native.referral(Conversation.ubrn, "NOT_BOOKED"),
      Native.referral("000000005678", "NOT_BOOKED")
    ),
    (
      .gravity,
      Native.collection(
        Native.task(
          "t-1", "requested", #""identifier":[{"system":"u","value":"k1"}],"#,
          patient: #"{"reference":"Patient/p"}"#), Self.patient(nhs: true)),
      Native.collection(
        Native.task(
          "t-2", "requested", #""identifier":[{"system":"u","value":"k2"}],"#,
          patient: #"{"reference":"Patient/p"}"#), Self.patient(nhs: false))
    ),
  ]

  private static func patient(nhs: Bool) -> String {
    let number =
      nhs
      ? #"{"system":"https://fhir.nhs.uk/Id/nhs-number","value":"\#(Conversation.person)"},"# : ""
    return """
      {"resourceType":"Patient","id":"p","identifier":[\(number){"system":"urn:rth:mrn","value":\
      "PAT77"}]}
      """
  }

  @Test(arguments: people.indices)
  func `know a person by the number that came with another`(index: Int) async throws {
    let (standard, first, second) = Self.people[index]
    let (events, parked) = try await events([first, second])
    let name = Comment(rawValue: standard.rawValue)
    #expect(events.count >= 2 && parked == 0, name)
    #expect(Set(events.map(\.patientKey)).count == 1, name)
    #expect(Set(events.map(\.handoffID)).count == 2, name)
  }

  @Test func `stand for a person in every standard`() {
    #expect(Self.people.map(\.0) == CorrelationMap.Standard.allCases)
  }
}
