package import HandoffCodecs
package import HandoffConnectors
package import HandoffCore
package import HandoffStores

/// What a connector hands its frames to: mapped, made durable, judged, in this order.
///
/// A frame that cannot be mapped is durable too before its sender hears so: the dead letter is
/// written from the outbox like everything else.
package struct ConnectorIntake: FrameIntake {
  private let source: ConnectorConfiguration
  private let frames: FrameMapper
  private let mapper: IngestMapper
  private let hashes: KeyedHashes
  private let outbox: Outbox
  private let now: @Sendable () -> Timestamp

  package init(
    _ source: ConnectorConfiguration, secrets: Secrets, outbox: Outbox,
    now: @escaping @Sendable () -> Timestamp
  ) {
    self.source = source
    frames = FrameMapper(source.mapping)
    mapper = IngestMapper(secrets: secrets, source: source)
    hashes = KeyedHashes(secrets)
    self.outbox = outbox
    self.now = now
  }

  package func take(
    _ arrivals: [Arrival], of file: FileIdentity?
  ) async throws(IntakeFailure) -> [Reception] {
    if let only = arrivals.first, arrivals.count == 1, let request = only.request {
      return [try await take(only, request)]
    }
    let judged = arrivals.map(judge)
    // Stamped after the mapping, so that a frame is in the outbox as soon as it has its time.
    let time = now()
    let rows = zip(arrivals, judged).flatMap { frames(of: $0, as: $1, at: time) }
    var ids: ArraySlice<ReceptionID>
    do {
      ids = try await outbox.commit(rows, claim: file.map(claim))[...]
    } catch {
      throw IntakeFailure(error)
    }
    return judged.map { messages in
      defer { ids = ids.dropFirst(messages.count) }
      return Reception(receptionIDs: Array(ids.prefix(messages.count)), messages: messages)
    }
  }

  /// Takes in a numbered request, unless its number is known.
  private func take(
    _ arrival: Arrival, _ request: RequestIdentity
  ) async throws(IntakeFailure) -> Reception {
    let messages = judge(arrival)
    let rows = frames(of: arrival, as: messages, at: now())
    // A refused message leaves its number free: once the fault is mended, here or there, the same
    // request is taken in.
    guard messages.allSatisfy({ Self.refusal($0.outcome) == nil }) else {
      do {
        return Reception(receptionIDs: try await outbox.commit(rows), messages: messages)
      } catch {
        throw IntakeFailure(error)
      }
    }
    let claim = hashes.claim(
      request, of: arrival.principal, source: source.name, bytes: arrival.bytes)
    do {
      switch try await outbox.commit(rows, request: claim) {
      case .taken(let ids): return Reception(receptionIDs: ids, messages: messages)
      case .repeated(let isSame):
        return Reception(
          receptionIDs: [], messages: messages, repeated: isSame ? .same : .other)
      }
    } catch {
      throw IntakeFailure(error)
    }
  }

  private func judge(_ arrival: Arrival) -> [MappedFrame] {
    if let fault = arrival.fault {
      return [MappedFrame(index: 0, range: 0..<arrival.bytes.count, outcome: .refused(fault))]
    }
    return frames.map(arrival.bytes).map { mapper.judged($0, as: arrival.principal) }
  }

  private func frames(
    of arrival: Arrival, as messages: [MappedFrame], at time: Timestamp
  ) -> [NewFrame] {
    messages.map { message in
      NewFrame(
        source: source.name, rail: source.rail, receivedAt: time,
        bytes: Array(arrival.bytes[message.range]), refusal: Self.refusal(message.outcome),
        transport: arrival.transport)
    }
  }

  private static func refusal(_ outcome: MappingOutcome) -> FrameRefusal? {
    guard case .refused(let error) = outcome else { return nil }
    return FrameRefusal(reason: error.code, field: error.field)
  }

  package func judge(_ bytes: [UInt8]) -> [MappedFrame] {
    frames.map(bytes).map { mapper.judged($0) }
  }

  package func wasTaken(_ file: FileIdentity) async throws(IntakeFailure) -> Bool {
    do {
      return try await outbox.isClaimed(claim(file))
    } catch {
      throw IntakeFailure(error)
    }
  }

  package func release(_ file: FileIdentity) async throws(IntakeFailure) {
    do {
      try await outbox.release(claim(file))
    } catch {
      throw IntakeFailure(error)
    }
  }

  private func claim(_ file: FileIdentity) -> FileClaim {
    let numbers = [file.fileNumber, file.byteCount, UInt64(bitPattern: file.modified)]
    return hashes.claim(
      [Array(source.name.description.utf8), Array(file.path.utf8)]
        + numbers.map { Array(String($0).utf8) })
  }
}

extension IntakeFailure {
  /// What the sender is told of a failure of the outbox.
  init(_ error: OutboxError) {
    let reason =
      switch error {
      case .full: ingestCode("baton.outbox-full")
      case .diskFull: ingestCode("baton.disk-full")
      case .notWritable: ingestCode("baton.outbox-not-writable")
      case .inUse, .closed: ingestCode("baton.closing")
      case .failed, .corrupt: ingestCode("baton.outbox-failed")
      }
    self.init(
      reason: reason,
      explanation: "the message was not taken in (\(error)); send it again later")
  }
}
