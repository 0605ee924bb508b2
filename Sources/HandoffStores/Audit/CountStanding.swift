import Foundation
import GRDB
package import HandoffCore

/// Where the second count of a partition stands, and what the last comparison gave.
package struct CountStanding: Hashable, Sendable {
  package var partition: Int32
  /// Everything before it is counted.
  package var nextOffset: Int64
  /// Whether the log begins where the topic did; nothing can be compared where not.
  package var isWhole: Bool
  package var count = PartitionCount()
  /// The offset at which the books were last held against it; `nil`: never yet.
  package var comparedOffset: Int64?
  /// Partition time at that offset.
  package var comparedAt: Timestamp?
  /// What the books said otherwise then.
  package var differences: [BooksDifference] = []
}

/// What came of holding the books of a partition against its count, both at one offset.
package struct BooksComparison: Hashable, Sendable {
  package var partition: Int32
  /// Both speak of everything before it.
  package var offset: Int64
  /// Partition time there.
  package var at: Timestamp
  /// The policy in force there.
  package var policy: RecordHash
  package var differences: [BooksDifference]

  package init(
    partition: Int32, offset: Int64, at: Timestamp, policy: RecordHash,
    differences: [BooksDifference]
  ) {
    self.partition = partition
    self.offset = offset
    self.at = at
    self.policy = policy
    self.differences = differences
  }
}

/// The last word on one time that the books of a partition were not what was counted.
package struct CountAlert: Hashable, Sendable {
  package var partition: Int32
  /// The offset at which it was first seen, which names the episode.
  package var episode: Int64
  package var revision: UInt32
  package var openedAt: Timestamp
  /// `nil`: it is open.
  package var resolvedAt: Timestamp?
  package var policy: RecordHash
  package var readUpTo: Int64

  package init(
    partition: Int32, episode: Int64, revision: UInt32, openedAt: Timestamp,
    resolvedAt: Timestamp? = nil, policy: RecordHash, readUpTo: Int64
  ) {
    self.partition = partition
    self.episode = episode
    self.revision = revision
    self.openedAt = openedAt
    self.resolvedAt = resolvedAt
    self.policy = policy
    self.readUpTo = readUpTo
  }
}

extension CountStanding {
  static func find(_ partition: Int32, _ db: Database) throws -> CountStanding? {
    guard
      let row = try Row.fetchOne(
        db,
        sql: """
          SELECT next_offset, is_whole, events, mixed, unsure, arrived, unsure_arrived,
            compared_offset, compared_at FROM partition WHERE id = ?
          """, arguments: [partition])
    else { return nil }
    var standing = CountStanding(
      partition: partition, nextOffset: row["next_offset"], isWhole: row["is_whole"])
    standing.comparedOffset = row["compared_offset"]
    standing.comparedAt = (row["compared_at"] as Int64?).map { Timestamp(milliseconds: $0) }
    standing.count.events = try counted(row, "events")
    standing.count.mixed = try counted(row, "mixed")
    standing.count.unsure = try counted(row, "unsure")
    standing.count.arrived = try counted(row, "arrived")
    standing.count.unsureArrived = try counted(row, "unsure_arrived")
    for row in try Row.fetchAll(
      db, sql: "SELECT kind, requested FROM kind WHERE partition = ?", arguments: [partition])
    {
      guard let kind = HandoffKind(row["kind"] as String) else { continue }
      standing.count.requestedByKind[kind] = try counted(row, "requested")
    }
    standing.differences = try Row.fetchAll(
      db,
      sql: """
        SELECT side, kind, counted_min, counted_max, booked FROM difference WHERE partition = ?
        ORDER BY side, kind
        """, arguments: [partition]
    ).compactMap(BooksDifference.init)
    return standing
  }

  func save(_ db: Database) throws {
    try db.execute(
      sql: """
        UPDATE partition SET next_offset = ?, events = ?, mixed = ?, unsure = ?, arrived = ?,
          unsure_arrived = ? WHERE id = ?
        """,
      arguments: [
        nextOffset, Int64(count.events), Int64(count.mixed), Int64(count.unsure),
        Int64(count.arrived), Int64(count.unsureArrived), partition,
      ])
    for (kind, requested) in count.requestedByKind {
      try db.cachedStatement(sql: "INSERT OR REPLACE INTO kind VALUES (?, ?, ?)")
        .execute(arguments: [partition, kind.description, Int64(requested)])
    }
  }
}

extension BooksComparison {
  func saveDifferences(_ db: Database) throws {
    try db.execute(sql: "DELETE FROM difference WHERE partition = ?", arguments: [partition])
    for difference in differences {
      try db.execute(
        sql: "INSERT INTO difference VALUES (?, ?, ?, ?, ?, ?)",
        arguments: [
          partition, difference.side.rawValue, difference.kind?.description ?? "",
          Int64(clamping: difference.counted.lowerBound),
          Int64(clamping: difference.counted.upperBound), Int64(clamping: difference.booked),
        ])
    }
  }
}

extension BooksDifference {
  fileprivate init?(_ row: Row) {
    let (low, high) = (number(row, "counted_min"), number(row, "counted_max"))
    guard let side = Side(rawValue: row["side"]), low <= high else { return nil }
    self.init(
      side, HandoffKind(row["kind"] as String), counted: low...high, booked: number(row, "booked"))
  }
}

extension CountAlert {
  /// By name, so that a column that is missing is an error of SQLite.
  private static let selection = """
    SELECT partition, episode, revision, opened_at, resolved_at, policy, read_up_to, is_said
    FROM alert
    """

  init(_ row: Row) throws {
    guard let policy = RecordHash(bytes: Array(row["policy"] as Data)) else {
      throw CountStoreError.corrupt(path: "count.sqlite, table alert")
    }
    self.init(
      partition: try fitting(row, "partition"), episode: row["episode"],
      revision: try fitting(row, "revision"),
      openedAt: Timestamp(milliseconds: row["opened_at"]),
      resolvedAt: (row["resolved_at"] as Int64?).map { Timestamp(milliseconds: $0) },
      policy: policy, readUpTo: row["read_up_to"])
  }

  static func find(
    _ partition: Int32, episode: Int64, _ db: Database
  ) throws -> (alert: CountAlert, isSaid: Bool)? {
    try Row.fetchOne(
      db, sql: "\(selection) WHERE partition = ? AND episode = ?",
      arguments: [partition, episode]
    ).map { (try CountAlert($0), $0["is_said"]) }
  }

  /// Every one, oldest first, and whether its last word is said.
  static func all(_ db: Database) throws -> [(alert: CountAlert, isSaid: Bool)] {
    try Row.fetchAll(db, sql: "\(selection) ORDER BY partition, episode")
      .map { (try CountAlert($0), $0["is_said"]) }
  }

  /// Those of a partition that nothing has ended.
  static func open(_ partition: Int32, _ db: Database) throws -> [CountAlert] {
    try Row.fetchAll(
      db, sql: "\(selection) WHERE partition = ? AND resolved_at IS NULL ORDER BY episode",
      arguments: [partition]
    ).map(CountAlert.init)
  }

  /// Ends it, as both sides are found the same at `offset`, or begins it again.
  mutating func turn(isOpen: Bool, at time: Timestamp, offset: Int64) {
    revision += revision < .max ? 1 : 0
    resolvedAt = isOpen ? nil : max(time, openedAt)
    readUpTo = offset - 1
  }

  func save(_ db: Database, isSaid: Bool) throws {
    try db.execute(
      sql: "INSERT OR REPLACE INTO alert VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      arguments: [
        partition, episode, revision, openedAt.milliseconds, resolvedAt?.milliseconds,
        Data(policy.bytes), readUpTo, isSaid,
      ])
  }
}

/// A number of a row; never below nothing, whatever the file says.
private func number(_ row: Row, _ column: String) -> UInt64 {
  UInt64(clamping: row[column] as Int64)
}

/// What was counted, far from where sums of it end.
private func counted(_ row: Row, _ column: String) throws -> UInt64 {
  let value: UInt64 = try fitting(row, column)
  guard value <= 1 << 53 else {
    throw CountStoreError.corrupt(path: "count.sqlite, column \(column)")
  }
  return value
}

/// A whole number of a row: the file may say one that does not fit.
func fitting<Value: FixedWidthInteger>(_ row: Row, _ column: String) throws -> Value {
  guard let value = Value(exactly: row[column] as Int64) else {
    throw CountStoreError.corrupt(path: "count.sqlite, column \(column)")
  }
  return value
}
