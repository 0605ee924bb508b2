package import HandoffCodecs
package import HandoffCore

/// Turns stored records of the sources topic into what the source reducer takes: the one place for
/// the service and offline.
package struct SourceIntake: Sendable {
  /// Tells our own records from forged ones; `nil` where there are no secrets for it.
  package var stamp: RecordStamp?

  package init(stamp: RecordStamp? = nil) { self.stamp = stamp }

  /// Reads one record.
  ///
  /// What cannot be read still moves time, as a tick would, and the reducer says so; a record that
  /// none of our writers stamped moves nothing.
  package func take(_ stored: StoredRecord) -> SourceTopicRecord {
    if let forgery = stamp?.forgery(in: stored) {
      return unusable(stored, .s08, Code(forgery.rawValue))
    }
    do {
      return try WireCodec.sourceTopicRecord(stored)
    } catch {
      return unusable(stored, .s01, Code(error.fault.rawValue))
    }
  }

  private func unusable(
    _ stored: StoredRecord, _ rule: Rule, _ cause: Code?
  ) -> SourceTopicRecord {
    SourceTopicRecord(
      content: .unusable(rule, cause: cause), brokerAt: stored.brokerAt,
      coordinates: stored.coordinates, hash: WireCodec.recordHash(stored.record.value))
  }
}
