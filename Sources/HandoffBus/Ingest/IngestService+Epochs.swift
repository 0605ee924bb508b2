import HandoffCodecs
import HandoffCore
import HandoffStores
import Logging

/// How people get from the keys of one epoch to those of the next.
///
/// A person moves in three steps, each of which may be repeated: the data key gets its new name
/// too, the event on the old key and the link of the correlation are published in one transaction,
/// the key store notes it. Whoever is named in a page moves before that page is mapped, so that no
/// page ever sees two keys of one person; everybody else moves in their turn.
extension IngestService {
  /// How many people move in one transaction.
  private static let movesMax = 200
  /// How many such transactions a pass has time for: pages and heartbeats must not wait for long.
  private static let batchesMax = 20

  /// Takes over the epoch that the key store says; an operator may have begun one.
  func adoptEpoch(_ session: inout Session) async throws {
    let book = try await keys.epochs()
    if book.current != maker.epoch {
      setMaker(secrets.adopting(book))
      session.place = nil
      session.hasGathered = false
      logger.notice(
        "A new epoch of patient keys has begun", metadata: ["epoch": "\(book.current)"])
    }
    session.book = book
  }

  /// Moves those of earlier epochs whom `people` names.
  func meet(
    _ people: [PatientKey: PersonBasis], _ session: inout Session
  ) async throws {
    guard let book = session.book, !book.leaving.isEmpty, !people.isEmpty else { return }
    var plans: [PatientKey: PatientKey] = [:]
    for (new, basis) in people {
      for epoch in book.leaving { plans[maker.hashes.patientKey(basis, epoch: epoch)] = new }
    }
    let earlier = try await keys.earlier(among: Set(plans.keys))
    let moves = earlier.sorted { $0.key < $1.key }.compactMap { old, state -> PersonMove? in
      guard let new = plans[old] else { return nil }
      switch state {
      case .staying: return PersonMove(old: old, new: new)
      case .merged(let into): return PersonMove(old: old, new: new, mergedInto: into)
      }
    }
    for start in stride(from: 0, to: moves.count, by: Self.movesMax) {
      try await move(Array(moves[start..<min(start + Self.movesMax, moves.count)]), &session)
    }
  }

  /// Moves people whose turn it is, as many as a pass has time for.
  func moveOn(_ session: inout Session) async throws {
    guard let book = session.book, book.isMoving else { return }
    if !session.hasGathered {
      try await gather(&session)
      session.hasGathered = true
    }
    for _ in 0..<Self.batchesMax {
      try Task.checkCancellation()
      let people = try await keys.peopleToMove(after: session.place, limit: Self.movesMax)
      guard let last = people.last else {
        try await keys.finishMoving()
        session.place = nil
        logger.notice(
          "Everybody who could has moved to the new epoch", metadata: ["epoch": "\(book.current)"])
        return try await adoptEpoch(&session)
      }
      let moves = people.compactMap { person -> PersonMove? in
        // The key must be the hash of what stands with it: a row may hold anything.
        guard maker.hashes.patientKey(person.basis, epoch: person.key.epoch) == person.key else {
          return nil
        }
        return PersonMove(old: person.key, new: maker.hashes.patientKey(person.basis))
      }
      try await move(moves, &session)
      session.place = last.key
    }
  }

  private func move(_ moves: [PersonMove], _ session: inout Session) async throws {
    guard !moves.isEmpty else { return }
    try await keys.prepare(moves)
    let day = MessageDraft.day(now())
    let beganAt = Timestamp(milliseconds: session.book?.beganAt ?? 0)
    var records: [(HandoffEvent, CorrelationEntry)] = []
    var (moved, merged): ([PersonMove], [PatientKey: PatientKey]) = ([], [:])
    for move in moves {
      let present = session.table.resolve(move.from)
      guard present == move.from else {
        // Published before a crash; or merged, and only the topic knows.
        if present == session.table.resolve(move.to) {
          moved.append(move)
        } else {
          merged[move.from] = present
        }
        continue
      }
      let token = maker.hashes.correlation(link: move.from)
      guard let link = session.table.link(move.from, to: move.to, token: token, day: day) else {
        continue
      }
      let event = maker.event(of: move, beganAt: beganAt)
      var entry = CorrelationEntry(
        token: token, patientKey: link.old, handoffID: nil, eventID: event.id)
      entry.newPatientKey = link.new
      entry.isUntraced = link.isUntraced
      entry.kind = .link
      entry.seenDay = day
      records.append((event, entry))
      moved.append(move)
    }
    if !records.isEmpty { try await publisher.publish(maker.records(of: records)) }
    _ = session.table.commit()
    try await keys.noteMerges(merged)
    try await keys.settle(moved)
  }

  /// Once a day: dead letters that the topic has dropped can be opened by nobody any more.
  func dropDeadLetterKeys(at time: Timestamp, _ session: inout Session) async throws {
    guard case .delete(let days?) = TopicTable.definition(of: .deadLetters).cleanUp else { return }
    // A day more: the broker drops whole segments, not single records.
    let day = IngestDraft.day(time.advanced(by: .minutes(-(Int64(days) + 1) * 24 * 60)))
    guard day != session.droppedDay else { return }
    try await keys.eraseDeadLetters(before: day)
    session.droppedDay = day
  }

  /// Reads from sealed identities who people are of whom the key store has only the pseudonym:
  /// those that were first sealed by a version that did not keep it.
  private func gather(_ session: inout Session) async throws {
    guard try await keys.hasUnknownPeople() else { return }
    logger.notice("Reading sealed identities, to make the keys of the new epoch")
    let current = maker.epoch
    try await publisher.readEvents { events in
      let earlier = events.filter { $0.patientKey.epoch != current && !$0.sealedIdentity.isEmpty }
      let unknown = try await keys.withoutBasis(among: Set(earlier.map(\.patientKey)))
      var bases: [PatientKey: PersonBasis] = [:]
      for event in earlier where unknown.contains(event.patientKey) {
        guard bases[event.patientKey] == nil,
          let key = try await keys.existingKey(for: .person(event.patientKey)),
          let identity = try? Sealer.identity(of: event, with: key)
        else { continue }
        bases[event.patientKey] = maker.hashes.basis(of: event.patientKey, in: identity)
      }
      guard !bases.isEmpty else { return }
      _ = try await keys.keys(for: Set(bases.keys.map { .person($0) }), bases: bases)
    }
  }
}

extension KeyedHashes {
  /// What `key` is the hash of, where the identity holds it.
  func basis(of key: PatientKey, in identity: SealedIdentity) -> PersonBasis? {
    let rules = IdentifierRules(MappingContext())
    for person in [identity.person, identity.priorPerson].compactMap(\.self) {
      var bases: [PersonBasis] = []
      if let text = person.nhsNumber, let number = try? NHSNumber(text) {
        bases.append(Self.basis(number))
      }
      for id in person.localIDs {
        let local = ClearPerson.LocalID(value: id.value, assigner: id.assigner, type: id.type)
        // As it is spelled now, and as it was before spellings were made one.
        bases += (rules.spellings(local) + [local]).map(Self.basis)
      }
      if let basis = bases.first(where: { patientKey($0, epoch: key.epoch) == key }) {
        return basis
      }
    }
    return nil
  }
}
