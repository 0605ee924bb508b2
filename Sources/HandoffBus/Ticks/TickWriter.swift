internal import HandoffCodecs
package import HandoffCore
package import KafkaClient
package import Logging

/// Writes the ticks of the partitions that this instance owns, outside of any transaction: two
/// owners ticking is harmless, and a tick that fails is only written later.
package actor TickWriter {
  private struct Written {
    var offset: Int64
    var at: Timestamp
  }

  private let topic: Topic
  private let schedule: TickSchedule
  private let status: ReconcilerStatus
  private let logger: Logger
  private let producer: RenewedProducer
  private var lastMoved: [Int32: Timestamp] = [:]
  /// The last tick of each partition, until it is read again: its stamp measures our clock.
  private var written: [Int32: Written] = [:]
  private var skew: Elapsed?
  private let instanceID: String
  private let policyHash: RecordHash
  /// What this machine's clock says.
  private let clock: @Sendable () -> Timestamp
  /// What was said of our clock while it is off.
  private var skewVerdict: Verdict?

  /// Makes a writer for the partitions of a topic; the instance and the policy in force are what its verdicts about ourselves name.
  package init(
    kafka: KafkaConfiguration, topic: Topic = .events, schedule: TickSchedule,
    status: ReconcilerStatus, logger: Logger,
    instanceID: String, policyHash: RecordHash,
    clock: @escaping @Sendable () -> Timestamp = { Timestamp.now() }
  ) {
    self.clock = clock
    self.instanceID = instanceID
    self.policyHash = policyHash
    producer = RenewedProducer(kafka)
    self.topic = topic
    self.schedule = schedule
    self.status = status
    self.logger = logger
  }

  /// Takes note that a partition is ours; time counts as moved, so that its records come first.
  package func took(_ partition: Int32) {
    lastMoved[partition] = now
    written[partition] = nil
  }

  package func letGo(_ partition: Int32) {
    lastMoved[partition] = nil
    written[partition] = nil
  }

  /// Takes note that records of `partition` have arrived, and reads our own tick's stamp.
  package func moved(_ partition: Int32, by records: [KafkaRecord]) async -> SelfAlert? {
    lastMoved[partition] = now
    guard let tick = written[partition],
      let record = records.first(where: { $0.offset == tick.offset })
    else { return nil }
    written[partition] = nil
    let stamp = Timestamp(milliseconds: record.timestampMilliseconds)
    let measured = stamp.since(tick.at)
    let wasSkewed = schedule.isSkewed(skew)
    skew = measured
    status.update { $0.skew = measured }
    guard schedule.isSkewed(measured) != wasSkewed else { return nil }
    if wasSkewed {
      await resolveSkew(at: stamp)
      return nil
    }
    let alert = SelfAlert(
      .clockSkewed,
      at: RecordCoordinates(topic: record.topic, partition: partition, offset: record.offset))
    skewVerdict = await publish(alert, at: stamp, episode: instanceID + RFC3339.text(stamp))
    return alert
  }

  /// Says of ourselves, outside of any transaction, what no reducer can see in its records.
  @discardableResult
  package func publish(_ alert: SelfAlert, at time: Timestamp, episode: String) async -> Verdict {
    let verdict = Verdict(of: alert, at: time, episode: episode, policyHash: policyHash)
    await write(verdict)
    return verdict
  }

  private func resolveSkew(at time: Timestamp) async {
    guard var verdict = skewVerdict else { return }
    skewVerdict = nil
    verdict.revision += 1
    verdict.action = .resolved
    verdict.resolvedAt = time
    verdict.knownAt = time
    await write(verdict)
  }

  private func write(_ verdict: Verdict) async {
    do throws(KafkaError) {
      try await producer.send([KafkaMessage(topic: .alerts, WireCodec().encode(verdict))])
    } catch {
      // The log of this instance has it in any case.
      logger.error(
        "Verdict about ourselves not written",
        metadata: ["rule": "\(verdict.rule.rawValue)", "kafkaCode": "\(error.code)"])
    }
  }

  /// Writes the ticks that are due and says how long nothing will be due after.
  package func tick(due: [Int32: Timestamp?]) async -> Duration {
    var wake = now.advanced(by: schedule.intervalMax)
    for (partition, nextDue) in due.sorted(by: { $0.key < $1.key }) {
      let situation = TickSchedule.Situation(
        now: now, nextDue: nextDue, lastMoved: lastMoved[partition] ?? now, skew: skew)
      switch schedule.decision(in: situation) {
      case .wait(let until): wake = min(wake, until)
      case .tick:
        await write(partition)
        wake = min(wake, now.advanced(by: schedule.intervalMin))
      }
    }
    return .nanoseconds(max(1_000_000, wake.since(now).nanoseconds))
  }

  /// Logs a switch of policy on one partition.
  package func write(
    _ activation: RulesActivation, on partition: Int32
  ) async throws(KafkaError) {
    let record = WireCodec().encode(activation, at: Timestamp.now())
    try await producer.send([KafkaMessage(topic: topic, partition: partition, record)])
    logger.notice(
      "Policy activated",
      metadata: ["partition": "\(partition)", "policy": "\(activation.policyHash)"])
  }

  /// Frees the client.
  package func close() async { await producer.close() }

  /// The owner's clock, put right by what was measured; left alone where it is past trusting.
  private var now: Timestamp {
    let now = clock()
    guard let skew, !schedule.isSkewed(skew) else { return now }
    return now.advanced(by: skew)
  }

  private func write(_ partition: Int32) async {
    let sentAt = clock()
    // Moved or not: after a failure the next try comes a second later, not at once.
    lastMoved[partition] = now
    do throws(KafkaError) {
      let message = KafkaMessage(
        topic: topic, partition: partition, WireCodec().encodeTick(at: sentAt))
      guard let delivery = try await producer.send([message]).first else { return }
      written[partition] = Written(offset: delivery.offset, at: sentAt)
      status.update { $0.tickCount += 1 }
    } catch {
      logger.notice(
        "Tick not written", metadata: ["partition": "\(partition)", "kafkaCode": "\(error.code)"])
    }
  }
}
