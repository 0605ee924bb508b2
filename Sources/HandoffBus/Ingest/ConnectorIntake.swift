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
    let judged = arrivals.map { arrival in
      guard let fault = arrival.fault else { return judge(arrival.bytes) }
      return [MappedFrame(index: 0, range: 0..<arrival.bytes.count, outcome: .refused(fault))]
    }
    // Stamped after the mapping, so that a frame is in the outbox as soon as it has its time.
    let time = now()
    let rows = zip(arrivals, judged).flatMap { arrival, messages in
      messages.map { message in
        NewFrame(
          source: source.name, rail: source.rail, receivedAt: time,
          bytes: Array(arrival.bytes[message.range]),
          refusal: Self.refusal(message.outcome))
      }
    }
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

  private static func refusal(_ outcome: MappingOutcome) -> FrameRefusal? {
    guard case .refused(let error) = outcome else { return nil }
    return FrameRefusal(reason: error.code, field: error.field)
  }

  package func judge(_ bytes: [UInt8]) -> [MappedFrame] {
    frames.map(bytes).map(mapper.judged)
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
