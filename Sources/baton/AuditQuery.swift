import ArgumentParser
import Foundation
import HandoffBus
import HandoffCodecs
import HandoffCore
import HandoffStores

/// `baton audit query`: records by person, handoff, organisation, type, alert or time.
struct AuditQueryCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "query",
    abstract: "Find records by person, handoff, organisation, type, alert or time.",
    discussion: """
      All conditions hold together. Records come oldest first, a page at a time; --after takes up \
      where the page before ended. A record is marked proved once a signed checkpoint covers it.
      """)

  @OptionGroup var settings: SettingsOptions
  @OptionGroup var output: OutputOptions

  @Option(
    name: .long,
    help: ArgumentHelp("One person, by patient key, never by NHS number.", valueName: "key"))
  var person: String?

  @Option(
    name: .long, help: ArgumentHelp("Handoffs by their id, or how it begins.", valueName: "id"))
  var handoff: String?

  @Option(
    name: .long, help: ArgumentHelp("ODS code, as sender or as receiver.", valueName: "ods"))
  var organisation: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "What happened: Rejected, A07, A07.opened, DeadLetter, RulesActivation …",
      valueName: "type"))
  var type: String?

  @Option(name: .long, help: ArgumentHelp("Alerts by their id, or how it begins.", valueName: "id"))
  var alert: String?

  @Option(name: .long, help: ArgumentHelp("Only this topic.", valueName: "name"))
  var topic: String?

  @Option(
    name: .long, help: ArgumentHelp("From this broker's time on, inclusive.", valueName: "time"))
  var from: String?

  @Option(
    name: .long, help: ArgumentHelp("Up to this broker's time, exclusive.", valueName: "time"))
  var to: String?

  @Option(
    name: .long,
    help: ArgumentHelp("Records in a page, 1 to 10000.", valueName: "count"))
  var limit = 100

  @Option(name: .long, help: ArgumentHelp("Where the page before ended.", valueName: "place"))
  var after: String?

  @Option(
    name: .long, help: ArgumentHelp("Why it is asked; stays on record.", valueName: "text"))
  var reason: String?

  /// The question as it goes on record: pseudonyms and codes only.
  private struct Question: Encodable {
    var person, handoff, organisation, type, alert, topic, from, to, after: String?
    var limit: Int
  }

  func run() async throws {
    let query = try query()
    let configuration = try settings.load()
    let store = try AuditLog.open(configuration.files)
    if let topic { try await Self.check(topic, in: store) }
    let question = Question(
      person: person, handoff: handoff, organisation: organisation, type: type, alert: alert,
      topic: topic, from: from, to: to, after: after, limit: limit)
    try await AuditLog.record("query", question, reason: reason, store, configuration)
    let page: AuditPage
    do {
      page = try await store.records(matching: query)
    } catch {
      throw AuditLog.failure(error)
    }
    try AuditAnswer(page, Output(output)).print()
  }

  private func query() throws -> AuditQuery {
    var query = AuditQuery()
    guard (1...AuditQuery.limitMax).contains(limit) else {
      throw CommandFailure(.usage, "--limit must be from 1 to \(AuditQuery.limitMax).")
    }
    query.limit = limit
    query.key = try person.map(auditPersonKey)
    query.handoffPrefix = try handoff.map { try Self.prefix($0, of: "--handoff") }
    query.alertPrefix = try alert.map { try Self.prefix($0, of: "--alert") }
    query.organisation = try organisation.map { text in
      guard let id = OrganisationID(text) ?? ODSCode(text).map({ .ods($0) }) else {
        throw CommandFailure(
          .usage, "--organisation is not an ODS code.",
          advice: "Give an ODS code such as RTH, or the written form of a record, ods:RTH.")
      }
      return id
    }
    query.type = try type.map { text in
      guard let type = AuditDescription.type(meantBy: text) else {
        throw CommandFailure(
          .usage, "--type: no record is of type \(text).",
          advice: "A type is an event's (HandoffRequested, Accepted), an alert's rule, alone or "
            + "with what was done (A07, A07.opened), DeadLetter, Tick, SourceState, "
            + "RulesActivation, Policy, Register, Activated, Access or unknown.")
      }
      return type
    }
    query.topic = topic
    (query.from, query.to) = try period(from: from, to: to)
    query.after = try after.map { text in
      guard let cursor = AuditCursor(text) else {
        throw CommandFailure(.usage, "--after is not a place that a page ended at.")
      }
      return cursor
    }
    return query
  }
}

extension AuditQueryCommand {
  /// Refuses a topic that is not logged: "nothing fits" would sound as if somebody had looked.
  private static func check(_ topic: String, in store: AuditStore) async throws {
    let topics: Set<String>
    do {
      topics = Set(try await store.logs().map(\.name.topic))
    } catch {
      throw AuditLog.failure(error)
    }
    guard topics.contains(topic) else {
      throw CommandFailure(
        .usage, "--topic: nothing of a topic \(topic) is logged.",
        advice: topics.isEmpty
          ? "The log is empty." : "Logged are \(topics.sorted().joined(separator: ", ")).")
    }
  }

  private static func prefix(_ text: String, of option: String) throws -> String {
    guard (1...32).contains(text.utf8.count), text.utf8.allSatisfy(isHexadecimal) else {
      throw CommandFailure(.usage, "\(option) is not up to 32 hexadecimal digits.")
    }
    return text.lowercased()
  }

  private static func isHexadecimal(_ byte: UInt8) -> Bool {
    Character(UnicodeScalar(byte)).isHexDigit
  }
}

/// Reads a patient key into the Kafka key that it is.
func auditPersonKey(_ text: String) throws -> [UInt8] {
  guard let key = PatientKey(text) else {
    throw CommandFailure(
      .usage, "--person is not a patient key.",
      advice: "A patient key is an epoch, a dot and 64 hexadecimal digits; "
        + "an NHS number is never given here.")
  }
  return Array(key.description.utf8)
}

/// A page of records, for people or as JSON.
private struct AuditAnswer {
  private let page: AuditPage
  private let output: Output

  init(_ page: AuditPage, _ output: Output) {
    self.page = page
    self.output = output
  }

  /// One record as `--json` prints it, one a line.
  private struct RecordRow: Encodable {
    var topic: String
    var partition: Int32
    var offset: Int64
    var leaf: UInt64
    var time: String
    var key: String?
    var type: String
    var ceType: String?
    var handoff, alert, from, to, kind: String?
    var recordHash: String?
    var leafHash: String
    var proved: Bool

    init(_ logged: LoggedRecord, covered: UInt64) {
      topic = logged.record.log.topic
      partition = logged.record.log.partition
      offset = logged.record.offset
      leaf = logged.leafIndex
      time = AuditTime.text(logged.record.brokerTimeMs)
      key = logged.record.key.map { String(decoding: $0, as: UTF8.self) }
      type = logged.description.type
      ceType = logged.description.eventType
      handoff = logged.description.handoff?.description
      alert = logged.description.alert?.description
      from = logged.description.from?.description
      to = logged.description.to?.description
      kind = logged.description.kind?.description
      recordHash = logged.recordHash?.description
      leafHash = logged.leafHash.description
      proved = logged.leafIndex < covered
    }
  }

  /// The last line of a page that another one follows.
  private struct NextRow: Encodable {
    var after: String
  }

  func print() throws {
    let rows = page.records.map {
      RecordRow($0, covered: page.covered[$0.record.log, default: 0])
    }
    for row in rows { try output.json(row) }
    if let next = page.next { try output.json(NextRow(after: next.text)) }
    guard !rows.isEmpty else { return output.line("Nothing is logged that fits.") }
    output.table(
      ["TIME", "WHAT", "FROM", "TO", "HANDOFF", "WHERE", "PROVED"],
      rows.map { row in
        [
          row.time, row.type, row.from ?? "", row.to ?? "",
          row.handoff.map { String($0.prefix(8)) } ?? "",
          "\(row.topic)/\(row.partition)@\(row.offset)", row.proved ? "yes" : "not yet",
        ]
      })
    let unproved = rows.count { !$0.proved }
    var summary = "\(rows.count) record\(rows.count == 1 ? "" : "s")"
    if unproved > 0 { summary += ", \(unproved) after the newest checkpoint" }
    output.line(output.style.dim(summary + "."))
    if let next = page.next {
      output.line(output.style.dim("More: --after \(next.text)"))
    }
  }
}

/// Broker times as people read them.
enum AuditTime {
  /// `2026-11-23T08:15:00.123Z`.
  static func text(_ milliseconds: Int64) -> String {
    RFC3339.text(Timestamp(milliseconds: milliseconds))
  }
}
