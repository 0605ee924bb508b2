/// What an HTTP request says about its message beside the body, kept with the frame.
///
/// All of it was written by somebody else: it is bounded and checked by the listener that read it,
/// and leaves ingest only as tokens.
package struct TransportHeaders: Hashable, Sendable, Codable {
  /// `X-Request-ID`: one request, repeated in its retries (domain.md §1.1).
  package var requestID: String?
  /// `X-Correlation-ID`: one conversation, from the request over its answers to onward referrals.
  package var correlationID: String?
  /// The service that `NHSD-Target-Identifier` names: the system and the value of its identifier.
  package var targetSystem: String?
  package var targetValue: String?

  package init(requestID: String? = nil, correlationID: String? = nil) {
    self.requestID = requestID
    self.correlationID = correlationID
  }

  package var isEmpty: Bool { self == TransportHeaders() }
}

extension TransportHeaders: CustomStringConvertible, CustomReflectable {
  package var description: String { "TransportHeaders(redacted)" }
  package var customMirror: Mirror { Mirror(self, children: []) }
}

extension MappedMessage {
  /// The same message with what its transport says beside it.
  ///
  /// The request's id is the id of the message (domain.md §2.1): senders repeat `Bundle.id` over
  /// messages (§0, finding 3), by which an answer still names it. The conversation is the one that
  /// the headers name. The target names a service that many people are sent to, so it is never a
  /// reference by which a person could be found.
  package func carrying(_ headers: TransportHeaders) -> MappedMessage {
    var message = self
    if let request = headers.requestID { message.messageID = request }
    if message.receivingSystem == nil { message.receivingSystem = headers.targetValue }
    guard let conversation = headers.correlationID else { return message }
    for index in message.facts.indices {
      message.facts[index].conversation = RawReference(
        system: code("X-Correlation-ID"), value: conversation)
      message.facts[index].provenance["conversation"] = "X-Correlation-ID"
    }
    return message
  }
}
