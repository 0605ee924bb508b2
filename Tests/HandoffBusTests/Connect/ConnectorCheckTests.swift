import Foundation
import HandoffCodecs
import HandoffConnectors
import HandoffCore
import Testing

@testable import HandoffBus

struct ConnectorCheckTests {
  private static let request =
    header("REF^I12", "M1") + "PID|1||4711^^^RTH^MR~9990500002^^^NHS^NH||KANARIENVOGEL^JANE\r"
    + "RF1|P|R|Med||O|R-100^RTH|20261122\rNTE|1||KANARIENVOGEL sings\r"

  private static func header(
    _ type: String, _ id: String, from: String = "PAS|RTH", to: String = "CASE|RNU",
    tail: String = ""
  ) -> String {
    "MSH|^~\\&|\(from)|\(to)|20261123090000+0000||\(type)|\(id)|P|2.5\(tail)\r"
  }

  private static let answer =
    header("RRI^I12", "M2", from: "CASE|RNU", to: "PAS|RTH") + "MSA|AA|M1\r"
    + "RF1|A|R|Med||O|R-100^RTH\r"

  private func check(
    _ texts: [String], asFile: Bool = false
  ) throws -> [ConnectorCheck.Message] {
    let name = try #require(Code("pas"))
    var source = ConnectorConfiguration(
      name: name, source: asFile ? .dropFolder(.init()) : .mllp(.init()))
    source.mapping.namesAreODSCodes = true
    var check = ConnectorCheck(source, now: Timestamp(milliseconds: 1_764_000_000_000))
    return texts.flatMap { check.check(Array($0.utf8)) }
  }

  @Test func `every event says what each value is and where it was read`() throws {
    let message = try #require(try check([Self.request]).first)
    let event = try #require(message.events.first)
    let fields = Dictionary(
      uniqueKeysWithValues: event.fields.map { ($0.property, ($0.value, $0.from)) })
    #expect(fields["type"]?.0 == "HandoffRequested" && fields["type"]?.1 == "MSH-9")
    #expect(fields["occurredAt"]?.1 == "MSH-7" && fields["handoff"]?.1 == "RF1-6")
    #expect(fields["from"]?.0.hasSuffix("RTH") == true && fields["from"]?.1 == "MSH-4, MSH-3")
    #expect(fields["priority"]?.0 == "routine" && fields["priority"]?.1 == "RF1-2")
    #expect(fields["kind"]?.1 == "connector" && fields["needCode"]?.0 == "Med")
    #expect(fields["recordedAt"]?.0 == "2026-11-23T09:00:00Z" && fields["recordedAt"]?.1 == "MSH-7")
    #expect(fields["person"]?.0 == "(sealed or keyed)" && fields["person"]?.1 == "PID-3, PID-5")
  }

  @Test func `what is lost on the way is named by field, and no value of it shows`() throws {
    let messages = try check([Self.request])
    #expect(messages[0].lost == ["RF1-1", "RF1-5", "RF1-7", "NTE-3"])
    let text = String(decoding: try JSONEncoder().encode(messages), as: UTF8.self)
    #expect(!text.contains("KANARIENVOGEL") && !text.contains("9990500002"))
    #expect(!text.contains("R-100") && !text.contains("4711"))
  }

  @Test func `an answer finds the request of an earlier sample, and else waits`() throws {
    let pair = try check([Self.request, Self.answer])
    #expect(pair[1].events.map(\.type) == ["Accepted"])
    #expect(pair[1].events[0].handoff == pair[0].events[0].handoff)
    #expect(try check([Self.answer])[0].outcome == .waiting)
  }

  @Test func `it says which answer the sender would hear`() throws {
    #expect(try check([Self.request])[0].answer.code == "AA")
    let enhanced = Self.request.replacing("|P|2.5\r", with: "|P|2.5|||AL|NE\r")
    #expect(try check([enhanced])[0].answer.code == "CA")
    let silent = Self.request.replacing("|P|2.5\r", with: "|P|2.5|||NE|NE\r")
    #expect(try check([silent])[0].answer.code == "none")
    let broken = Self.header("ADT^A01", "M3")
    #expect(try check([broken])[0].answer.code == "AE")
    #expect(try check([Self.header("DFT^P03", "M3")])[0].answer.code == "AR")
    #expect(try check([Self.request], asFile: true)[0].answer.code == "done")
    #expect(try check([broken], asFile: true)[0].answer.code == "failed")
  }

  @Test func `a refused message names reason and field, and loses nothing`() throws {
    let message = try check([Self.header("ADT^A01", "M3") + "NTE|1||x\r"])[0]
    #expect(message.outcome == .refused && message.reason == "hl7.segment-missing")
    #expect(message.field == "PID" && message.lost.isEmpty && message.events.isEmpty)
    #expect(message.messageType == "ADT-A01")
  }

  @Test func `a message without a handoff fact says why, and all that it holds is lost`() throws {
    let message = try check([
      Self.header("ADT^A31", "M4") + "PID|1||4711^^^RTH^MR||||||||||x\rNTE|1||y\r"
    ])[0]
    #expect(message.outcome == .noHandoffFact && message.reason == "adt.person-record")
    #expect(message.lost.contains("PID-13") && message.lost.contains("NTE-3"))
  }

  @Test func `a batch file is checked message by message, its count too`() throws {
    let batch = "BHS|^~\\&|A\r" + Self.request + Self.answer + "BTS|3\r"
    let messages = try check([batch], asFile: true)
    #expect(messages.map(\.outcome) == [.events, .events, .refused])
    #expect(messages[2].reason == "hl7.batch-count")
  }

  @Test func `each event of a message has the provenance of its own fact`() throws {
    let discharge =
      Self.header("ADT^A03", "M5") + "EVN|A03|20261123081500+0000\r"
      + "PID|1||4711^^^RTH^MR" + String(repeating: "|", count: 26) + "20261122|Y\r"
    let events = try check([discharge])[0].events
    #expect(events.map(\.type) == ["Discharged", "PatientDied"])
    #expect(events.map { $0.provenance["occurredAt"] } == ["EVN-2", "PID-29"])
    #expect(events.allSatisfy { $0.provenance["recordedAt"] == "MSH-7" })
  }

  @Test func `a sender that may not speak is told the field in which it named itself`() throws {
    var source = ConnectorConfiguration(
      name: try #require(Code("pas")), source: .mllp(MLLPSettings()))
    source.speaksFor = .only([try #require(ODSCode("RXQ"))])
    source.mapping.namesAreODSCodes = true
    var check = ConnectorCheck(source, now: Timestamp(milliseconds: 1_764_000_000_000))
    let message = try #require(check.check(Array(Self.request.utf8)).first)
    #expect(message.reason == "organisation.not-allowed" && message.field == "MSH-4")
  }

  @Test func `a sender whose code is not read as one is told what is missing`() throws {
    for (code, isMissing) in [("RTH", true), ("RXQ", false)] {
      var source = ConnectorConfiguration(
        name: try #require(Code("pas")), source: .mllp(MLLPSettings()))
      source.speaksFor = .only([try #require(ODSCode(code))])
      var check = ConnectorCheck(source, now: Timestamp(milliseconds: 1_764_000_000_000))
      let message = try #require(check.check(Array(Self.request.utf8)).first)
      #expect(message.reason == "organisation.not-allowed" && message.field == "MSH-4")
      let explanation = try #require(message.explanation)
      #expect(explanation.contains("names-are-ods-codes: true") == isMissing)
      #expect(!explanation.contains("RTH"))
    }
  }

  @Test func `a message without a time is shown to have happened when it came in`() throws {
    let task =
      #"{"resourceType":"Task","id":"t","status":"accepted","focus":{"reference":"ServiceRequest/s"},"#
      + #""for":{"reference":"Patient/p"}}"#
    let event = try #require(try check([task], asFile: true).first?.events.first)
    #expect(event.provenance["occurredAt"] == "(reception)")
    #expect(event.fields.contains { $0.property == "occurredAt" && $0.from == "(reception)" })
  }
}
