package import HandoffCodecs
package import HandoffCore

/// Which ids of which standard find what: domain.md §2.1 as data, reviewed, in one place.
///
/// The page "Correlation" of the documentation is made of it, and a test sends a request and an
/// answer through every cell that finds something.
package enum CorrelationMap {
  /// A column of domain.md §2.1.
  package enum Standard: String, CaseIterable, Sendable {
    case bars = "BaRS, FHIR"
    case hl7 = "HL7 v2"
    case itk3 = "ITK3, MESH, ebXML"
    case ihe360x = "IHE 360X"
    case ers = "e-RS"
    case gravity = "Gravity"
  }

  /// A row of domain.md §2.1 that names a thing.
  package enum Identifier: String, CaseIterable, Sendable {
    case message, handoff, reference, conversation, journey, lineage, person
  }

  /// What an id leads to.
  package enum Finds: String, Sendable {
    /// The message's handoff and person.
    case handoff
    /// The person, and the handoff where the thing belongs to one only.
    case personAndHandoff = "person, and handoff if only one"
    case person
    /// Carried on the event as a token, for the reducer; looked up by nobody.
    case nothing = "nothing: carried"
  }

  package struct Cell: Sendable {
    package let identifier: Identifier
    package let standard: Standard
    /// Where it stands in a request.
    package let fields: [String]
    /// Where an answer repeats it; empty where the same field does.
    package let answeredBy: [String]
    /// What makes it unique.
    package let namespace: String
    package let finds: Finds
    /// Whether the request that bears it says whose it is, against whatever was known of it.
    package let isDefining: Bool
  }

  /// Ids of one message; every other that is no journey or conversation is a thing of a handoff.
  private static let messageSystems: Set<String> = [
    "MSH-10", "MSA-2", "Bundle.id", "X-Request-ID", "MessageHeader.id", "Mex-MessageID",
    "Mex-LinkedMsgID", "Mex-LocalID", "eb:MessageId", "eb:RefToMessageId",
    "HandoffSubmission.messageId", "OperationOutcome",
  ]

  /// What an id names, by where it was read; the handoff's own id is not asked here.
  package static func kind(of system: Code) -> CorrelationKind {
    switch system.description {
    case let name where messageSystems.contains(name): .message
    case "X-Correlation-ID": .conversation
    case "EpisodeOfCare": .journey
    default: .reference
    }
  }

  package static let cells: [Cell] =
    messages + handoffs + references + conversations + journeys + lineage + persons

  private static let messages = [
    cell(
      .message, .bars, ["Bundle.id", "X-Request-ID"],
      answeredBy: ["MessageHeader.response.identifier", "the answer to the HTTP request"],
      "none: a UUID", .handoff),
    cell(
      .message, .hl7, ["MSH-10"], answeredBy: ["MSA-2"],
      "MSH-3 and MSH-4, which the answer has in MSH-5 and MSH-6; else the connector", .handoff),
    cell(
      .message, .itk3, ["Bundle.id", "Mex-MessageID", "Mex-LocalID", "eb:MessageId"],
      answeredBy: [
        "MessageHeader.response.identifier", "Mex-LinkedMsgID", "Mex-LocalID",
        "eb:RefToMessageId",
      ], "none: UUIDs; of Mex-LocalID the sender's mailbox", .handoff),
    cell(
      .message, .ihe360x, ["MSH-10"], answeredBy: ["MSA-2"], "MSH-3 and MSH-4", .handoff),
    cell(
      .message, .ers, ["UBRN and version"], answeredBy: [],
      "none: e-RS is polled, and answers are states of the UBRN", .nothing),
    cell(
      .message, .gravity, ["Task.id and version"], answeredBy: [],
      "none: a Task is its own answer", .nothing),
  ]

  private static let handoffs = [
    cell(
      .handoff, .bars, ["ServiceRequest.identifier", "ServiceRequest.id"], "identifier.system",
      .handoff, isDefining: true),
    cell(
      .handoff, .hl7, ["RF1-6", "RF1-11", "ORC-2"],
      "component 2 or 3; else the requesting organisation", .handoff, isDefining: true),
    cell(
      .handoff, .itk3, ["Composition.identifier"], "identifier.system", .handoff,
      isDefining: true),
    cell(
      .handoff, .ihe360x, ["ORC-2"], "component 2 or 3; else the requesting organisation",
      .handoff, isDefining: true),
    cell(
      .handoff, .ers, ["UBRN"], "https://fhir.nhs.uk/Id/UBRN, however it is written", .handoff,
      isDefining: true),
    cell(
      .handoff, .gravity, ["Task.identifier", "Task.focus"], "identifier.system", .handoff,
      isDefining: true),
  ]

  private static let references = [
    cell(
      .reference, .bars, ["Appointment.id", "Encounter.identifier", "Task.identifier"],
      "identifier.system; none of an id", .personAndHandoff),
    cell(
      .reference, .hl7, ["RF1-11", "ORC-2", "ORC-3", "PV1-19", "PV1-50", "SCH-1", "SCH-2"],
      "component 2 to 4; else the sending organisation", .personAndHandoff),
    cell(
      .reference, .itk3, ["MessageHeader.id"], "none: a UUID", .personAndHandoff),
    cell(
      .reference, .ihe360x, ["ORC-3", "PV1-19"], "as in HL7 v2", .personAndHandoff),
    cell(.reference, .ers, ["ServiceRequest.id"], "none", .personAndHandoff),
    cell(
      .reference, .gravity, ["ServiceRequest.identifier", "Task.id"], "identifier.system",
      .personAndHandoff),
  ]

  private static let conversations = [
    cell(.conversation, .bars, ["X-Correlation-ID"], "none: a UUID", .personAndHandoff),
    cell(
      .conversation, .hl7, ["MSA-2"], "as MSH-10: a chain of answers is one conversation",
      .personAndHandoff),
    cell(
      .conversation, .itk3, ["MessageHeader.response.identifier"], "none: a UUID",
      .personAndHandoff),
    cell(.conversation, .ihe360x, ["ORC-2"], "as the handoff", .handoff),
    cell(.conversation, .ers, [], "none", .nothing),
    cell(.conversation, .gravity, [], "none", .nothing),
  ]

  private static let journeys = [
    cell(.journey, .bars, ["Encounter.episodeOfCare"], "none", .nothing),
    cell(.journey, .hl7, ["PV1-50", "PID-18"], "component 4", .nothing),
    cell(.journey, .itk3, [], "none", .nothing),
    cell(.journey, .ihe360x, [], "none", .nothing),
    cell(.journey, .ers, [], "none", .nothing),
    cell(.journey, .gravity, [], "none", .nothing),
  ]

  private static let lineage = [
    cell(.lineage, .bars, ["ServiceRequest.basedOn", "replaces"], "as the handoff", .nothing),
    cell(.lineage, .hl7, ["RF1-11 of a new REF"], "as the handoff", .nothing),
    cell(.lineage, .itk3, ["Composition.relatesTo"], "identifier.system", .nothing),
    cell(.lineage, .ihe360x, [], "none", .nothing),
    cell(.lineage, .ers, ["related UBRN"], "as the handoff", .nothing),
    cell(.lineage, .gravity, ["Task.partOf"], "as the handoff", .nothing),
  ]

  private static let persons = [
    cell(
      .person, .bars, ["Patient.identifier"], "identifier.system; else the sender", .person),
    cell(
      .person, .hl7, ["PID-3 of type MR, PI, PT, U or none", "MRG-1"],
      "component 4 or 6; else the sender", .person),
    cell(.person, .itk3, ["Patient.identifier"], "identifier.system; else the sender", .person),
    cell(.person, .ihe360x, ["PID-3"], "component 4 or 6; else the sender", .person),
    cell(.person, .ers, ["Patient.identifier"], "the NHS number alone", .person),
    cell(.person, .gravity, ["Patient.identifier"], "identifier.system; else the sender", .person),
  ]

  private static func cell(
    _ identifier: Identifier, _ standard: Standard, _ fields: [String],
    answeredBy: [String] = [], _ namespace: String, _ finds: Finds, isDefining: Bool = false
  ) -> Cell {
    Cell(
      identifier: identifier, standard: standard, fields: fields, answeredBy: answeredBy,
      namespace: namespace, finds: finds, isDefining: isDefining)
  }

  /// The table as the documentation shows it.
  package static var markdown: String {
    var lines = [
      "| id | standard | where | answered in | unique within | finds |",
      "| --- | --- | --- | --- | --- | --- |",
    ]
    for cell in cells {
      let row = [
        cell.identifier.rawValue, cell.standard.rawValue, list(cell.fields),
        cell.answeredBy.isEmpty && !cell.fields.isEmpty
          ? (cell.finds == .nothing ? "—" : "the same") : list(cell.answeredBy),
        cell.namespace, cell.finds.rawValue + (cell.isDefining ? ", defining" : ""),
      ]
      lines.append("| " + row.joined(separator: " | ") + " |")
    }
    return lines.joined(separator: "\n")
  }

  private static func list(_ fields: [String]) -> String {
    fields.isEmpty ? "—" : fields.joined(separator: "; ")
  }
}
