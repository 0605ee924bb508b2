package import HandoffCodecs
package import HandoffCore

/// Which records of the events topic a reader wants to see.
package struct EventFilter: Hashable, Sendable {
  /// By the broker's time, inclusive.
  package var from: Timestamp?
  /// By the broker's time, exclusive.
  package var to: Timestamp?
  package var types: Set<EventType> = []
  package var person: PatientKey?
  package var handoff: HandoffID?

  package init() {}

  /// Whether only events, and no ticks or other records, can pass.
  package var isForEventsOnly: Bool { !types.isEmpty || person != nil || handoff != nil }

  /// Whether the record passes; one that cannot be decoded passes where nothing asks for content.
  package func accepts(_ stored: StoredRecord) -> Bool {
    if let from, stored.brokerAt < from { return false }
    if let to, stored.brokerAt >= to { return false }
    guard isForEventsOnly else { return true }
    if let person, stored.record.key.map({ $0 != Array(person.description.utf8) }) ?? true {
      return false
    }
    guard let record = try? WireCodec.eventRecord(stored), let event = record.content.event
    else { return false }
    if let handoff, event.handoffID != handoff { return false }
    return types.isEmpty || types.contains(event.type)
  }
}
