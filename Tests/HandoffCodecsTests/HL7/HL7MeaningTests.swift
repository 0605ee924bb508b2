import Foundation
import HandoffCore
import TestSupport
import Testing

@testable import HandoffCodecs

/// The reviewed table of triggers, held to the mapping and to the page.
struct HL7MeaningTests {
  /// What a message holds beside MSH, EVN and PID for a row's `when` to be true of it.
  private static func example(of row: HL7Meaning) -> String? {
    let visit = "PV1|1|I" + String(repeating: "|", count: 17) + "V-1\r"
    let referral = "RF1|P|R|Med||O|R-100^RTH\r"
    let own = "RF1|\(status(row))|R|Med||O|R-100^RTH\r"
    switch row.type {
    case "ADT": return admission(row, visit, referral)
    case "REF":
      if row.when.isEmpty { return referral }
      if row.when.hasPrefix("RF1-11") { return "RF1|P|R|Med||O|R-9^RTH|||||R-100^GP1\r" }
      return "RF1|EIE|R|Med||O|R-100^RTH\r"
    case "RRI": return (row.when.hasPrefix("MSA-1") ? "MSA|AE|M1\r" : "MSA|AA|M1\r") + own
    case "SIU":
      return row.when.isEmpty ? "SCH|A-1|A-2\rTQ1|1||||||20261201093000+0000\r" : "SCH|\r"
    case "OMG", "ORM", "OSU", "ORG", "ORR": return order(row)
    case "ORU":
      if row.when.hasPrefix("ORC-5 is CM") { return "ORC|RE|O-1|||CM\rOBR|1|O-1\r" }
      if row.when.hasPrefix("ORC-5 is CA") { return "ORC|RE|O-1|||CA\rOBR|1|O-1\r" }
      return row.when.hasPrefix("nothing") ? "OBR|1\r" : "OBR|1|O-1\r"
    case "MDM":
      let document = "TXA|1|DS" + String(repeating: "|", count: 10) + "D-1"
      if row.when.hasPrefix("ORC-5") { return "ORC|RE|O-1|||CM\r" + document + "\r" }
      return document + (row.when.hasPrefix("TXA-17") ? "|||||AU\r" : "|||||DI\r")
    case "ACK":
      let verdict = row.when.contains("CE") ? "CE" : String(row.when.dropFirst(9).prefix(2))
      return "MSA|\(verdict)|M1\r" + (row.when.contains("204") ? "ERR||PID^1^3|204\r" : "")
    default: return nil
    }
  }

  private static func status(_ row: HL7Meaning) -> String {
    row.when.hasPrefix("RF1-1 is ") ? String(row.when.dropFirst(9).prefix(1)) : "A"
  }

  private static func admission(
    _ row: HL7Meaning, _ visit: String, _ referral: String
  ) -> String? {
    switch row.when {
    case "": return row.handoff.isEmpty && row.triggers != ["A04", "A10"] ? "PV1|1|I\r" : ""
    case "names its referral", "names a referral that MSH-4 assigned (RF1-6.2)": return referral
    case "names a referral, a visit or an account": return visit
    case let text where text.hasPrefix("the connector's kinds"): return visit
    case "PID-30 is Y, or PID-29 alone is there": return ""
    case "PID-30 or PID-29 is deleted (two quotes)": return ""
    case "two patients": return "PID|2||2^^^RTH^MR\r"
    case "PID and MRG", "MRG": return "MRG|0815^^^RTH^MR\r"
    default: return nil
    }
  }

  private static func order(_ row: HL7Meaning) -> String? {
    if row.when.hasPrefix("MSA-1") { return "MSA|AR|M1\rORC|UA|O-1\r" }
    if row.when.hasPrefix("nothing names") { return "ORC|SC||||HD\r" }
    if row.when.hasPrefix("ORC-1 and ORC-5") { return "ORC|SC|O-1\r" }
    if row.when.contains("SC of an order number of the sender's own") {
      return "ORC|SC|O-1^CASE|||SC\r"
    }
    guard let from = row.when.range(of: " is ") else { return nil }
    let code = row.when[from.upperBound...].prefix(2).trimmingCharacters(in: .whitespaces)
    let letters = code.filter(\.isLetter)
    return row.when.hasPrefix("ORC-5")
      ? "ORC|SC|O-1|||\(letters)\rOBR|1|O-1\r" : "ORC|\(letters)|O-1\rOBR|1|O-1\r"
  }

  private static func map(_ row: HL7Meaning, _ trigger: String) throws -> MappingOutcome {
    var context = MappingContext()
    context.organisations = ["GP1": ODSCode("A12345")].compactMapValues(\.self)
    if row.when.hasPrefix("the connector's kinds") {
      for event in ["A05", "A14", "A15"] { context.kinds[event] = HandoffKind("community-bed") }
    }
    let isAnswer = ["RRI", "SIU", "OSU", "ORG", "ORR", "ORU", "MDM"].contains(row.type)
    let isFiller = row.facts.contains { $0.hasPrefix("receiver") } || isAnswer
    let (from, to) =
      isFiller && row.type != "ADT" ? ("CASE|RNU", "PAS|RTH") : ("PAS|RTH", "CASE|RNU")
    var patient = HL7Fixture.patient
    if row.when.hasPrefix("PID-30") {
      let death = row.reason == "retracted" ? "\"\"|\"\"" : "20261122|Y"
      patient = "PID|1||4711^^^RTH^MR" + String(repeating: "|", count: 26) + death + "\r"
    }
    let segments = try #require(example(of: row), "\(row.type) \(row.when)")
    return HL7Fixture.map(
      HL7Fixture.header("\(row.type)^\(trigger)", from: from, to: to)
        + (row.type == "ADT" ? "EVN|\(trigger)|20261123081500+0000\r" : "")
        + (row.type == "ACK" ? "" : patient) + segments, context)
  }

  @Test func `an example of every row of the table becomes what the row says`() throws {
    for row in HL7Meaning.table {
      for trigger in row.triggers {
        let outcome = try Self.map(row, trigger)
        let name = "\(row.type)^\(trigger) \(row.when)"
        let facts = outcome.message?.facts ?? []
        #expect(facts.map(\.description) == row.facts, "\(name): \(outcome.reason ?? "")")
        if row.facts.isEmpty {
          #expect(outcome.reason == row.reason, "\(name)")
        } else if !row.reason.isEmpty {
          #expect(facts.first?.reason?.description == row.reason, "\(name)")
        }
        for fact in facts {
          #expect(fact.unproven.isEmpty, "\(name): \(fact.unproven)")
          if let place = fact.provenance["handoff"] {
            #expect(row.handoff.contains(place), "\(name): \(place)")
          }
          for place in fact.provenance["references"]?.split(separator: ", ") ?? [] {
            #expect(row.references.contains(place), "\(name): \(place)")
          }
        }
        #expect(outcome.message?.unproven == [], "\(name)")
      }
    }
  }

  @Test func `every event of the issue stands in the table`() {
    let named = Set(HL7Meaning.table.flatMap { row in row.triggers.map { "\(row.type)^\($0)" } })
    let admissions = (1...8).map { "A0\($0)" } + (11...17).map { "A\($0)" }
    let wanted =
      (admissions + ["A25", "A26", "A28", "A31", "A40", "A45", "A47"]).map { "ADT^\($0)" }
      + ["I12", "I13", "I14", "I15"].flatMap { ["REF^\($0)", "RRI^\($0)"] }
      + ["S12", "S13", "S14", "S15", "S26"].map { "SIU^\($0)" }
      + ["OMG^O19", "OSU^O51", "ORU^R01", "MDM^T02", "ACK^I12"]
    #expect(wanted.filter { !named.contains($0) } == [])
  }

  @Test func `every event that ADT has is in the table once without condition`() {
    let counts = Dictionary(
      HL7Meaning.table.filter { $0.type == "ADT" && $0.when.isEmpty }
        .flatMap { $0.triggers.map { ($0, 1) } }, uniquingKeysWith: +)
    let conditional: Set = [
      "A17", "A18", "A30", "A34", "A36", "A39", "A40", "A46", "A47", "A43",
      "A44", "A45",
    ]
    for number in 1...62 {
      let event = (number < 10 ? "A0" : "A") + String(number)
      #expect(counts[event] == (conditional.contains(event) ? nil : 1), "\(event)")
    }
  }

  @Test func `the page of the documentation is that of the table`() throws {
    let file = PackageRoot.url.appending(
      path: "Sources/HandoffCore/HandoffCore.docc/HL7-Messages.md")
    #expect(try String(contentsOf: file, encoding: .utf8) == HL7Meaning.page)
  }
}
