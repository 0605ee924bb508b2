/// The bounds of a FHIR listener and where it listens.
package struct FHIRSettings: Hashable, Sendable {
  /// Loopback unless the configuration says otherwise.
  package var host = "127.0.0.1"
  /// 0 takes any free port.
  package var port = 8443
  /// Connections at a time; one more is closed at once.
  package var connectionCountMax = 256
  /// Requests at a time, over all connections; one more is told to come later (429).
  package var requestsInFlightMax = 64
  /// A longer body is refused (413), at its announcement where it announces its length.
  package var messageByteCountMax = 5_000_000
  /// All header fields of one request; with more it is answered 431 and the connection closed.
  package var headerByteCountMax = 16 * 1_024
  /// A connection without a request for so long is closed.
  package var idleTimeout: Duration = .seconds(60)
  /// How long the head and the body of one request may take to arrive.
  package var requestTimeout: Duration = .seconds(30)
  /// How long the durable write may take; then the sender hears 408, and its message may or may
  /// not be kept (BaRS asks for every answer within 5 seconds).
  package var answerTimeout: Duration = .milliseconds(4_500)
  /// What a sender that is told to come later should wait.
  package var retryAfter: Duration = .seconds(30)
  /// `nil` speaks in clear: for loopback and trusted networks only.
  package var tls: TLSSettings?

  package init() {}
}
