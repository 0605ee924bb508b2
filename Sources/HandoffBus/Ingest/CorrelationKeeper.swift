import Foundation
import HandoffCodecs
import HandoffCore
import HandoffStores
import Synchronization

/// How long ids are remembered, and how many.
package struct CorrelationLimits: Sendable {
  /// Ids that may be held: at some 60 bytes each, 20 million are 1.2 GB.
  package var entryCountMax = 20_000_000
  /// Days after which an id of a message, a handoff or a thing is forgotten, from when it was last
  /// seen; it must be more than the longest clock of the policy.
  package var days: UInt16 = 400
  /// The same for record numbers of people: without them a person known by one would be two.
  package var personDays: UInt16 = 3_650
  /// Entries that one look walks over, and tombstones that it writes.
  package var scanMax = 200_000
  package var forgetMax = 2_000

  /// Fewer would forget what an ordinary wait of months still needs.
  package static let daysLeast: UInt16 = 190

  package init() {}

  /// The day before which an id of `kind` must have been seen last to be forgotten on `today`.
  func horizon(_ kind: CorrelationKind?, today: UInt16) -> UInt16 {
    let days = kind == .person ? personDays : days
    return today > days ? today - days : 0
  }
}

/// How full the correlation table is, what waits, and who shut ingest out; for status, doctor and
/// logs.
package struct CorrelationStatus: Codable, Hashable, Sendable {
  package var entries = 0
  package var entriesMax = 0
  package var people = 0
  package var links = 0
  package var bytes = 0
  package var parked = 0
  /// Entries forgotten since this process began.
  package var forgotten: UInt64 = 0
  /// When this was so, in RFC 3339.
  package var at = ""
  /// How often another process of the same name has shut this one out since it began; `nil`: never.
  package var fencedCount: Int?
  /// When it last did, in RFC 3339.
  package var fencedAt: String?

  package init() {}

  /// Entries per hundred of the most that may be held.
  package var percentFull: Int { entriesMax == 0 ? 0 : entries * 100 / entriesMax }
}

/// The correlation's status for whoever asks: in this process, and by a file in any other.
package final class CorrelationBoard: Sendable {
  private let status = Mutex(CorrelationStatus())
  private let path: String?

  /// Makes a board; with a `path` every status is also written there, for `baton doctor`.
  package init(path: String? = nil) {
    self.path = path
  }

  package var current: CorrelationStatus { status.withLock { $0 } }

  func update(_ change: (inout CorrelationStatus) -> Void) {
    let new = status.withLock { status in
      change(&status)
      return status
    }
    guard let path, let data = try? JSONEncoder().encode(new) else { return }
    // Only for people to look at: that it cannot be written must not stop ingest.
    try? data.write(to: URL(filePath: path), options: .atomic)
  }

  /// The status that a file holds; `nil` where there is none that can be read.
  package static func read(path: String) -> CorrelationStatus? {
    guard let data = FileManager.default.contents(atPath: path) else { return nil }
    return try? JSONDecoder().decode(CorrelationStatus.self, from: data)
  }
}
