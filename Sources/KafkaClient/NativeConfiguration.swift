internal import CLibrdkafka
internal import Logging

/// Makes a `rd_kafka_t`; an unknown property or a bad value is told as librdkafka words it.
func makeNativeClient(
  _ type: rd_kafka_type_t, properties: [String: String], events: Int32, context: CallbackContext
) throws(KafkaError) -> OpaquePointer {
  let configuration = rd_kafka_conf_new()
  var text = [CChar](repeating: 0, count: 512)
  for (name, value) in properties.sorted(by: { $0.key < $1.key }) {
    let result = rd_kafka_conf_set(configuration, name, value, &text, text.count)
    guard result != RD_KAFKA_CONF_OK else { continue }
    rd_kafka_conf_destroy(configuration)
    // librdkafka quotes the value that it does not like.
    let reason = KafkaSecurity.isSecret(name) ? "its value is refused" : string(text)
    throw KafkaError(
      .invalidArgument, message: "setting \(name): \(reason)", disposition: .close)
  }
  rd_kafka_conf_set_opaque(configuration, Unmanaged.passUnretained(context).toOpaque())
  if context.hasTokens {
    rd_kafka_conf_set_oauthbearer_token_refresh_cb(configuration, refreshToken)
    rd_kafka_conf_enable_sasl_queue(configuration, 1)
  }
  rd_kafka_conf_set_log_cb(configuration, forwardLog)
  rd_kafka_conf_set_events(configuration, events)
  guard let client = rd_kafka_new(type, configuration, &text, text.count) else {
    // Only a success takes the configuration over.
    let code = KafkaError.Code(rd_kafka_last_error())
    rd_kafka_conf_destroy(configuration)
    throw KafkaError(code, message: string(text), disposition: .close)
  }
  if context.hasTokens,
    let error = KafkaError(consuming: rd_kafka_sasl_background_callbacks_enable(client))
  {
    rd_kafka_destroy(client)
    throw error.with(.close)
  }
  return client
}

/// Where a client's log lines go.
///
/// The log callback is called straight from librdkafka's threads: a log queue would have to be
/// polled, and polling any queue counts as the application's being alive (trap 3).
final class LogSink: Sendable {
  private let logger: Logger

  init(_ logger: Logger) { self.logger = logger }

  func write(level: Int32, facility: String, text: String) {
    let level: Logger.Level =
      switch level {
      case ...2: .critical
      case 3: .error
      case 4: .warning
      case 5: .notice
      case 6: .info
      default: .debug
      }
    logger.log(
      level: level, "librdkafka", metadata: ["facility": "\(facility)", "text": "\(text)"])
  }
}

private func forwardLog(
  client: OpaquePointer?, level: Int32, facility: UnsafePointer<CChar>?,
  text: UnsafePointer<CChar>?
) {
  guard let client, let opaque = rd_kafka_opaque(client), let text else { return }
  let context = Unmanaged<CallbackContext>.fromOpaque(opaque).takeUnretainedValue()
  context.log.write(
    level: level, facility: facility.map { String(cString: $0) } ?? "",
    text: String(cString: text))
}

/// The text up to the terminating zero.
func string(_ characters: [CChar]) -> String {
  String(
    decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
