/// What the records of a client pass on their way out and on their way in, such as a signature
/// that is added and checked.
///
/// Both are called for every record, on the task that hands it over or asks for it: they must be
/// quick and must not block. Keys, values and places stay as they are.
public struct KafkaInterceptor: Sendable {
  /// Called before a message is handed to librdkafka, possibly again for the same message: it must
  /// give the same again.
  public var outgoing: @Sendable (KafkaMessage) -> KafkaMessage
  /// Called for each record read; `nil` leaves it out, as if the log had a gap there.
  public var incoming: @Sendable (KafkaRecord) -> KafkaRecord?

  public init(
    outgoing: @escaping @Sendable (KafkaMessage) -> KafkaMessage = { $0 },
    incoming: @escaping @Sendable (KafkaRecord) -> KafkaRecord? = { $0 }
  ) {
    self.outgoing = outgoing
    self.incoming = incoming
  }
}
