package import HandoffCodecs
package import HandoffConnectors
package import HandoffCore
package import HandoffStores
import KafkaClient
package import Logging
import ServiceLifecycle
import Synchronization

/// The bounds of ingest.
package struct IngestLimits: Sendable {
  /// Frames of one transaction.
  package var pageCountMax = 500
  /// Bytes of the frames of one transaction.
  package var pageByteCountMax = 8 * 1_024 * 1_024
  /// How long an answer waits for its request: W_reorder and 24 h (domain.md, A13).
  package var parkedMax: Elapsed = .minutes(24 * 60 + 15)
  /// How long an orphan is kept: until then a late request still gets its answer.
  package var orphanMax: Elapsed = .hours(14 * 24)
  package var parked = ParkedAnswers.Limits()
  package var correlation = CorrelationLimits()
  /// How often heartbeats and waiting answers are looked at.
  package var timerInterval: Duration = .seconds(1)
  /// The pause after a failure; it doubles up to ``pauseMax``.
  package var pauseMin: Duration = .milliseconds(100)
  package var pauseMax: Duration = .seconds(30)

  package init() {}
}

/// The only writer of events: takes the outbox in order, maps, seals and publishes.
///
/// One Kafka transaction holds the events of a page, what correlation learned of them, and the
/// receptions; only then is the outbox told. A crash in between publishes the same receptions
/// again, which every reader ignores. While the broker is away frames stay in the outbox.
package final class IngestService: Service {
  private let outbox: Outbox
  let keys: any DataKeys
  let secrets: Secrets
  private let codec: WireCodec
  /// Changes when an epoch begins.
  private let currentMaker: Mutex<IngestPageMaker>
  let publisher: any IngestPublisher
  private let sources: [ConnectorConfiguration]
  private let board: ConnectorBoard
  private let outside: OutsideWorld
  private let certificates: CertificateBoard?
  private let limits: IngestLimits
  let logger: Logger
  let now: @Sendable () -> Timestamp
  package let counters = IngestCounters()
  package let correlation: CorrelationBoard

  package init(
    outbox: Outbox, keys: any DataKeys, secrets: Secrets, sources: [ConnectorConfiguration],
    board: ConnectorBoard, publisher: any IngestPublisher, outside: OutsideWorld = OutsideWorld(),
    certificates: CertificateBoard? = nil,
    limits: IngestLimits = IngestLimits(), codec: WireCodec = WireCodec(),
    statusPath: String? = nil, logger: Logger, now: @escaping @Sendable () -> Timestamp
  ) {
    self.outbox = outbox
    self.keys = keys
    self.secrets = secrets
    self.codec = codec
    currentMaker = Mutex(
      IngestPageMaker(
        secrets: secrets, sources: sources + outside.connectors, codec: codec,
        notices: outside.notices))
    self.outside = outside
    self.certificates = certificates
    self.publisher = publisher
    correlation = CorrelationBoard(path: statusPath)
    self.sources = sources
    self.board = board
    self.limits = limits
    self.logger = logger
    self.now = now
  }

  /// Makes pages with the keys of the epoch in force.
  var maker: IngestPageMaker { currentMaker.withLock { $0 } }

  func setMaker(_ secrets: Secrets) {
    let maker = IngestPageMaker(
      secrets: secrets, sources: sources + outside.connectors, codec: codec,
      notices: outside.notices)
    currentMaker.withLock { $0 = maker }
  }

  /// Frames that are in the outbox and not parked.
  package var waitingCount: Int { max(0, outbox.level.rowCount - outbox.level.parkedCount) }

  package func run() async throws {
    // What is not published by then stays in the outbox.
    try await untilShutdown { try await self.work() }
    await publisher.close()
  }

  /// Works until cancelled or the outbox is closed.
  func work(clock: any Clock<Duration> = ContinuousClock()) async throws {
    let (wakes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        for await _ in self.outbox.arrivals { wake.yield() }
        wake.finish()
      }
      group.addTask { [limits] in
        while true {
          try await clock.sleep(for: limits.timerInterval, tolerance: limits.timerInterval / 10)
          wake.yield()
        }
      }
      group.addTask { try await self.ingest(wakes, clock: clock) }
      // Whoever ends first ends the rest: the outbox by closing, the loop by cancellation.
      while try await group.next() != nil {
        if Task.isCancelled || outbox.isClosed { group.cancelAll() }
      }
    }
  }

  /// One session after another: each opens the publisher and works until it fails.
  private func ingest(_ wakes: AsyncStream<Void>, clock: any Clock<Duration>) async throws {
    var session = Session(limits)
    var pauses = IngestPauses(limits)
    while !Task.isCancelled {
      do {
        if !session.isOpen { try await open(&session) }
        try await pass(&session)
        pauses.worked()
        for await _ in wakes { try await pass(&session) }
        return
      } catch is CancellationError {
        return
      } catch {
        session.table.rollBack()
        // What fails because it is told to end is no fault.
        if Task.isCancelled { return }
        let disposition = (error as? KafkaError)?.disposition ?? .retry
        if disposition == .close || !session.isOpen {
          session.isOpen = false
          await publisher.close()
        }
        let isFenced = (error as? KafkaError).map { Self.fencing.contains($0.code) } ?? false
        let pause = pauses.failed(isFenced: isFenced)
        if isFenced { noteFencing() }
        logger.error(
          isFenced
            ? "Another process may ingest under this one's name: give each an --instance of its own"
            : "Ingest waits: frames stay in the outbox",
          metadata: [
            "error": "\(error)", "waiting": "\(outbox.level.rowCount)", "pause": "\(pause)",
          ])
        try await clock.sleep(for: pause, tolerance: pause / 10)
      }
    }
  }

  /// What a broker says to whoever is shut out by another of the same transactional id.
  private static let fencing: Set<KafkaError.Code> = [
    .fenced, .producerFenced, .invalidProducerEpoch,
  ]

  /// Shows for `baton doctor` that two processes have one name.
  private func noteFencing() {
    correlation.update { [now] status in
      status.fencedCount = (status.fencedCount ?? 0) + 1
      status.fencedAt = RFC3339.text(now())
    }
  }

  /// What one session holds in memory.
  struct Session {
    var isOpen = false
    var table: CorrelationTable
    /// Answers that wait; all are put back in line when a session opens.
    var parked: ParkedAnswers
    var heartbeatsDue: [Code: Timestamp] = [:]
    var parkedDue = Timestamp.distantPast
    /// How far the look for what may be forgotten has come; 0 begins anew.
    var forgettingBelow = 0
    var forgottenCount: UInt64 = 0
    /// Of how full the table was when it was last warned of.
    var warnedPercent = 0
    /// The last moment up to which each source was known complete.
    var complete: [Code: Timestamp] = [:]
    /// How far the inboxes are consumed, as the last transaction said.
    var consumed = ConsumedInboxes()
    /// The last word of each connector outside that was passed on.
    var passedOn: [Code: Timestamp] = [:]
    /// What was said of certificates and of the correlation table.
    var conditions = ConditionBook()
    /// The day on which keys of dead letters were dropped last.
    var droppedDay = ""
    /// The epochs of the patient keys, as they were when the pass began.
    var book: EpochBook?
    /// How far people have moved on to the current epoch, in the order of keys.
    var place: PatientKey?
    /// Whether sealed identities were read for people of whom only the pseudonym was known.
    var hasGathered = false

    init(_ limits: IngestLimits = IngestLimits()) {
      table = CorrelationTable(countMax: limits.correlation.entryCountMax)
      parked = ParkedAnswers(limits: limits.parked)
    }
  }

  /// Fences, restores, and puts waiting answers back in line: their request may have come.
  func open(_ session: inout Session) async throws {
    try await keys.adopt(base: secrets.baseEpoch, at: now())
    // A second reference to the table would make every change copy it.
    var table = CorrelationTable(countMax: limits.correlation.entryCountMax)
    session.table = CorrelationTable(countMax: 0)
    let today = MessageDraft.day(now())
    try await publisher.open { table.restore($0, today: today) }
    session.table = table
    session.parked = ParkedAnswers(limits: limits.parked)
    try await outbox.unpark(nil)
    session.isOpen = true
    show(&session)
    let status = correlation.current
    logger.notice(
      "Ingest is open",
      metadata: [
        "correlations": "\(status.entries)", "people": "\(status.people)",
        "bytes": "\(status.bytes)",
      ])
  }

  /// Publishes all that waits, then what is due by the clock.
  func pass(_ session: inout Session) async throws {
    let time = now()
    try await adoptEpoch(&session)
    while true {
      try Task.checkCancellation()
      try await follow(&session)
      let frames = try await outbox.pending(
        limit: limits.pageCountMax, byteCountMax: limits.pageByteCountMax)
      if frames.isEmpty { break }
      // Room is made before it is missed: what is too old goes, and never what is live.
      if session.table.isFull {
        try await forget(at: time, &session)
        show(&session)
      }
      try await publish(frames, &session)
    }
    try await moveOn(&session)
    if time >= session.parkedDue {
      session.parkedDue = time.advanced(by: .minutes(1))
      try await judgeParked(at: time, &session)
      try await forget(at: time, &session)
      try await dropDeadLetterKeys(at: time, &session)
      show(&session)
    }
    try await tellConditions(at: time, &session)
    try await beat(&session)
  }

  /// Learns what others who ingest into this bus have written, and lets go on what waited for it.
  private func follow(_ session: inout Session) async throws {
    let today = MessageDraft.day(now())
    var learned: [Token] = []
    try await publisher.follow { change in
      session.table.restore(change, today: today)
      if case .entry(let entry) = change { learned.append(entry.token) }
    }
    try await release(session.parked.wanted(by: learned), &session)
  }

  /// Puts the answers that the outbox keeps under `tokens` back in line.
  private func release(_ tokens: [Token], _ session: inout Session) async throws {
    guard !tokens.isEmpty else { return }
    try await outbox.unpark(tokens)
    session.parked.release(tokens)
  }

  /// How certificates and the correlation table stand, where that is news.
  private func tellConditions(at time: Timestamp, _ session: inout Session) async throws {
    let standings = certificates?.all.map { $0.condition(at: time) } ?? []
    let news = session.conditions.news(standings + [correlation.current.condition(at: time)])
    guard !news.isEmpty else { return }
    try await publisher.publish(news.map(maker.record))
    session.conditions.note(news)
  }

  private func publish(
    _ frames: [StoredFrame], _ session: inout Session, at stage: DraftStage = .arriving
  ) async throws {
    guard !session.table.isFull else {
      throw KafkaError(
        .queueFull, message: "the correlation table is full", disposition: .retry)
    }
    let maker = maker
    let read = maker.read(frames)
    let people = maker.people(in: read)
    try await meet(people, &session)
    let draft = maker.draft(
      read, correlation: &session.table, parked: &session.parked, at: stage, now: now())
    // Noted first: a merge that is published and not known here would be undone by a new epoch.
    try await keys.noteMerges(draft.merges)
    let dataKeys = try await keys.keys(for: draft.keyNames, bases: people)
    let messages = maker.records(of: draft, keys: dataKeys)
    if !messages.isEmpty {
      let consumed = session.consumed.moved(by: frames)
      try await publisher.publish(messages, consumed: consumed.offsets)
      session.consumed = consumed.after
    }
    let learned = session.table.commit()
    session.parked.remove(draft.settlement.published)
    try await outbox.settle(draft.settlement)
    counters.add(draft.counts)
    try await release(session.parked.wanted(by: learned), &session)
  }

  /// Answers whose request has not come in time are looked up once more and said to be orphans;
  /// those that have been orphans for long are given up.
  private func judgeParked(at time: Timestamp, _ session: inout Session) async throws {
    for (age, stage) in [(limits.parkedMax, DraftStage.judging), (limits.orphanMax, .givingUp)] {
      let limit = time.advanced(by: Elapsed(nanoseconds: -age.nanoseconds))
      while true {
        let frames = try await outbox.parked(
          receivedBefore: limit, judged: stage == .givingUp, limit: limits.pageCountMax)
        if frames.isEmpty { break }
        try await publish(frames, &session, at: stage)
      }
    }
  }

  /// Forgets some of the ids that nobody has used for as long as the limits say.
  ///
  /// The tombstones are a transaction of their own; a crash before it forgets nothing, one after
  /// it has forgotten.
  private func forget(at time: Timestamp, _ session: inout Session) async throws {
    let today = MessageDraft.day(time)
    let bounds = limits.correlation
    let tokens = session.table.forget(
      below: &session.forgettingBelow, scanMax: bounds.scanMax, countMax: bounds.forgetMax
    ) { bounds.horizon($0, today: today) }
    guard !tokens.isEmpty else { return }
    try await publisher.publish(maker.tombstones(of: tokens))
    _ = session.table.commit()
    session.forgottenCount += UInt64(tokens.count)
  }

  /// Shows how full the table is, and warns of it once at each of three marks.
  private func show(_ session: inout Session) {
    correlation.update { [now] status in
      status.entries = session.table.count
      status.entriesMax = session.table.countMax
      status.people = session.table.personCount
      status.links = session.table.linkCount
      status.bytes = session.table.byteCount
      status.parked = session.parked.count
      status.forgotten = session.forgottenCount
      status.at = RFC3339.text(now())
    }
    let status = correlation.current
    let mark = [95, 90, 80].first { status.percentFull >= $0 } ?? 0
    defer { session.warnedPercent = mark }
    guard mark > session.warnedPercent else { return }
    logger.warning(
      "The correlation table fills up: when it is full, ingest stops and senders are told to wait",
      metadata: [
        "correlations": "\(status.entries)", "most": "\(status.entriesMax)",
        "alert": "baton.correlation-filling",
      ])
  }

  /// Heartbeats of the sources whose interval has passed.
  private func beat(_ session: inout Session) async throws {
    try await passOn(&session)
    let time = now()
    let due = sources.filter { (session.heartbeatsDue[$0.name] ?? .distantPast) <= time }
    guard !due.isEmpty else { return }
    let totals = try await outbox.totals()
    // After the totals, so that none of the frames they count was taken in later (A26).
    let saidAt = now()
    let oldest = try await outbox.oldestPending()
    // A frame is stamped a moment before it can be seen in the outbox.
    let settled = time.advanced(by: .seconds(-1))
    var messages: [KafkaMessage] = []
    for source in due {
      if board[source.name]?.state == .running {
        let earlier = oldest[source.name].map { $0.advanced(by: Elapsed(nanoseconds: -1)) }
        session.complete[source.name] = min(settled, earlier ?? settled)
      }
      let total = totals[source.name] ?? SourceTotals()
      messages.append(
        maker.record(
          SourceHeartbeat(
            source: source.name, at: saidAt, completeUpTo: session.complete[source.name],
            lastSequence: total.lastSequence, framesTotal: total.frames,
            eventsTotal: total.events, refusalsTotal: total.refusals)))
    }
    try await publisher.publish(messages)
    for source in due {
      session.heartbeatsDue[source.name] = time.advanced(
        by: Elapsed(nanoseconds: Int64(source.heartbeatInterval / .nanoseconds(1))))
    }
  }

  /// Heartbeats of connectors outside: what they say of themselves, with what came of their frames.
  private func passOn(_ session: inout Session) async throws {
    let news = outside.board.all.filter { (session.passedOn[$0.key] ?? .distantPast) < $0.value.at }
    guard !news.isEmpty else { return }
    let totals = try await outbox.totals()
    let oldest = try await outbox.oldestPending()
    let heartbeats = news.sorted { $0.key < $1.key }.map { source, heartbeat in
      var heartbeat = heartbeat
      let earlier = oldest[source].map { $0.advanced(by: Elapsed(nanoseconds: -1)) }
      if let earlier { heartbeat.completeUpTo = heartbeat.completeUpTo.map { min($0, earlier) } }
      heartbeat.eventsTotal = totals[source]?.events ?? 0
      heartbeat.refusalsTotal = totals[source]?.refusals ?? 0
      heartbeat.lastSequence = totals[source]?.lastSequence
      return heartbeat
    }
    try await publisher.publish(heartbeats.map(maker.record))
    for heartbeat in heartbeats { session.passedOn[heartbeat.source] = heartbeat.at }
  }
}
