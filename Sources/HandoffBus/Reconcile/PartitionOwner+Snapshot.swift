internal import HandoffCodecs
internal import HandoffCore
internal import HandoffStores

extension PartitionOwner {
  /// A copy of the memory that was asked for, or is under way.
  struct Copying: Sendable {
    private enum Phase {
      /// The changelog's end is taken; no transaction has begun since.
      case asked
      /// One has begun, whose commit proves that no successor had written before that end.
      case proving
      case proven
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

    mutating func transactionCommitted() {
      if phase == .proving { phase = .proven }
    }

    /// The next people; `nil` while it may not begin, none when all are through.
    ///
    /// Who is to be copied is asked for the first time only: whoever waits holds no list.
    mutating func take(_ count: Int, of everybody: () -> [PatientKey]) -> ArraySlice<PatientKey>? {
      switch phase {
      case .asked, .proving: return nil
      case .proven:
        keys = everybody()
        phase = .copying
      case .copying: break
      }
      defer { next = min(next + count, keys.count) }
      return keys[next...].prefix(count)
    }
  }

  /// What a copy gives next.
  enum SnapshotStep: Sendable {
    /// No transaction has been begun and committed since it was asked for.
    case waiting
    /// Entries of the snapshot.
    case entries([[UInt8]])
    /// The last of them.
    case finished([[UInt8]])
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
    guard let keys = copying?.take(countMax, of: { reducer.committedKeys }) else {
      return .waiting
    }
    guard !keys.isEmpty else {
      note(copying?.look ?? OpenHandoffs())
      copying = nil
      return .finished(SnapshotEntry.texts(of: reducer))
    }
    var entries: [[UInt8]] = []
    for key in keys {
      guard let person = reducer.committedPerson(for: key) else { continue }
      entries.append(SnapshotEntry.person(person).bytes)
      copying?.look.add(reducer.unpacked(person))
    }
    return .entries(entries)
  }

  /// Forgets the copy.
  func endSnapshot() { copying = nil }

  func header(cluster: String, changelogOffset: Int64) -> SnapshotHeader {
    SnapshotHeader(
      cluster: cluster, topic: Topic.events.name, partition: partition,
      group: configuration.groupID, lineage: lineage, changelogOffset: changelogOffset,
      build: RunningBuild.fingerprint, rulesVersion: PersonReducer.rulesVersion,
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
