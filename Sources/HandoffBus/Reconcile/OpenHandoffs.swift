internal import HandoffCore

/// What a walk over everybody finds open: the books do not know since when.
struct OpenHandoffs: Hashable, Sendable {
  /// When the oldest was requested.
  private(set) var oldest: Timestamp?
  private(set) var byKind: [HandoffKind: UInt64] = [:]

  mutating func add(_ person: Person) {
    for handoff in person.handoffs where handoff.isOpen {
      byKind[handoff.current.kind ?? .unspecified, default: 0] += 1
    }
    note(person.oldestOpen)
  }

  mutating func note(_ requested: Timestamp?) {
    guard let requested else { return }
    oldest = min(oldest ?? requested, requested)
  }
}

/// Looks at everybody where no snapshot does, for the age of the oldest handoff that is open.
///
/// As a snapshot does: a few people at a time, between which the owner goes on, and with pauses that
/// hold the cost to a share of a core.
struct OpenHandoffsWatch: Sendable {
  let crew: PartitionCrew
  let interval: Duration

  /// People looked at in one go: some milliseconds in which the owner takes no batch.
  private static let countMax = 250
  /// The share of a core that it may take.
  private static let load = 0.1

  /// Runs until cancelled.
  func run() async {
    while (try? await Task.sleep(for: interval)) != nil {
      for (_, owner) in crew.current.sorted(by: { $0.key < $1.key }) {
        guard (try? await look(at: owner)) != nil else { return }
      }
    }
  }

  private func look(at owner: PartitionOwner) async throws {
    let clock = ContinuousClock()
    let keys = await owner.everybody
    var look = OpenHandoffs()
    for first in stride(from: 0, to: keys.count, by: Self.countMax) {
      let began = clock.now
      look.note(await owner.oldestOpen(of: keys[first...].prefix(Self.countMax)))
      try await Task.sleep(for: (clock.now - began) * (1 / Self.load - 1))
    }
    await owner.note(look)
  }
}

extension PartitionOwner {
  /// Who is remembered as of the last committed transaction; nobody where it owns nothing.
  var everybody: [PatientKey] { loop.isOwning ? reducer.committedKeys : [] }

  /// When the oldest open handoff of these people was requested, as of the last transaction.
  func oldestOpen(of keys: ArraySlice<PatientKey>) -> Timestamp? {
    var look = OpenHandoffs()
    for key in keys {
      guard let person = reducer.committedPerson(for: key) else { continue }
      look.add(reducer.unpacked(person))
    }
    return look.oldest
  }

  func note(_ look: OpenHandoffs) {
    guard loop.isOwning else { return }
    status.update { $0.partitions[partition]?.oldestOpen = look.oldest }
  }
}
