internal import CLibrdkafka
internal import Logging

/// A bearer token of OAUTHBEARER (RFC 7628, KIP-255); it prints redacted.
public struct KafkaToken: Sendable {
  let value: String
  let principal: String
  let expiresAtMilliseconds: Int64

  /// Makes a token.
  ///
  /// - Parameters:
  ///   - value: the token as the broker reads it, such as a JWT.
  ///   - principal: whom it names; librdkafka wants to know, and tells nobody.
  ///   - expiresAtMilliseconds: when it ends, since 1970; librdkafka asks for the next one when
  ///     four fifths of the time until then have passed.
  public init(value: String, principal: String, expiresAtMilliseconds: Int64) {
    self.value = value
    self.principal = principal
    self.expiresAtMilliseconds = expiresAtMilliseconds
  }
}

extension KafkaToken: CustomStringConvertible, CustomReflectable {
  public var description: String { "redacted" }
  public var customMirror: Mirror { Mirror(self, children: []) }
}

/// Gives the newest token; called on a thread of librdkafka's own, where it may block.
///
/// What it throws is told to librdkafka as a failure, which asks again ten seconds later; its
/// description must hold nothing secret, for it is logged.
public typealias KafkaTokenSource = @Sendable () throws -> KafkaToken

/// What a client's callbacks need; its pointer is the client's opaque.
final class CallbackContext: Sendable {
  let log: LogSink
  private let tokens: KafkaTokenSource?

  init(_ log: LogSink, tokens: KafkaTokenSource?) {
    self.log = log
    self.tokens = tokens
  }

  var hasTokens: Bool { tokens != nil }

  /// Gets a token and hands it to the client.
  ///
  /// librdkafka calls this on its background thread (`rd_kafka_sasl_background_callbacks_enable`):
  /// a client that only produces or administers polls no queue that an event could come by, and
  /// polling one in the background would count as the application's being alive (kafka.md trap 3).
  fileprivate func refresh(_ client: OpaquePointer) {
    var text = [CChar](repeating: 0, count: 512)
    do {
      guard let token = try tokens?() else { return }
      let result = rd_kafka_oauthbearer_set_token(
        client, token.value, token.expiresAtMilliseconds, token.principal, nil, 0, &text,
        text.count)
      guard result == RD_KAFKA_RESP_ERR_NO_ERROR else {
        return fail(
          client, "the token was refused by librdkafka: it must not have expired already")
      }
      log.write(level: 6, facility: "OAUTHBEARER", text: "token renewed")
    } catch {
      fail(client, "no token: \(error)")
    }
  }

  private func fail(_ client: OpaquePointer, _ reason: String) {
    log.write(level: 3, facility: "OAUTHBEARER", text: reason)
    rd_kafka_oauthbearer_set_token_failure(client, reason)
  }
}

/// `rd_kafka_conf_set_oauthbearer_token_refresh_cb`.
func refreshToken(
  client: OpaquePointer?, configuration: UnsafePointer<CChar>?, opaque: UnsafeMutableRawPointer?
) {
  guard let client, let opaque else { return }
  Unmanaged<CallbackContext>.fromOpaque(opaque).takeUnretainedValue().refresh(client)
}
