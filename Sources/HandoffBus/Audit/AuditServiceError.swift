package import HandoffStores
package import KafkaClient

/// Why the audit service stopped.
package enum AuditServiceError: Error, Sendable, CustomStringConvertible {
  /// The topic is shorter than what was logged from it: an unclean election, or made anew.
  case truncated(log: AuditLogName, logged: Int64, end: Int64)
  /// Records were deleted from the topic before they were logged.
  case expired(log: AuditLogName, wanted: Int64, beginning: Int64)
  /// None of the topics that are to be audited exists.
  case noTopics([String])
  case store(AuditStoreError)
  case kafka(KafkaError)

  package var description: String {
    switch self {
    case .truncated(let log, let logged, let end):
      "topic \(log.topic), partition \(log.partition) was truncated: \(logged) offsets are logged, "
        + "the topic ends at \(end). The log stays as it is; nothing more is read into it"
    case .expired(let log, let wanted, let beginning):
      "topic \(log.topic), partition \(log.partition): offset \(wanted) was to be logged next, the "
        + "topic begins at \(beginning). Records were deleted before they were logged"
    case .noTopics(let names):
      "none of the audited topics exists: \(names.joined(separator: ", ")); run `baton topics apply`"
    case .store(let error): error.description
    case .kafka(let error): error.message
    }
  }
}
