import HandoffCore

/// Random states, as no reducer would make them: the codec must not depend on sense.
extension EventGenerator {
  mutating func list<Value>(_ countMax: Int, _ make: (inout Self) throws -> Value) rethrows
    -> [Value]
  {
    var list: [Value] = []
    for _ in 0..<number(0...countMax) { list.append(try make(&self)) }
    return list
  }

  mutating func one<Value: CaseIterable>(_: Value.Type = Value.self) -> Value {
    let all = Array(Value.allCases)
    return all[number(0...all.count - 1)]
  }

  mutating func witness() -> Witness {
    Witness(
      eventID: id(), hash: id(), arrivedAt: time(), occurredAt: time(),
      offset: Int64(number(0...1 << 40)), partition: maybe { Int32($0.number(0...23)) })
  }

  mutating func fact() throws -> Fact {
    var fact = Fact(
      witness: witness(), type: one(), speaker: one(), rail: code(),
      policy: UInt16(number(0...65535)), isBackfill: chance(), isRetry: chance())
    fact.spokenBy = chance() ? try organisation() : nil
    fact.from = chance() ? try organisation() : nil
    fact.to = chance() ? try organisation() : nil
    fact.kind = chance() ? .unspecified : nil
    fact.priority = chance() ? .urgent : nil
    fact.needKey = maybe { $0.id() }
    fact.needCode = maybe { $0.code() }
    fact.cc = try list(2) { try $0.organisation() }
    fact.contentHash = UInt64(number(0...3))
    fact.version = UInt32(number(0...3))
    fact.journeyID = maybe { $0.id() }
    fact.parentHandoffID = maybe { $0.id() }
    fact.newHandoffID = maybe { $0.id() }
    fact.reason = maybe { $0.code() }
    fact.bookedFor = maybe { $0.time() }
    fact.dischargeReadyAt = maybe { $0.time() }
    fact.isFeedbackOwed = maybe { $0.chance() }
    return fact
  }

  mutating func facts() throws -> HandoffFacts {
    var facts = HandoffFacts()
    facts.state = one()
    facts.stateBeforeHold = one()
    facts.stateBeforeEnd = one()
    facts.isRequested = chance()
    facts.isBackfill = chance()
    facts.isFeedbackOwed = chance()
    facts.isDocument = chance()
    facts.isEndedByPlatform = chance()
    facts.isAmendmentSeen = chance()
    facts.version = UInt32(number(0...3))
    facts.oldVersions = list(3) { UInt32($0.number(1...99)) }
    facts.policy = UInt16(number(0...3))
    facts.rail = maybe { $0.code() }
    facts.from = chance() ? try organisation() : nil
    facts.to = chance() ? try organisation() : nil
    facts.acceptedBy = chance() ? try organisation() : nil
    facts.kind = chance() ? .unspecified : nil
    facts.priority = chance() ? .routine : nil
    facts.needKey = maybe { $0.id() }
    facts.needCode = maybe { $0.code() }
    facts.cc = try list(2) { try $0.organisation() }
    facts.requestHash = UInt64(number(0...3))
    facts.journeyID = maybe { $0.id() }
    facts.parentHandoffID = maybe { $0.id() }
    facts.newHandoffID = maybe { $0.id() }
    facts.endReason = maybe { $0.code() }
    facts.bookedFor = maybe { $0.time() }
    facts.dischargeReadyAt = maybe { $0.time() }
    facts.paused = Elapsed(nanoseconds: Int64(number(0...1 << 50)))
    facts.marks = list(3) { Mark(step: $0.one(), witness: $0.witness()) }
    facts.findings = list(2) {
      Finding(
        rule: $0.one(), cause: $0.maybe { $0.code() }, witness: $0.witness(), due: $0.time(),
        wasTerminal: $0.chance())
    }
    facts.pending = try list(2) { try $0.fact() }
    facts.sameCount = UInt32(number(0...3))
    facts.lateCount = UInt32(number(0...3))
    facts.duplicateCount = UInt32(number(0...3))
    return facts
  }

  mutating func person() throws -> Person {
    var person = Person(key: try key())
    person.handoffs = try list(3) { generator in
      Handoff(
        id: generator.id(), current: try generator.facts(),
        settled: generator.chance() ? try generator.facts() : nil,
        window: try generator.list(2) { try $0.fact() }, isTransferred: generator.chance())
    }
    person.seen = try list(3) {
      SeenEvent(
        eventID: $0.id(), receptionID: $0.id(), messageKey: $0.maybe { $0.id() },
        contentMac: $0.id(), type: $0.one(), arrivedAt: $0.time(), hash: $0.id(),
        offset: Int64($0.number(0...99)), partition: $0.maybe { Int32($0.number(0...23)) },
        spokenBy: $0.chance() ? try $0.organisation() : nil)
    }
    person.repetitions = list(2) {
      Repetition(
        rule: $0.one(), subject: $0.id(), handoffID: $0.maybe { $0.id() }, beganWith: $0.id(),
        lastReceptionID: $0.id(), count: UInt32($0.number(0...9)), opened: $0.time(),
        lastAt: $0.time(), first: $0.witness(), latest: $0.witness(), cause: $0.maybe { $0.code() })
    }
    person.alerts = list(3) {
      var alert = EmittedAlert(
        id: $0.id(), rule: $0.one(), handoffID: $0.maybe { $0.id() }, beganWith: $0.id(),
        subject: $0.maybe { $0.id() }, cause: $0.maybe { $0.code() },
        revision: UInt32($0.number(0...9)), isOpen: $0.chance(), opened: $0.time(),
        count: UInt32($0.number(0...9)))
      alert.hangsOn = $0.maybe { $0.code() }
      alert.isUndetermined = $0.chance()
      alert.answeredAt = $0.maybe { $0.time() }
      return alert
    }
    person.readinessSaid = maybe { $0.witness() }
    person.dischargeReadyAt = maybe { $0.time() }
    person.unlinkedCount = UInt32(number(0...9))
    person.links = try list(2) { try $0.link() }
    person.stay = try list(2) { generator in
      StayMark(
        type: generator.one(), witness: generator.witness(),
        saidBy: generator.chance() ? try generator.organisation() : nil,
        pathway: generator.maybe { UInt8($0.number(0...3)) },
        readyAt: generator.maybe { $0.time() }, isRetraction: generator.chance(),
        policy: generator.maybe { UInt16($0.number(0...3)) })
    }
    return person
  }

  mutating func link() throws -> KeyLink {
    KeyLink(
      direction: one(), key: try key(), transferID: id(), path: try list(3) { try $0.key() },
      isMerge: chance(), cause: witness(), recordHash: maybe { $0.hash() },
      hadOpenOnBoth: chance(), rulesVersion: chance() ? 0 : 5)
  }

  mutating func transfer() throws -> PersonTransfer {
    let person = try person()
    return PersonTransfer(
      id: id(), to: try key(), path: [person.key] + (try list(3) { try $0.key() }),
      cause: witness(), isMerge: chance(), person: person,
      activations: list(2) {
        RulesActivation(
          rulesVersion: UInt32($0.number(1...9)), policyHash: $0.hash(),
          profile: $0.maybe { $0.code() }, registerHash: $0.maybe { $0.hash() },
          isCommanded: $0.chance())
      })
  }

  mutating func ledger() -> Ledger {
    var ledger = Ledger()
    ledger.requested = UInt64(number(0...9))
    ledger.transferredIn = UInt64(number(0...9))
    ledger.transferredOut = UInt64(number(0...9))
    for bucket in Bucket.allCases { ledger[bucket] = UInt64(number(0...9)) }
    return ledger
  }

  mutating func partition() throws -> PartitionState {
    var state = PartitionState(
      time: time(), nextOffset: Int64(number(0...1 << 40)),
      activations: list(2) {
        RulesActivation(
          rulesVersion: UInt32($0.number(1...9)), policyHash: $0.hash(),
          profile: $0.maybe { $0.code() }, registerHash: $0.maybe { $0.hash() },
          isCommanded: $0.chance())
      })
    for _ in 0..<number(0...3) {
      let source = SourceState(
        source: code(), condition: one(), completeUpTo: maybe { $0.time() },
        since: maybe { $0.time() })
      state.sources[source.source] = source
    }
    for _ in 0..<number(0...2) { state.carriage[code()] = [try organisation()] }
    state.defects = list(2) {
      Defect(
        rule: $0.one(), cause: $0.maybe { $0.code() }, id: $0.id(),
        revision: UInt32($0.number(1...9)), count: UInt32($0.number(1...9)), opened: $0.time(),
        lastAt: $0.time(),
        evidence: $0.list(2) {
          Evidence(
            eventID: $0.maybe { $0.id() }, hash: $0.hash(),
            coordinates: $0.maybe { $0.coordinates() })
        })
    }
    state.books.total = ledger()
    for name in ["a", "b", "c"] where chance() {
      state.books.byKind[try unwrapped(HandoffKind(name))] = ledger()
    }
    state.books.byPlace[nil] = ledger()
    for _ in 0..<number(0...2) { state.books.byPlace[code()] = ledger() }
    state.books.forgotten = UInt64(number(0...9))
    state.books.eventCount = UInt64(number(0...9))
    state.books.redeliveredCount = UInt64(number(0...9))
    state.books.repeatedCount = UInt64(number(0...9))
    state.books.unlinkedCount = UInt64(number(0...9))
    state.books.lapsedCount = UInt64(number(0...9))
    state.books.forwardedCount = UInt64(number(0...9))
    state.books.staleCount = UInt64(number(0...9))
    state.books.absorbedCount = UInt64(number(0...9))
    if chance(), !state.activations.isEmpty { state.inForce = 0 }
    return state
  }
}
