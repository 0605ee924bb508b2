/// Settings that consumers and readers share.
enum ConsumerSettings {
  static func common(isolation: KafkaIsolation, prefetchKilobyteMax: Int) -> [String: String] {
    [
      "isolation.level": isolation.rawValue,
      // Offsets are committed by the caller, or in its transaction.
      "enable.auto.commit": "false",
      "enable.auto.offset.store": "false",
      // With the defaults 2.0.2 stalls in a fetch back-off of 1 s once its queue was full.
      "queued.min.messages": "100000",
      "queued.max.messages.kbytes": String(prefetchKilobyteMax),
      "fetch.wait.max.ms": "100",
      // librdkafka 2.0.2, kafka.md trap 14: a change of leaders costs one such back-off.
      "fetch.error.backoff.ms": "100",
      // noida-db ignores fetch sizes and answers with a whole backlog.
      "receive.message.max.bytes": "1000000000",
      "enable.partition.eof": "false",
    ]
  }
}
