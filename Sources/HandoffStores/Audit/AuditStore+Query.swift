import Foundation
import GRDB
package import HandoffCore

/// What an auditor asks for: all conditions hold together.
package struct AuditQuery: Hashable, Sendable {
  /// Answers are given in pages of at most so many records.
  package static let limitMax = 10_000

  /// The Kafka key: a patient key, or a source's id.
  package var key: [UInt8]?
  /// How the handoff's id begins: up to 32 hexadecimal digits in lower case.
  package var handoffPrefix: String?
  /// How the alert's id begins, as the handoff's.
  package var alertPrefix: String?
  /// As sender or as receiver.
  package var organisation: OrganisationID?
  package var type: String?
  package var topic: String?
  /// By the broker's time, from here on.
  package var from: Timestamp?
  /// Up to, and not at, this broker's time.
  package var to: Timestamp?
  package var limit = 100
  /// Where the page before ended.
  package var after: AuditCursor?

  package init() {}
}

/// A place in the order of answers: broker's time, then log and leaf.
package struct AuditCursor: Hashable, Sendable {
  let brokerTimeMs: Int64
  let id: Int64

  /// Written as `<time>-<id>`, for the next page's question.
  package var text: String { "\(brokerTimeMs)-\(id)" }

  init(brokerTimeMs: Int64, id: Int64) {
    self.brokerTimeMs = brokerTimeMs
    self.id = id
  }

  /// Reads ``text``.
  package init?(_ text: some StringProtocol) {
    guard let dash = text.lastIndex(of: "-"), let time = Int64(text[..<dash]),
      let id = Int64(text[text.index(after: dash)...]), id >= 0
    else { return nil }
    brokerTimeMs = time
    self.id = id
  }
}

/// One page of an answer.
package struct AuditPage: Sendable {
  package var records: [LoggedRecord]
  /// Where the next page begins; `nil` where this is the last.
  package var next: AuditCursor?
  /// How many leaves the newest checkpoint of each log covers.
  package var covered: [AuditLogName: UInt64]
}

extension AuditStore {
  /// Answers a query, oldest record first.
  ///
  /// - Precondition: 1 ≤ limit ≤ ``AuditQuery/limitMax``.
  package func records(matching query: AuditQuery) async throws(AuditStoreError) -> AuditPage {
    precondition((1...AuditQuery.limitMax).contains(query.limit), "a page is bounded")
    return try await reading { db in
      let logs = try LogRow.all(db)
      let names = Dictionary(uniqueKeysWithValues: logs.map { ($0.id, $0.name) })
      let (sql, arguments) = Self.select(query, logs)
      let rows = try Row.fetchAll(db, sql: sql, arguments: arguments).map(RecordRow.init)
      let page = try rows.prefix(query.limit).map { row in
        guard let name = names[row.id >> 40] else {
          throw AuditStoreError.corrupt(place: "record \(row.id): no such log")
        }
        return try row.logged(in: name)
      }
      let last = rows.count > query.limit ? rows[query.limit - 1] : nil
      return AuditPage(
        records: page,
        next: last.map { AuditCursor(brokerTimeMs: $0.brokerTimeMs, id: $0.id) },
        covered: Dictionary(
          uniqueKeysWithValues: logs.map { ($0.name, $0.state().checkpointSize) }))
    }
  }

  /// The records of one log within offsets, in order, and so many at most.
  package func records(
    of name: AuditLogName, offsets: Range<Int64>, limit: Int
  ) async throws(AuditStoreError) -> [AuditRecord] {
    try await reading { db in
      guard let log = try LogRow.find(name, db) else { return [] }
      return try Row.fetchAll(
        db,
        sql: """
          SELECT * FROM record WHERE id >> 40 = ? AND "offset" >= ? AND "offset" < ?
          ORDER BY "offset" LIMIT ?
          """, arguments: [log.id, offsets.lowerBound, offsets.upperBound, limit]
      ).map { try RecordRow($0).record(of: name) }
    }
  }

  /// The records of one log whose type is this one or below it, from a leaf on, in their order.
  package func records(
    of name: AuditLogName, type: String, fromLeaf leaf: UInt64, limit: Int
  ) async throws(AuditStoreError) -> [LoggedRecord] {
    try await reading { db in
      guard let log = try LogRow.find(name, db) else { return [] }
      let ids = RowID.range(log: log.id, leaves: leaf..<UInt64(RowID.leafCountMax))
      // By its type alone: an id is of every record, a type of few.
      return try Row.fetchAll(
        db,
        sql: """
          SELECT * FROM record WHERE type >= ? AND type < ? AND +id BETWEEN ? AND ?
          ORDER BY id LIMIT ?
          """, arguments: [type, "\(type)/", ids.first, ids.last, limit]
      ).map { try RecordRow($0).logged(in: name) }
    }
  }

  /// From when on each of these topics holds at most `countMax` records; `from` where all do.
  package func start(
    of topics: [String], from: Timestamp, countMax: Int
  ) async throws(AuditStoreError) -> Timestamp {
    precondition(countMax > 0, "a stretch holds a record")
    return try await reading { db in
      let logs = try LogRow.all(db)
      return try topics.reduce(from) { start, topic in
        let isOfTopic = Self.isOf(topic, logs, "+id")
        // The newest that is one too many; those of its own millisecond are left out with it.
        let tooMany = try Int64.fetchOne(
          db,
          sql: """
            SELECT broker_time FROM record WHERE broker_time >= ? AND \(isOfTopic)
            ORDER BY broker_time DESC LIMIT 1 OFFSET ?
            """, arguments: [start.milliseconds, countMax])
        return tooMany.map { Timestamp(milliseconds: $0 + 1) } ?? start
      }
    }
  }

  private static func isOf(_ topic: String, _ logs: [LogRow], _ id: String) -> String {
    let ids = logs.filter { $0.name.topic == topic }.map { String($0.id) }
    return "\(id) >> 40 IN (\(ids.joined(separator: ", ")))"
  }

  /// The question in SQL.
  static func select(
    _ query: AuditQuery, _ logs: [LogRow]
  ) -> (sql: String, arguments: StatementArguments) {
    let (condition, arguments) = condition(query, logs)
    return (
      "SELECT * FROM record WHERE \(condition) ORDER BY broker_time, id LIMIT ?",
      arguments + [query.limit + 1]
    )
  }

  private static func condition(
    _ query: AuditQuery, _ logs: [LogRow]
  ) -> (sql: String, arguments: StatementArguments) {
    var terms: [String] = []
    var arguments = StatementArguments()
    func add(_ term: String, _ values: [(any DatabaseValueConvertible)?]) {
      terms.append(term)
      arguments += StatementArguments(values)
    }
    if let key = query.key { add("key = ?", [Data(key)]) }
    func addPrefix(_ column: String, _ prefix: String?) {
      guard let prefix else { return }
      // Ids are hexadecimal digits, after which g comes next in ASCII.
      add("\(column) >= ? AND \(column) < ?", [prefix, prefix + "g"])
    }
    addPrefix("handoff_id", query.handoffPrefix)
    addPrefix("alert_id", query.alertPrefix)
    if let organisation = query.organisation?.description {
      add("(sender = ? OR receiver = ?)", [organisation, organisation])
    }
    if let type = query.type {
      // `A07` asks for `A07.opened` and the rest too; a slash follows the dot in ASCII.
      add("(type = ? OR (type > ? AND type < ?))", [type, "\(type).", "\(type)/"])
    }
    if let topic = query.topic {
      // The plus keeps SQLite from the index by offset, which would sort the whole topic for a page.
      let isInTime = query.from != nil || query.to != nil || query.after != nil
      add(isOf(topic, logs, isInTime ? "+id" : "id"), [])
    }
    if let to = query.to { add("broker_time < ?", [to.milliseconds]) }
    // One lower bound, the later: of two SQLite may begin at the earlier.
    let from = query.from?.milliseconds
    if let after = query.after, after.brokerTimeMs >= from ?? .min {
      add("(broker_time, id) > (?, ?)", [after.brokerTimeMs, after.id])
    } else if let from {
      add("broker_time >= ?", [from])
    }
    return (terms.isEmpty ? "true" : terms.joined(separator: " AND "), arguments)
  }

  /// Records who asks what, before the answer is given.
  package func recordAccess(_ access: AuditAccess) async throws(AuditStoreError) {
    try await writing { db in
      try db.execute(
        sql: "INSERT INTO access (at, reader, action, question, reason) VALUES (?, ?, ?, ?, ?)",
        arguments: [
          access.at.milliseconds, access.reader, access.action, access.question, access.reason,
        ])
    }
  }

  /// The newest access records, newest first.
  package func accesses(limit: Int) async throws(AuditStoreError) -> [AuditAccess] {
    try await reading { db in
      try Row.fetchAll(
        db, sql: "SELECT * FROM access ORDER BY id DESC LIMIT ?", arguments: [limit]
      ).map { row in
        AuditAccess(
          at: Timestamp(milliseconds: row["at"]), reader: row["reader"], action: row["action"],
          question: row["question"], reason: row["reason"])
      }
    }
  }
}

/// A reading of the log, itself on record.
package struct AuditAccess: Hashable, Sendable {
  package var at: Timestamp
  /// Who reads: the account the command runs under.
  package var reader: String
  /// What is done, such as `query` or `prove`.
  package var action: String
  /// The conditions asked for, as JSON: pseudonyms and codes only.
  package var question: String
  package var reason: String?

  package init(at: Timestamp, reader: String, action: String, question: String, reason: String?) {
    self.at = at
    self.reader = reader
    self.action = action
    self.question = question
    self.reason = reason
  }
}
