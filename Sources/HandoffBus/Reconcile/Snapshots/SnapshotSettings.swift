internal import Foundation
internal import HandoffStores
package import HandoffCore

/// Where a reconciler keeps copies of its memory on its own disk, and how often it takes them.
///
/// They only quicken a restart: the changelog has all that is needed, and a snapshot that is in any
/// way not what it must be is thrown away.
package struct SnapshotSettings: Hashable, Sendable {
  package var folder: String
  /// From the beginning of one to the beginning of the next.
  package var interval: Duration = .seconds(300)
  /// The share of one core's time that taking them may cost, 0 to 1.
  package var load = 0.1
  /// An older one is not used: what was deleted since may be gone from the changelog without a
  /// trace (`delete.retention.ms`, a day unless the topic says otherwise).
  package var ageMax: Elapsed = .hours(20)

  package init(folder: String) { self.folder = folder }

  /// The file of one partition.
  package func path(group: String, partition: Int32) -> String {
    let name = group.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "group"
    return "\(folder)/\(name)-\(partition).snapshot"
  }
}

/// Why a snapshot is not used, as an operator reads it.
enum SnapshotRefusal: Error, CustomStringConvertible {
  case foreign(String)
  case old
  /// The changelog ends before the place up to which the snapshot holds it.
  case ahead

  var description: String {
    switch self {
    case .foreign(let field): "it is of another \(field)"
    case .old: "it is too old"
    case .ahead: "it is ahead of the changelog"
    }
  }
}

extension SnapshotHeader {
  /// Checks that the snapshot is of this very partition, and that the changelog goes on from it.
  ///
  /// `changelogEnd` is the end of the log after the predecessor was fenced. A transaction of ours
  /// was committed after the snapshot was begun, so the changelog is always longer.
  func check(
    against expected: SnapshotHeader, changelogEnd: Int64, ageMax: Elapsed
  ) throws(SnapshotRefusal) {
    guard cluster == expected.cluster else { throw .foreign("cluster") }
    guard topic == expected.topic else { throw .foreign("topic") }
    guard partition == expected.partition else { throw .foreign("partition") }
    guard group == expected.group else { throw .foreign("group") }
    guard build == expected.build else { throw .foreign("build") }
    guard rulesVersion == expected.rulesVersion else { throw .foreign("version of the rules") }
    guard changelogOffset >= 0, changelogOffset < changelogEnd else { throw .ahead }
    // One from the future is as little to be believed as an old one: a clock was wrong.
    let age = Timestamp(milliseconds: expected.takenAtMs)
      .since(Timestamp(milliseconds: takenAtMs))
    guard age <= ageMax, age >= Elapsed(nanoseconds: -ageMax.nanoseconds) else { throw .old }
  }
}
