internal import HandoffCodecs
internal import HandoffCore
internal import HandoffStores
package import KafkaClient
internal import Logging

extension PartitionOwner {
  /// What is collected between the fence and the first batch.
  struct Restoring: Sendable {
    var changelog = ChangelogReader()
    /// The snapshot that the changelog is read over.
    var snapshotPath: String?
    var snapshotByteCount = 0
    var began = ContinuousClock.now
  }

  /// Fences the predecessor and ends what it left open; the changelog holds still from then on.
  package func fence() async throws(KafkaError) {
    expect(loop.next(after: .partitionAssigned), .fencePredecessor)
    do throws(KafkaError) {
      try await producer.initTransactions(within: configuration.limits.restoreTimeout)
    } catch {
      expect(loop.next(after: .failedForGood), .dropAndRejoin)
      throw error
    }
    expect(loop.next(after: .predecessorFenced), .restoreState)
    restoring.began = .now
  }

  /// From where the changelog is to be read, which ends at `end`: where a snapshot of ours goes on,
  /// or from its beginning.
  func changelogStart(end: Int64, cluster: String) -> Int64 {
    guard let settings = configuration.snapshots else { return KafkaPartitionOffset.beginning }
    let path = settings.path(group: configuration.groupID, partition: partition)
    do {
      guard let snapshot = try SnapshotReader(path: path) else {
        return KafkaPartitionOffset.beginning
      }
      try snapshot.header.check(
        against: header(cluster: cluster, changelogOffset: 0), changelogEnd: end,
        ageMax: settings.ageMax)
      restoring.snapshotPath = path
      restoring.snapshotByteCount = snapshot.byteCount
      return snapshot.header.changelogOffset
    } catch {
      refuseSnapshot(at: path, error)
      return KafkaPartitionOffset.beginning
    }
  }

  /// Takes records of the changelog, in order; a later one of a key replaces the earlier.
  package func restore(_ records: [KafkaRecord]) {
    for record in records { restoring.changelog.take(record) }
  }

  /// Makes memory of what was read and says where the events go on; `nil` where the snapshot is not
  /// to be trusted and the changelog has to be read from its beginning.
  ///
  /// A changelog of another layout, or that cannot be read, is half a memory at best: it is thrown
  /// away, and memory is made anew from the events. Every verdict is then said again as it was.
  package func finishRestoring() async throws(KafkaError) -> Int64? {
    let path = restoring.snapshotPath
    var look = OpenHandoffs()
    do {
      let snapshot = try path.flatMap { path throws(SnapshotFault) in
        try SnapshotReader(path: path)
      }
      try restoring.changelog.restore(into: &reducer, over: snapshot)
      look = try lookAtEverybody()
    } catch {
      reducer = Self.emptyReducer(of: partition, configuration, given)
      if let path {
        refuseSnapshot(at: path, error)
        restoring.changelog = ChangelogReader()
        restoring.snapshotPath = nil
        return nil
      }
      try await startAnew(because: error)
    }
    if let lineage = restoring.changelog.lineage, reducer.state.nextOffset > 0 {
      self.lineage = lineage
    }
    restoring.changelog = ChangelogReader()
    expect(loop.next(after: .stateRestored), .poll)
    compare(look)
    report()
    tellRestored(isQuickened: path != nil)
    return reducer.state.nextOffset
  }

  /// Counts what only the people themselves tell.
  private func lookAtEverybody() throws(UnknownActivation) -> OpenHandoffs {
    var look = OpenHandoffs()
    var open: [Rule: Int] = [:]
    try reducer.takeStock { person in
      look.add(person)
      for alert in person.alerts where alert.isOpen { open[alert.rule, default: 0] += 1 }
    }
    openAlerts = open
    return look
  }

  /// Holds the books against what was found: a handoff that is open is never forgotten, so as many
  /// must be remembered as the books have open.
  ///
  /// Where they differ, no event is to blame and no reducer can see it: whoever restored says so.
  private func compare(_ look: OpenHandoffs) {
    let booked = reducer.state.books.byKind.mapValues { $0[.open] }.filter { $0.value > 0 }
    if booked != look.byKind {
      let alert = SelfAlert(
        .booksUnbalanced,
        at: RecordCoordinates(
          topic: Topic.events.name, partition: partition, offset: reducer.state.nextOffset - 1),
        cause: .recount)
      raise(alert)
      recount = alert
    }
    status.update {
      $0.partitions[partition, default: .init(nextOffset: 0)].oldestOpen = look.oldest
    }
  }

  private func tellRestored(isQuickened: Bool) {
    let seconds = (ContinuousClock.now - restoring.began) / .seconds(1)
    let (persons, open) = (reducer.personCount, reducer.state.books.total[.open])
    logger.info(
      "Memory restored",
      metadata: [
        "persons": "\(persons)", "openHandoffs": "\(open)", "seconds": "\(seconds)",
        "from": isQuickened ? "snapshot" : "changelog",
      ])
    status.update {
      $0.partitions[partition]?.restoreSeconds = seconds
      $0.partitions[partition]?.isFromSnapshot = isQuickened
    }
  }

  private func refuseSnapshot(at path: String, _ error: any Error) {
    logger.warning(
      "Snapshot thrown away: memory is made from the changelog alone",
      metadata: ["reason": "\(Self.reason(error))"])
    status.update { $0.snapshotRefusalCount += 1 }
    SnapshotReader.remove(path: path)
  }

  /// What is told of an error: its name and place, never what was read.
  private static func reason(_ error: any Error) -> String {
    switch error {
    case let error as WireError: error.description
    case let fault as ChangelogFault: fault.description
    case let fault as SnapshotFault: fault.description
    case let refusal as SnapshotRefusal: refusal.description
    case let missing as MissingPolicy: "the policy \(missing.hash) is not at hand"
    case is TextsOutOfPlace: "its texts are not in order"
    case is UnknownActivation: "a person refers to a policy that the partition never had"
    default: "unknown"
    }
  }

  /// Forgets the changelog, on the topic first and its own record before all: a crash on the way
  /// leaves a part that is known as one.
  private func startAnew(because error: any Error) async throws(KafkaError) {
    logger.error(
      "The changelog cannot be used: memory is made anew from the events",
      metadata: ["reason": "\(Self.reason(error))"])
    status.update { $0.selfAlertCount += 1 }
    lineage = Self.newLineage()
    var rest = restoring.changelog.tombstones(partition: partition)[...]
    restoring.changelog = ChangelogReader()
    do throws(KafkaError) {
      while !rest.isEmpty {
        let transaction = try await producer.beginTransaction()
        try await transaction.enqueue(Array(rest.prefix(configuration.limits.recordCountMax)))
        try await transaction.commit(within: configuration.limits.transactionTimeout)
        rest = rest.dropFirst(configuration.limits.recordCountMax)
      }
    } catch {
      expect(loop.next(after: .failedForGood), .dropAndRejoin)
      throw error
    }
  }
}
