import HandoffCodecs
import HandoffCore
import HandoffStores

extension MessageDraft {
  /// What the sources topic is told of the arrival, whatever becomes of the message.
  var reception: SourceReception {
    var reception = SourceReception(
      source: frame.source, receptionID: frame.receptionID,
      messageKey: hashes.messageKey(of: sent), contentMac: hashes.frameMac(frame.bytes),
      sequence: message.sequence, at: frame.receivedAt)
    reception.recordedAt = message.recordedAt
    reception.occurredAt = message.facts.compactMap(\.occurredAt).max()
    reception.isTimeDoubtful = message.isTimeDoubtful
    reception.isBackfill = message.facts.contains(where: \.isBackfill)
    return reception
  }

  /// That the message was taken in although its NHS number is none (A27 as a warning).
  var warning: SourceRefusal? {
    let people = [message.person] + message.facts.flatMap { [$0.person, $0.priorPerson] }
    guard people.contains(where: { $0?.nhsNumberStatus == .checkDigitFailed }) else { return nil }
    var warning = SourceRefusal(
      source: frame.source, receptionID: frame.receptionID,
      reason: ingestCode("identity.nhs-number-check-digit"), field: nil, at: frame.receivedAt)
    warning.isWarning = true
    return warning
  }
}

extension IngestMapper {
  /// What the sources topic is told of a frame besides what its events say.
  ///
  /// Each frame is told of once, when it first leaves the outbox or begins to wait in it, so that the
  /// source's sequence and totals can be held against what came.
  func statements(
    of frame: StoredFrame, as outcome: MappingOutcome, _ result: IngestResult
  ) -> [SourceRecord] {
    guard !frame.isAnnounced else { return [] }
    let message: MappedMessage
    switch outcome {
    case .mapped(let mapped): message = mapped
    case .noHandoffFact(let mapped, _): message = mapped
    case .refused: return []
    }
    let draft = MessageDraft(frame: frame, message: message, source: source, hashes: hashes)
    var statements: [SourceRecord] = []
    switch result {
    case .parked, .deadLetter(.noHandoffFact, _, _, _):
      statements.append(.reception(draft.reception))
    case .events, .orphaned, .deadLetter: break
    }
    switch result {
    case .deadLetter: break
    case .events, .parked, .orphaned:
      if let warning = draft.warning { statements.append(.refusal(warning)) }
    }
    return statements
  }
}
