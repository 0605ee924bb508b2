package import HandoffCodecs
package import HandoffConnectors
package import HandoffCore
package import HandoffStores

/// One event before its identity is sealed.
package struct DraftEvent: Sendable {
  /// Complete but for the sealed field.
  package var event: HandoffEvent
  var identity: SealedIdentity
}

/// What one message becomes.
package enum IngestResult: Sendable {
  case events(IngestedMessage)
  /// No event: a dead letter, and a refusal on the sources topic where the sender was told so.
  case deadLetter(DeadLetter.Disposition, reason: Code, field: String?, messageType: String?)
  /// An answer whose request is not known yet waits.
  case parked(ParkedAnswer)
  /// It has waited as long as A13 grants: that is said now, and it waits on.
  case orphaned(ParkedAnswer)
}

/// The events of one message, and what else its transaction writes.
package struct IngestedMessage: Sendable {
  package var drafts: [DraftEvent]
  package var entries: [CorrelationEntry]
  /// Ids that belong to other people.
  package var conflicts: [SourceConflict]
  /// `nil` where the sources topic was told of the arrival before.
  package var reception: SourceReception?
  /// Set where it is published although the message that it answers never came.
  var orphan: ParkedAnswer?
  /// Where what it answers was read.
  var answers: Code?
}

/// Turns messages in clear into pseudonymous events; pure but for the correlation it learns.
///
/// Same message, same secrets and same correlation give the same events, so a replay of the outbox
/// after a crash says the same again.
package struct IngestMapper: Sendable {
  let hashes: KeyedHashes
  let source: ConnectorConfiguration

  package init(secrets: Secrets, source: ConnectorConfiguration) {
    hashes = KeyedHashes(secrets)
    self.source = source
  }

  /// Why the sender may not say this; `nil` where it may.
  ///
  /// With a `principal`, what the connector may is narrowed to that organisation.
  package func refusal(
    of message: MappedMessage, as principal: ODSCode? = nil
  ) -> MappingError? {
    if let fault = IdentifierRules(source.mapping).fault(in: message) { return fault }
    let allowed: Set<ODSCode>
    switch source.speaksFor {
    case .any:
      guard let principal else { return nil }
      allowed = [principal]
    case .only(let codes): allowed = principal.map { codes.intersection([$0]) } ?? codes
    }
    for fact in message.facts {
      let speaker = speaker(of: fact, in: message)
      guard let code = speaker.code, allowed.contains(code) else {
        if speaker.isSilent { continue }
        // Where the sender wrote it, in its own standard's terms: MSH-4, not our property.
        let written = fact.provenance[speaker.field] ?? message.provenance[speaker.field]
        let field = written?.split(separator: ",").first.map(String.init)
        return MappingError(
          ingestCode("organisation.not-allowed"),
          field: field.flatMap { $0 == connectorProvenance ? nil : $0 } ?? speaker.field,
          explanation: isUnreadCode(speakerParty(of: fact), allowed)
            ? "the name here is an ODS code that this connector may speak for, but it does not read "
              + "names as codes; where its partners write codes, set names-are-ods-codes: true in "
              + "its file"
            : "this connector may not speak for the organisation that is named here; "
              + "add it to organisations or speaks-for in its file",
          acknowledgement: .reject, messageID: message.messageID,
          messageType: message.messageType)
      }
    }
    return nil
  }

  /// The outcome as the sender is told it: that of the mapping, unless the sender may not say it.
  package func judged(_ frame: MappedFrame, as principal: ODSCode? = nil) -> MappedFrame {
    guard case .mapped(let message) = frame.outcome,
      let error = refusal(of: message, as: principal)
    else { return frame }
    var frame = frame
    frame.outcome = .refused(error)
    return frame
  }

  /// What `frame`'s message becomes.
  ///
  /// An answer that still finds nothing is parked, said to be an orphan or given up, by `stage`.
  package func map(
    _ frame: StoredFrame, as outcome: MappingOutcome, correlation: inout CorrelationTable,
    at stage: DraftStage = .arriving
  ) -> IngestResult {
    switch outcome {
    case .refused(let error):
      return .deadLetter(
        .refused, reason: error.code, field: error.field, messageType: error.messageType)
    case .noHandoffFact(let message, let reason):
      return .deadLetter(
        .noHandoffFact, reason: reason, field: nil, messageType: message.messageType)
    case .mapped(let message):
      if let error = refusal(of: message) {
        return .deadLetter(
          .refused, reason: error.code, field: error.field, messageType: error.messageType)
      }
      // Moved in and out: a second reference to the table would make every change copy it.
      var draft = MessageDraft(frame: frame, message: message, source: source, hashes: hashes)
      swap(&draft.correlation, &correlation)
      let result = draft.make(stage)
      swap(&draft.correlation, &correlation)
      return result
    }
  }

  /// Who says a fact, by ODS code, and where that stands in the message.
  private func speaker(
    of fact: MappedFact, in message: MappedMessage
  ) -> (code: ODSCode?, field: String, isSilent: Bool) {
    if let third = fact.spokenBy { return (code(of: third), "spokenBy", false) }
    return switch fact.speaker {
    case .sender:
      (code(of: fact.from), "from", fact.from == nil)
    case .receiver:
      (code(of: fact.to), "to", fact.to == nil)
    case .platform:
      // A platform speaks for nobody; only a sender that is known to be another's is refused.
      (
        message.sendingOrganisation.flatMap { source.mapping.organisations[$0] },
        "sendingOrganisation",
        message.sendingOrganisation.flatMap { source.mapping.organisations[$0] } == nil
      )
    }
  }

  private func speakerParty(of fact: MappedFact) -> RawParty? {
    switch fact.speaker {
    case .sender: fact.spokenBy ?? fact.from
    case .receiver: fact.spokenBy ?? fact.to
    case .platform: fact.spokenBy
    }
  }

  /// Whether a party would be one of `allowed`, were its name read as a code.
  private func isUnreadCode(_ party: RawParty?, _ allowed: Set<ODSCode>) -> Bool {
    guard !source.mapping.namesAreODSCodes, code(of: party) == nil, let name = party?.organisation,
      let code = ODSCode(name)
    else { return false }
    return allowed.contains(code)
  }

  private func code(of party: RawParty?) -> ODSCode? {
    party?.odsCode
      ?? party?.organisation.flatMap { source.mapping.organisations[$0] }
  }
}

/// A code written in the source: it is valid by its spelling, and traps on a slip of ours.
func ingestCode(_ literal: StaticString) -> Code {
  guard let code = Code(literal.description) else {
    preconditionFailure("\(literal) is not a code")
  }
  return code
}
