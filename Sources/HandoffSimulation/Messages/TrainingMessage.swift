package import HandoffCore

/// A message of the kinds that connectors take in, about nobody: for training, and to try a connector.
package struct TrainingMessage: Sendable {
  package enum Format: String, Hashable, Sendable {
    case hl7, fhir
  }

  package var format: Format
  /// The connector that would take it in.
  package var source: Code
  package var text: String
}

/// Writes the events of a simulation as the messages that could have brought them: HL7 v2, or FHIR
/// (BaRS) where the sender's rail is.
///
/// Every one says that it is for training (MSH-11 `T`, a tag of table 0103), so that a connector which
/// takes production refuses it (decision 0043). Persons get NHS numbers of the range for tests, in the
/// order in which they are first heard of, and no name.
package struct TrainingMessages: Sendable {
  private var numbers: [PatientKey: NHSNumber] = [:]
  private var next: UInt64 = 1

  package init() {}

  /// The message; `nil` where a system sends none, as of what only a transport says.
  package mutating func message(of event: HandoffEvent) -> TrainingMessage? {
    let person = number(of: event.patientKey)
    let isFHIR = event.rail.description == "bars" && event.handoffID != nil
    let text: String?
    if isFHIR {
      text = BaRSText(event: event, person: person.digits).text
    } else {
      let other = event.newPatientKey.map { number(of: $0).digits }
      text = HL7Text(event: event, person: person.digits, survivor: other).text
    }
    return text.map {
      TrainingMessage(format: isFHIR ? .fhir : .hl7, source: event.source, text: $0)
    }
  }

  /// The NHS number that stands for a person in these messages.
  package mutating func number(of person: PatientKey) -> NHSNumber {
    if let known = numbers[person] { return known }
    while true {
      let number = Pseudonyms.testNumber(next % 1_000_000)
      next += 1
      guard let number else { continue }
      numbers[person] = number
      return number
    }
  }
}

extension HandoffEvent {
  /// The same for the same message sent twice, and for another that bears its id.
  var messageName: String {
    String((messageKey?.description ?? id.description).filter { $0 != "-" }.prefix(20))
  }

  /// The code of the organisation that sends the message, and of the one that gets it.
  var ends: (from: String, to: String) {
    let (sender, receiver) = (from?.organisation, to?.organisation)
    let ends =
      speaker == .receiver
      ? (spokenBy ?? receiver, sender) : (spokenBy ?? sender, receiver ?? sender)
    return (Self.bare(ends.0), Self.bare(ends.1))
  }

  /// Who gave the handoff its id.
  var assigner: String { Self.bare(from?.organisation) }

  private static func bare(_ organisation: OrganisationID?) -> String {
    let text = organisation?.description ?? ""
    return text.hasPrefix("ods:") ? String(text.dropFirst(4)) : text
  }
}
