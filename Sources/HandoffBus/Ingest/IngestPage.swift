package import Crypto
package import HandoffCodecs
package import HandoffConnectors
package import HandoffCore
package import HandoffStores
package import KafkaClient

/// Makes one Kafka transaction of a page of the outbox.
package struct IngestPageMaker: Sendable {
  /// Bytes of a dead letter's payload that are kept: brokers refuse records over 1 MiB.
  static let deadLetterByteCountMax = 700_000

  private let mappers: [Code: (FrameMapper, IngestMapper)]
  /// For frames whose connector is no longer configured: they were acknowledged all the same.
  private let fallback: @Sendable (Code) -> (FrameMapper, IngestMapper)
  let hashes: KeyedHashes
  let codec: WireCodec
  private let nonce: @Sendable () -> [UInt8]
  /// `nil`: no organisation outside is told anything.
  private let notices: NoticeMaker?

  package init(
    secrets: Secrets, sources: [ConnectorConfiguration], codec: WireCodec = WireCodec(),
    notices: NoticeMaker? = nil,
    nonce: @escaping @Sendable () -> [UInt8] = Self.randomNonce
  ) {
    mappers = Dictionary(
      sources.map {
        ($0.name, (FrameMapper($0.mapping), IngestMapper(secrets: secrets, source: $0)))
      }
    ) { $1 }
    fallback = { name in
      let source = ConnectorConfiguration(name: name, source: .mllp(MLLPSettings()))
      return (FrameMapper(source.mapping), IngestMapper(secrets: secrets, source: source))
    }
    hashes = KeyedHashes(secrets)
    self.codec = codec
    self.notices = notices
    self.nonce = nonce
  }

  /// The epoch that patient keys are made in.
  var epoch: UInt16 { hashes.epoch }

  /// How a source's messages are read.
  func mapping(of source: Code) -> MappingContext {
    (mappers[source] ?? fallback(source)).1.source.mapping
  }

  /// What the frames say.
  package func read(_ frames: [StoredFrame]) -> [ReadFrame] {
    frames.map { frame in
      let (reader, _) = mappers[frame.source] ?? fallback(frame.source)
      return ReadFrame(frame: frame, outcomes: outcomes(of: frame, reader))
    }
  }

  /// Twelve bytes of the system's randomness.
  package static let randomNonce: @Sendable () -> [UInt8] = {
    var random = SystemRandomNumberGenerator()
    return (0..<12).map { _ in UInt8.random(in: .min ... .max, using: &random) }
  }

  /// What the frames become; the correlation learns of it as of an open transaction.
  ///
  /// `parked` takes the answers that wait, and refuses those that would wait in a circle.
  package func draft(
    _ frames: [ReadFrame], correlation: inout CorrelationTable, parked: inout ParkedAnswers,
    at stage: DraftStage = .arriving, now: Timestamp? = nil
  ) -> IngestDraft {
    var draft = IngestDraft()
    for read in frames {
      let frame = read.frame
      let (_, mapper) = mappers[frame.source] ?? fallback(frame.source)
      var results = read.outcomes.map {
        mapper.map(frame, as: $0, correlation: &correlation, at: stage)
      }
      // The intake makes a frame of each message; one that reads as several was not ours.
      if results.count > 1 { results = results.map(Self.settled) }
      results = results.map { Self.admit($0, of: frame, to: &parked) }
      draft.add(results, of: frame, sequence: read.refusedSequence)
      if let outcome = read.outcomes.first, let result = results.first {
        draft.add(mapper.statements(of: frame, as: outcome, result))
      }
      for result in results { draft.addOrphan(result, of: frame, &parked, now: now) }
    }
    return draft
  }

  /// Parks an answer, or refuses it where it waits in a circle or too many wait.
  private static func admit(
    _ result: IngestResult, of frame: StoredFrame, to parked: inout ParkedAnswers
  ) -> IngestResult {
    guard case .parked(let answer) = result else { return result }
    if let reason = parked.refusal(of: answer) {
      return .deadLetter(
        .refused, reason: reason, field: answer.system.description, messageType: nil)
    }
    parked.park(answer, isJudged: frame.judgedUnder != nil)
    return result
  }

  private func outcomes(of frame: StoredFrame, _ reader: FrameMapper) -> [MappingOutcome] {
    let outcomes = reader.map(frame.bytes).map { Self.carrying(frame.transport, $0.outcome) }
    guard let refusal = frame.refusal else { return outcomes }
    if case .refused(let error)? = outcomes.first, error.code == refusal.reason { return outcomes }
    // What the sender was told stands, also where the message alone would read better.
    return [
      .refused(
        MappingError(
          refusal.reason, field: refusal.field, explanation: "refused on arrival",
          messageType: outcomes.first?.messageType))
    ]
  }

  /// The outcome with what the transport said beside the message.
  private static func carrying(
    _ headers: TransportHeaders?, _ outcome: MappingOutcome
  ) -> MappingOutcome {
    guard let headers else { return outcome }
    return switch outcome {
    case .mapped(let message): .mapped(message.carrying(headers))
    case .noHandoffFact(let message, let reason):
      .noHandoffFact(message.carrying(headers), reason: reason)
    case .refused: outcome
    }
  }

  private static func settled(_ result: IngestResult) -> IngestResult {
    switch result {
    case .parked, .orphaned: break
    case .events, .deadLetter: return result
    }
    return .deadLetter(
      .refused, reason: ingestCode("correlation.orphan"), field: nil, messageType: nil)
  }

  /// The records of a draft, sealed with `keys`, which must hold every name the draft asks for.
  package func records(
    of draft: IngestDraft, keys: [DataKeyName: SymmetricKey]
  ) -> [KafkaMessage] {
    var messages: [KafkaMessage] = []
    for item in draft.items {
      switch item {
      case .message(let ingested):
        messages += ingested.drafts.map { message(.events, codec.encode(seal($0, keys))) }
        if let notices {
          messages += ingested.drafts.flatMap { notices.messages(of: $0.event, $0.identity) }
        }
        messages += ingested.entries.map { message(.correlation, codec.encode($0)) }
        messages += ingested.conflicts.map { message(.sources, codec.encode(.conflict($0))) }
        if let reception = ingested.reception {
          messages.append(message(.sources, codec.encode(.reception(reception))))
        }
      case .statement(let statement):
        messages.append(message(.sources, codec.encode(statement)))
      case .orphan(let orphan):
        messages.append(message(.sources, codec.encode(.orphan(orphan))))
      case .deadLetter(let frame, let letter):
        messages.append(deadLetter(letter, of: frame, keys))
        if letter.disposition == .refused {
          var refusal = SourceRefusal(
            source: frame.source, receptionID: frame.receptionID, reason: letter.reason,
            field: letter.field, at: frame.receivedAt)
          refusal.sequence = letter.sequence
          messages.append(message(.sources, codec.encode(.refusal(refusal))))
        }
      }
    }
    return messages
  }

  /// A statement of a source about itself.
  package func record(_ heartbeat: SourceHeartbeat) -> KafkaMessage {
    message(.sources, codec.encode(.heartbeat(heartbeat)))
  }

  /// How something of a source, or of ingest, stands.
  package func record(_ condition: SourceCondition) -> KafkaMessage {
    message(.sources, codec.encode(.condition(condition)))
  }

  private func seal(_ draft: DraftEvent, _ keys: [DataKeyName: SymmetricKey]) -> HandoffEvent {
    var event = draft.event
    guard let key = keys[.person(event.patientKey)] else {
      preconditionFailure("the draft asked for the key of every person in it")
    }
    event.sealedIdentity = Sealer.seal(
      Sealer.plain(draft.identity), with: key, nonce: nonce(),
      bound: Sealer.binding(event.patientKey, event.id))
    return event
  }

  private func deadLetter(
    _ letter: IngestDraft.Letter, of frame: StoredFrame, _ keys: [DataKeyName: SymmetricKey]
  ) -> KafkaMessage {
    let day = IngestDraft.day(frame.receivedAt)
    guard let key = keys[.deadLetters(day: day)] else {
      preconditionFailure("the draft asked for the key of every day in it")
    }
    let payload = Array(frame.bytes.prefix(Self.deadLetterByteCountMax))
    let sealed = Sealer.seal(
      payload, with: key, nonce: nonce(),
      bound: Sealer.binding(frame.source, frame.receptionID))
    var record = codec.encode(
      DeadLetter(
        source: frame.source, receptionID: frame.receptionID, at: frame.receivedAt,
        disposition: letter.disposition, reason: letter.reason, field: letter.field,
        messageType: letter.messageType, rail: frame.rail, sealedPayload: sealed, keyDay: day,
        payloadBytes: UInt64(frame.bytes.count)))
    // KIP-298, so that the tools of Kafka Connect show our dead letters too.
    let place = letter.field.map { " at \($0)" } ?? ""
    record.headers += [
      RecordHeader("__connect.errors.connector.name", frame.source.description),
      RecordHeader("__connect.errors.stage", "VALUE_CONVERTER"),
      RecordHeader("__connect.errors.exception.class.name", letter.reason.description),
      RecordHeader("__connect.errors.exception.message", letter.reason.description + place),
    ]
    return message(.deadLetters, record)
  }

  /// The marks that make the topic forget entries.
  package func tombstones(of tokens: [Token]) -> [KafkaMessage] {
    tokens.map {
      KafkaMessage(
        topic: Topic.correlation.name, key: Array($0.description.utf8), value: nil)
    }
  }

  func message(_ topic: Topic, _ record: WireRecord) -> KafkaMessage {
    KafkaMessage(
      topic: topic.name, key: record.key, value: record.value,
      headers: record.headers.map { KafkaHeader($0.name, $0.value) })
  }
}

/// What a page becomes, before sealing.
package struct IngestDraft: Sendable {
  struct Letter: Sendable {
    var disposition: DeadLetter.Disposition
    var reason: Code
    var field: String?
    var messageType: Code?
    var sequence: UInt64?
  }

  enum Item: Sendable {
    case message(IngestedMessage)
    case deadLetter(StoredFrame, Letter)
    case orphan(SourceOrphan)
    case statement(SourceRecord)
  }

  fileprivate(set) var items: [Item] = []
  package private(set) var settlement = OutboxSettlement()
  package private(set) var counts: [Code: IngestCount] = [:]

  /// The events in order, for tests and for `connect check`.
  package var events: [HandoffEvent] {
    items.flatMap { item -> [HandoffEvent] in
      if case .message(let message) = item { message.drafts.map(\.event) } else { [] }
    }
  }

  /// The data keys that its records are sealed with.
  package var keyNames: Set<DataKeyName> {
    var names: Set<DataKeyName> = []
    for item in items {
      switch item {
      case .message(let message):
        for draft in message.drafts { names.insert(.person(draft.event.patientKey)) }
      case .deadLetter(let frame, _):
        names.insert(.deadLetters(day: Self.day(frame.receivedAt)))
      case .orphan, .statement: break
      }
    }
    return names
  }

  /// The day in UTC, as `2026-11-23`.
  static func day(_ time: Timestamp) -> String { String(RFC3339.text(time).prefix(10)) }

  mutating func add(_ statements: [SourceRecord]) {
    items += statements.map { .statement($0) }
  }

  mutating func add(
    _ results: [IngestResult], of frame: StoredFrame, sequence: UInt64? = nil
  ) {
    var isAnnounced = frame.isAnnounced
    var count = counts[frame.source] ?? IngestCount()
    var totals = settlement.totals[frame.source] ?? SourceTotals()
    var waits = false
    for result in results {
      switch result {
      case .events(var message):
        totals.lastSequence = message.reception?.sequence ?? totals.lastSequence
        // A frame is one arrival, however many messages are read in it.
        if isAnnounced { message.reception = nil }
        isAnnounced = true
        items.append(.message(message))
        count.mapped += 1
        count.events += UInt64(message.drafts.count)
        totals.events += UInt64(message.drafts.count)
      case .deadLetter(let disposition, let reason, let field, let type):
        let letter = Letter(
          disposition: disposition, reason: reason, field: field,
          messageType: type.flatMap(Self.typeCode), sequence: sequence)
        items.append(.deadLetter(frame, letter))
        if disposition == .refused {
          count.refused += 1
          totals.refusals += 1
        } else {
          count.withoutFact += 1
        }
        count.reasons[reason, default: 0] += 1
      case .parked(let answer):
        waits = true
        settlement.parked.append((frame.sequence, answer.token))
        count.parked += 1
      case .orphaned:
        waits = true
        settlement.judged.append(frame.sequence)
        count.orphaned += 1
      }
    }
    if !waits { settlement.published.append(frame.sequence) }
    counts[frame.source] = count
    settlement.totals[frame.source] = totals
  }

  /// Says that an answer is an orphan, once for each reference, and when it no longer is.
  mutating func addOrphan(
    _ result: IngestResult, of frame: StoredFrame, _ parked: inout ParkedAnswers,
    now: Timestamp?
  ) {
    let answer: ParkedAnswer
    var isResolved = false
    switch result {
    case .orphaned(let orphan):
      guard parked.isFirstJudged(orphan.token) else { return }
      answer = orphan
    case .events(let message):
      guard let reference = frame.judgedUnder, message.orphan == nil else { return }
      isResolved = true
      answer = ParkedAnswer(
        sequence: frame.sequence, source: frame.source, token: reference, waitsFor: [], own: [],
        system: message.answers ?? ingestCode("unknown"))
    case .deadLetter, .parked: return
    }
    items.append(
      .orphan(
        SourceOrphan(
          source: frame.source, receptionID: frame.receptionID, reference: answer.token,
          system: answer.system, receivedAt: frame.receivedAt, isResolved: isResolved,
          at: now ?? frame.receivedAt)))
  }

  /// The message type as a code: `ADT^A08` is `ADT-A08`.
  ///
  /// Only what has the shape of a type is kept: the field is the sender's, and a message out of
  /// shape may have anything there.
  static func typeCode(_ type: String) -> Code? {
    let parts = type.split(separator: "^", omittingEmptySubsequences: false)
    let isHL7 =
      (1...2).contains(parts.count)
      && parts.allSatisfy { part in
        part.utf8.count == 3
          && part.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) }
      }
    guard isHL7 || knownTypes.contains(type) else { return nil }
    return Code(parts.joined(separator: "-"))
  }

  private static let knownTypes: Set<String> = [
    "servicerequest-request", "servicerequest-response", "booking-request", "booking-response",
    "HandoffSubmission", "OperationOutcome", "ServiceRequest", "Task", "Bundle", "Appointment",
  ]
}
