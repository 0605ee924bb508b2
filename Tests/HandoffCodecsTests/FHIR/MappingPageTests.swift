import Foundation
import HandoffCore
import TestSupport
import Testing

@testable import HandoffCodecs

/// The reviewed tables as the page of documentation shows them.
enum MappingPage {
  static let tables: [(title: String, rows: [StatusRow])] = [
    ("BaRS: the receiver's Encounter.status", FHIRStates.barsEncounter),
    ("Appointment.status", FHIRStates.appointment),
    ("ServiceRequest.status outside a message", FHIRStates.serviceRequest),
    ("Task.status (Gravity, R4)", FHIRStates.task),
    ("e-RS: eRS-ReferralState-1 and worklists", ERSStates.states),
    ("e-RS: outcomes and reasons beside a state", ERSStates.outcomes),
    ("e-RS: worklists without a state", ERSStates.worklists),
    ("ReferralRequest.status without e-RS", ERSStates.referralRequest),
    ("ITK3: response codes", ITK3Codes.rows),
    ("MESH: status of tracking", MESHMapper.statuses),
    ("HL7 v2 turned into FHIR: trigger events", V2BundleMapper.triggers),
    ("HL7 v2 turned into FHIR: what an RRI says", V2BundleMapper.answers),
  ]

  static func line(_ row: StatusRow) -> String {
    let meaning =
      switch row.meaning {
      case .says(let said):
        said.map { "\($0.speaker.rawValue): \($0.type.rawValue)" }.joined(separator: ", ")
      case .nothing(let reason): "nothing (\(reason))"
      }
    return "| \(row.status) | \(meaning) | \(row.note) |"
  }

  static var text: String {
    tables.map { table in
      """
      ## \(table.title)

      | status | says | why |
      | --- | --- | --- |
      \(table.rows.map(line).joined(separator: "\n"))
      """
    }.joined(separator: "\n\n")
      + """


      ## BaRS: requests by reason and status

      | MessageHeader.reason | ServiceRequest.status | says |
      | --- | --- | --- |
      \(BaRSRequests.rows.map(request).joined(separator: "\n"))

      ## OperationOutcome by issue code

      | issue.code | says | reason |
      | --- | --- | --- |
      \(FHIROutcomeMapper.issueCodes.map(issue).joined(separator: "\n"))

      """
  }

  private static func request(_ row: BaRSRequests.Row) -> String {
    "| \(row.reason ?? "any") | \(row.status ?? "any") | sender: \(row.type.rawValue) |"
  }

  private static func issue(_ row: (code: String, type: EventType?, reason: String)) -> String {
    "| \(row.code) | \(row.type.map { "platform: \($0.rawValue)" } ?? "nothing") | \(row.reason) |"
  }
}

struct MappingPageTests {
  @Test func `the page of mappings says what the reviewed tables say`() throws {
    let page = try String(
      contentsOf: PackageRoot.url.appending(
        path: "Sources/HandoffCore/HandoffCore.docc/FHIRMappings.md"), encoding: .utf8)
    for line in MappingPage.text.split(separator: "\n") {
      #expect(page.contains(line), "\(line)")
    }
  }

  @Test func `no table names a status twice, and every reason is a code`() {
    for table in MappingPage.tables {
      let names = table.rows.map(\.status)
      #expect(Set(names).count == names.count, "\(table.title)")
    }
  }
}
