internal import CLibrdkafka

/// What went wrong in Kafka, and above all what its caller can do about it.
///
/// librdkafka knows some 200 codes; a caller has three answers, see `Disposition`.
public struct KafkaError: Error, Sendable {
  /// The three answers a caller has.
  public enum Disposition: Hashable, Sendable {
    /// Call again; nothing has changed.
    case retry
    /// The work at hand is lost or refused: abort the open transaction (outside of one: drop the
    /// batch) and take its input again.
    case abortTransaction
    /// This client is done for, fenced by its successor, closed or broken: close it, and make
    /// another where the work shall go on.
    case close
  }

  /// Which error it is; for logs, metrics and the rare special case.
  public let code: Code
  /// The text for a human.
  public let message: String
  /// What the caller can do.
  public let disposition: Disposition
  /// Whether librdkafka has declared the whole client instance dead (then `disposition` is
  /// `.close`).
  public let isFatal: Bool
  /// The foreign error behind this one, for example what a rebalance hook threw.
  public let underlying: (any Error)?

  /// Makes an error; the disposition follows from the code unless the caller knows better.
  public init(
    _ code: Code, message: String? = nil, disposition: Disposition? = nil, isFatal: Bool = false,
    underlying: (any Error)? = nil
  ) {
    self.code = code
    self.message = message ?? code.explanation
    self.disposition = isFatal ? .close : (disposition ?? code.disposition)
    self.isFatal = isFatal
    self.underlying = underlying
  }

  /// The same error with another consequence: the caller's context decides it.
  func with(_ disposition: Disposition) -> KafkaError {
    KafkaError(
      code, message: message, disposition: disposition, isFatal: isFatal, underlying: underlying)
  }
}

extension KafkaError: CustomStringConvertible {
  public var description: String {
    "\(code.name): \(message) (\(isFatal ? "fatal, " : "")then: \(disposition))"
  }
}

extension KafkaError {
  /// Takes over `error` and frees it, also where it means success.
  init?(consuming error: OpaquePointer?) {
    guard let error else { return nil }
    defer { rd_kafka_error_destroy(error) }
    let code = Code(rd_kafka_error_code(error))
    let isFatal = rd_kafka_error_is_fatal(error) != 0
    var disposition: Disposition?
    if rd_kafka_error_txn_requires_abort(error) != 0 {
      disposition = .abortTransaction
    } else if rd_kafka_error_is_retriable(error) != 0 {
      disposition = .retry
    }
    self.init(
      code, message: String(cString: rd_kafka_error_string(error)), disposition: disposition,
      isFatal: isFatal)
  }

  /// Nil for "no error".
  init?(_ response: rd_kafka_resp_err_t, message: String? = nil) {
    guard response != RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
    self.init(Code(response), message: message)
  }

  /// The client was closed, or is just being closed.
  static var closed: KafkaError {
    KafkaError(.destroyed, message: "The client has been closed", disposition: .close)
  }

  /// The deadline passed before Kafka answered.
  static func timedOut(_ what: String, disposition: Disposition = .retry) -> KafkaError {
    KafkaError(.timedOut, message: "\(what) did not finish in time", disposition: disposition)
  }
}
