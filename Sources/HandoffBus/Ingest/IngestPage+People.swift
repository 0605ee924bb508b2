import HandoffCodecs
import HandoffCore
package import HandoffStores
import KafkaClient

/// A frame and what its messages say.
package struct ReadFrame: Sendable {
  package let frame: StoredFrame
  let outcomes: [MappingOutcome]

  /// The sequence number of a frame that is refused: the others say their own.
  var refusedSequence: UInt64? {
    guard case .refused? = outcomes.first else { return nil }
    return FrameMapper.sequence(of: frame.bytes)
  }
}

extension IngestPageMaker {
  /// Everybody whom the frames name, by the key of the current epoch.
  ///
  /// The hashes are those that mapping makes: what is not here gets no key of its own.
  func people(in frames: [ReadFrame]) -> [PatientKey: PersonBasis] {
    var people: [PatientKey: PersonBasis] = [:]
    for read in frames {
      let rules = IdentifierRules(mapping(of: read.frame.source))
      for outcome in read.outcomes {
        guard case .mapped(let message) = outcome else { continue }
        let persons =
          [message.person] + message.facts.flatMap { [$0.person, $0.priorPerson] }
        for person in persons.compactMap(\.self) {
          let local = person.localIDs.compactMap { rules.spellings($0).first }
          let bases = person.nhsNumber.map { [KeyedHashes.basis($0)] } ?? []
          for basis in bases + local.map(KeyedHashes.basis) {
            people[hashes.patientKey(basis)] = basis
          }
        }
      }
    }
    return people
  }

  /// The event that moves a person to the key of a new epoch; it goes to the old key.
  ///
  /// Its ids hang on the two keys alone: after a crash it is our own redelivery.
  func event(of move: PersonMove, beganAt: Timestamp) -> HandoffEvent {
    let ids = hashes.rekey(move.from, to: move.to)
    var event = HandoffEvent(
      id: ids.event, receptionID: ids.reception, type: .identityLinked, patientKey: move.from,
      handoffID: nil, contentMac: Token(rawValue: 0), speaker: .platform, spokenBy: nil,
      occurredAt: beganAt, source: Self.keySource, rail: Self.keyRail)
    event.newPatientKey = move.to
    event.reason = Self.keyRotation
    event.contentMac = hashes.contentMac(event)
    return event
  }

  /// The records of moves: the event of each, and what correlation keeps of it.
  func records(of moves: [(HandoffEvent, CorrelationEntry)]) -> [KafkaMessage] {
    moves.flatMap { [message(.events, codec.encode($0)), message(.correlation, codec.encode($1))] }
  }

  /// Who says that a person has a new key.
  static let keySource = ingestCode("baton.keys")
  static let keyRail = ingestCode("internal")
  /// Why.
  static let keyRotation = ingestCode("key-rotation")
}

extension IngestDraft {
  /// Keys that merges and links of this page take to others.
  var merges: [PatientKey: PatientKey] {
    var merges: [PatientKey: PatientKey] = [:]
    for event in events {
      guard let new = event.newPatientKey, new != event.patientKey else { continue }
      merges[event.patientKey] = new
    }
    return merges
  }
}
