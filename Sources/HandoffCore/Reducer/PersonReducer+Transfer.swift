// How a person moves from one key to another (architecture.md, "Merges").

extension PersonReducer {
  /// Takes in what the reducer of another key, or of another partition, handed over.
  mutating func take(
    _ transfer: PersonTransfer, of record: EventRecord, into verdicts: inout [Verdict]
  ) {
    guard transfer.person.ordinals.allSatisfy({ Int($0) < transfer.activations.count }),
      transfer.path.first == transfer.person.key,
      transfer.path.count <= PersonTransfer.pathMax
    else { return noteDefect(.s07, .malformedTransfer, record, into: &verdicts) }
    let key = transfer.to
    let slot = slot(of: key)
    var person = persons.person(at: slot)
    let known = person.links.first {
      $0.direction == .cameFrom && $0.transferID == transfer.id
    }
    if let known {
      // Written again by a reconciler that was built anew: input once only, and always the same.
      state.books.redeliveredCount += 1
      // Another version writes other bytes of the same person.
      let isOneForm = known.rulesVersion == transfer.rulesVersion && known.rulesVersion != 0
      if known.recordHash != record.hash, isOneForm {
        noteDefect(.s07, nil, record, into: &verdicts)
      }
      return
    }
    if let alias = person.alias {
      if transfer.stands(at: key, inCycleThrough: alias) {
        // Merges crossed each other: the least of their keys stands for all of them.
        person.links.removeAll { $0.direction == .movedTo }
      } else if transfer.path.count < PersonTransfer.pathMax {
        var onward = transfer
        onward.path.append(key)
        onward.to = alias.key
        onward.rulesVersion = Self.rulesVersion
        return outgoing.append(.transfer(onward))
      } else {
        // Beyond every bound it stays here: judged, and said, but not lost.
        noteDefect(.s07, .pathTooLong, record, into: &verdicts)
      }
    }
    let before = person.handoffs.contains(where: \.isOpen)
    let isOnBoth = before && transfer.person.handoffs.contains(where: \.isOpen)
    adopt(transfer, record, &person, at: slot, hadOpenOnBoth: isOnBoth, into: &verdicts)
  }

  private mutating func adopt(
    _ transfer: PersonTransfer, _ record: EventRecord, _ person: inout Person, at slot: UInt32,
    hadOpenOnBoth: Bool, into verdicts: inout [Verdict]
  ) {
    var arriving = transfer.person
    arriving.renumber(ordinals(of: transfer.activations))
    for handoff in arriving.handoffs where handoff.current.isRequested {
      let mine = person.handoffs.first { $0.id == handoff.id }
      if mine?.current.isRequested == true {
        state.books.absorbedCount += 1
      } else {
        state.books.transferIn(BookEntry(handoff), in: policies)
      }
    }
    person.absorb(arriving, policies, books: &state.books)
    person.links.append(
      KeyLink(
        direction: .cameFrom, key: transfer.path[0], transferID: transfer.id, path: transfer.path,
        isMerge: transfer.isMerge, cause: transfer.cause, recordHash: record.hash,
        hadOpenOnBoth: hadOpenOnBoth, rulesVersion: transfer.rulesVersion))
    let witness = Witness(
      eventID: transfer.id, hash: record.hash.prefix, arrivedAt: state.time,
      occurredAt: transfer.cause.occurredAt, offset: record.coordinates.offset)
    if hadOpenOnBoth, transfer.isMerge {
      evaluate(
        &person, at: slot, answer: witness, arriving: transfer.id, into: &verdicts)
      guard !person.isEmpty else { return }
    }
    evaluate(&person, at: slot, answer: witness, into: &verdicts)
  }

  /// Hands a person over to the key that an event names, and leaves an alias.
  mutating func move(
    _ event: HandoffEvent, to target: PatientKey, _ record: EventRecord, _ person: Person,
    at slot: UInt32, into verdicts: inout [Verdict]
  ) {
    var person = person
    let witness = witness(of: event, record)
    let isKnown = person.links.contains {
      $0.direction == .cameFrom && $0.path.contains(target)
    }
    guard !isKnown else {
      // It would close a cycle: both stand for each other already.
      return refuse(event, .cycle, witness, &person, at: slot, into: &verdicts)
    }
    person.name(partition: partition)
    person.seen.removeFirst(max(0, person.seen.count - PersonTransfer.seenMax))
    for handoff in person.handoffs where handoff.current.isRequested {
      state.books.transferOut(BookEntry(handoff), in: policies)
    }
    var cause = witness
    cause.partition = partition
    let isMerge = event.type == .patientMerged
    let id = EventID(transferBy: event.id, of: event.patientKey)
    outgoing.append(
      .transfer(
        PersonTransfer(
          id: id, to: target, path: [event.patientKey], cause: cause, isMerge: isMerge,
          person: person, activations: state.activations)))
    var alias = Person(key: event.patientKey)
    alias.links = [
      KeyLink(
        direction: .movedTo, key: target, transferID: id, path: [event.patientKey],
        isMerge: isMerge, cause: witness)
    ]
    persons.put(alias, nil, at: slot)
  }

  /// Sends an event that came for an alias on, with the place where it stood first.
  mutating func forward(
    _ event: HandoffEvent, through alias: KeyLink, _ record: EventRecord, _ person: inout Person,
    at slot: UInt32, into verdicts: inout [Verdict]
  ) {
    if let target = event.movesTo {
      guard target != alias.key else {
        state.books.redeliveredCount += 1
        return
      }
      // Whether the first merge or the second was wrong is for people to say.
      let witness = witness(of: event, record)
      return refuse(event, .secondTarget, witness, &person, at: slot, into: &verdicts)
    }
    var onward = event
    onward.patientKey = alias.key
    onward.original = event.original ?? record.coordinates
    onward.originalAt = event.originalAt ?? state.time
    outgoing.append(.event(onward))
    state.books.forwardedCount += 1
    // What was on its way when the merge came is no use of a number that is no more.
    let windows = policies[Int(state.inForce)].windows
    let grace = alias.cause.occurredAt.advanced(by: windows.supersededGrace)
    guard alias.isMerge, event.original == nil, event.occurredAt > grace else { return }
    person.noteUse(
      .superseded, by: event.source.description, event, witness(of: event, record), windows)
    evaluate(&person, at: slot, answer: nil, into: &verdicts)
  }

  /// Says that a merge was not followed; the person stays where it is.
  private mutating func refuse(
    _ event: HandoffEvent, _ cause: Code, _ witness: Witness, _ person: inout Person,
    at slot: UInt32, into verdicts: inout [Verdict]
  ) {
    let target = event.newPatientKey?.description ?? ""
    person.noteUse(
      cause, by: target, event, witness, policies[Int(state.inForce)].windows)
    evaluate(&person, at: slot, answer: nil, into: &verdicts)
  }

  private func witness(of event: HandoffEvent, _ record: EventRecord) -> Witness {
    Witness(
      eventID: event.id, hash: record.hash.prefix, arrivedAt: state.time,
      occurredAt: event.occurredAt, offset: record.coordinates.offset)
  }

  /// Our ordinals of another partition's activations; what was never in force here is taken up
  /// behind what is, and judges only what came with it.
  private mutating func ordinals(of activations: [RulesActivation]) -> [UInt16: UInt16] {
    var ordinals: [UInt16: UInt16] = [:]
    for (theirs, activation) in activations.enumerated() {
      let known = state.activations.firstIndex { $0 == activation }
      if let ours = known {
        ordinals[UInt16(theirs)] = UInt16(ours)
      } else if let policy = effective(activation) {
        ordinals[UInt16(theirs)] = UInt16(state.activations.count)
        state.activations.append(activation)
        policies.append(policy)
      } else {
        ordinals[UInt16(theirs)] = state.inForce
      }
    }
    return ordinals
  }
}

extension PersonTransfer {
  /// Whether `key`'s alias leads back to where the transfer has been, and `key` is the least there.
  fileprivate func stands(at key: PatientKey, inCycleThrough alias: KeyLink) -> Bool {
    guard let first = path.lastIndex(of: alias.key) else { return false }
    return path[first...].allSatisfy { key <= $0 }
  }
}

extension Code {
  static let superseded = Code(known: "superseded-number")
  static let cycle = Code(known: "cycle")
  static let secondTarget = Code(known: "second-target")
  static let malformedTransfer = Code(known: "malformed")
  static let pathTooLong = Code(known: "path-too-long")
}
