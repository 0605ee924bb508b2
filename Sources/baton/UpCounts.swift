import Foundation
import HandoffBus
import HandoffCodecs
import HandoffCore
import KafkaClient

/// What became of the messages of one folder, as the bus itself says.
struct FolderCount: Encodable, Sendable {
  let folder: String
  /// Messages that were given to the connectors.
  let messages: Int
  /// Messages that became events, and the events they became.
  var withEvents = 0
  var events = 0
  /// Well-formed messages that say nothing about a handoff.
  var noHandoffFact = 0
  /// Answers that wait for their request.
  var waiting = 0
  /// Messages refused, by reason.
  var refused = 0
  var reasons: [String: Int] = [:]
  var unreadableFiles = 0

  /// Whether every message is in exactly one column.
  var addsUp: Bool { messages == withEvents + noHandoffFact + refused + waiting }
}

/// Counts events and dead letters by the source they came from.
struct BusCount: Sendable {
  private var receptions: [Code: Set<ReceptionID>] = [:]
  private var events: [Code: Int] = [:]
  private var letters: [Code: [DeadLetter.Disposition: Int]] = [:]
  private var reasons: [Code: [String: Int]] = [:]
  private var seen: Set<ReceptionID> = []

  /// Reads both topics to their ends; arrivals before `start` are another run's.
  init(_ kafka: KafkaConfiguration, since start: Timestamp) async throws {
    let first = Timestamp(milliseconds: start.milliseconds)
    try await TopicScan(kafka, topic: .events).readToEnd { record in
      guard let event = Self.event(record), Self.arrival(event.receptionID) >= first else { return }
      receptions[event.source, default: []].insert(event.receptionID)
      events[event.source, default: 0] += 1
    }
    try await TopicScan(kafka, topic: .deadLetters).readToEnd { record in
      guard let letter = try? WireCodec.deadLetter(record.wire),
        Self.arrival(letter.receptionID) >= first, seen.insert(letter.receptionID).inserted
      else { return }
      letters[letter.source, default: [:]][letter.disposition, default: 0] += 1
      let place = letter.field.map { " at \($0)" } ?? ""
      reasons[letter.source, default: [:]]["\(letter.reason)\(place)", default: 0] += 1
    }
  }

  /// What became of what was fed; `waiting` are the answers in the outbox whose request is unknown.
  func count(of fed: MessageFeed.Fed, waiting: [Code: Int]) -> FolderCount {
    var count = FolderCount(folder: fed.name, messages: fed.messages)
    count.unreadableFiles = fed.unreadable
    for source in fed.sources {
      count.withEvents += receptions[source]?.count ?? 0
      count.events += events[source] ?? 0
      count.noHandoffFact += letters[source]?[.noHandoffFact] ?? 0
      count.refused += letters[source]?[.refused] ?? 0
      count.reasons.merge(reasons[source] ?? [:]) { $0 + $1 }
      count.waiting += waiting[source] ?? 0
    }
    return count
  }

  private static func event(_ record: KafkaRecord) -> HandoffEvent? {
    guard let decoded = try? WireCodec.eventRecord(record.stored),
      let event = decoded.content.event
    else { return nil }
    return event
  }

  /// What is no arrival of a message of its own belongs to every run.
  private static func arrival(_ id: ReceptionID) -> Timestamp { id.receivedAt ?? .distantFuture }
}
