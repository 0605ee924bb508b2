internal import HandoffCodecs
internal import HandoffCore
internal import HandoffStores

extension PartitionOwner {
  /// A copy of the memory under way.
  struct Copying: Sendable {
    private enum Phase {
      /// The changelog's end is taken; no transaction has begun since.
      case asked
      /// One has begun, whose commit proves that no successor had written before that end.
      case proving
      case copying
    }

    private var phase = Phase.asked
    private var keys: [PatientKey] = []
    private var next = 0
    /// Of those copied so far.
    var look = OpenHandoffs()

    mutating func transactionBegins() {
      if phase == .asked { phase = .proving }
    }

    /// Asked when a transaction is committed: whether copying may begin with it.
    var isProven: Bool { phase == .proving }

    mutating func start(_ keys: [PatientKey]) {
      phase = .copying
      self.keys = keys
    }

    /// The next people; `nil` while it may not begin, none when all are through.
    mutating func take(_ count: Int) -> ArraySlice<PatientKey>? {
      guard phase == .copying else { return nil }
      defer { next = min(next + count, keys.count) }
      return keys[next...].prefix(count)
    }
  }

  /// What a copy gives next.
  enum SnapshotStep: Sendable {
    /// No transaction has been committed since it was asked for.
    case waiting
    /// So many people, each as the changelog holds it.
    case persons([[UInt8]])
    case finished
    /// The partition is another's by now.
    case gone
  }

  /// Asks for a copy that covers the changelog before `changelogEnd`; `nil` where this owner has
  /// nothing to copy.
  ///
  /// The copy begins after the next transaction: its commit proves that everything before
  /// `changelogEnd` is in memory, and was written by no successor.
  func beginSnapshot(cluster: String, changelogEnd: Int64) -> SnapshotHeader? {
    guard loop.isOwning else { return nil }
    copying = Copying()
    return header(cluster: cluster, changelogOffset: changelogEnd)
  }

  /// Copies the next people as the last committed transaction left them.
  func snapshotStep(countMax: Int) -> SnapshotStep {
    guard loop.isOwning, copying != nil else { return .gone }
    guard let keys = copying?.take(countMax) else { return .waiting }
    guard !keys.isEmpty else {
      let look = copying?.look ?? OpenHandoffs()
      status.update { $0.partitions[partition]?.note(look) }
      copying = nil
      return .finished
    }
    var entries: [[UInt8]] = []
    for key in keys {
      guard let person = reducer.committedPerson(for: key) else { continue }
      entries.append(person.protobuf)
      copying?.look.add(person, reducer.registerInForce)
    }
    return .persons(entries)
  }

  /// Forgets the copy.
  func endSnapshot() { copying = nil }

  func header(cluster: String, changelogOffset: Int64) -> SnapshotHeader {
    SnapshotHeader(
      cluster: cluster, topic: Topic.events.name, partition: partition,
      group: configuration.groupID, lineage: lineage, changelogOffset: changelogOffset,
      rulesVersion: PersonReducer.rulesVersion,
      policies: reducer.state.activations.map { "\($0.policyHash)" },
      takenAtMs: Timestamp.now().milliseconds)
  }
}

extension Person {
  /// When the oldest of the handoffs that are open was requested, by the broker's clock.
  var oldestOpen: Timestamp? {
    handoffs.lazy.filter(\.isOpen)
      .compactMap { $0.current.witness(of: .requested)?.arrivedAt }.min()
  }
}

extension Handoff {
  /// Whether the books have it open.
  var isOpen: Bool { current.isRequested && Bucket(current.state) == .open }
}
