internal import CLibrdkafka

extension KafkaAdmin {
  /// Makes topics.
  ///
  /// A topic that exists is not an error here: its name is among those returned, and its settings
  /// stay as they are.
  ///
  /// Throws the first refusal; topics before and after it may have been made.
  @discardableResult
  public func createTopics(
    _ topics: [TopicSpecification], within timeout: Duration = .seconds(30)
  ) async throws(KafkaError) -> [String] {
    guard !topics.isEmpty else { return [] }
    return try await request(
      "CreateTopics", RD_KAFKA_ADMIN_OP_CREATETOPICS, within: timeout
    ) { client, options, queue throws(KafkaError) in
      var requests: [OpaquePointer?] = []
      defer { for request in requests { rd_kafka_NewTopic_destroy(request) } }
      for topic in topics { requests.append(try topic.native()) }
      rd_kafka_CreateTopics(client, &requests, requests.count, options, queue)
    } read: { event throws(KafkaError) in
      var count = 0
      let result = rd_kafka_event_CreateTopics_result(event)
      let results = rd_kafka_CreateTopics_result_topics(result, &count)
      var existing: [String] = []
      for outcome in topicErrors(results, count) {
        guard outcome.error.code == .topicExists else { throw outcome.error }
        existing.append(outcome.topic)
      }
      return existing
    }
  }

  /// Deletes topics; one that does not exist is an error.
  ///
  /// Never do it under live consumers (librdkafka 2.0.2, kafka.md trap 2: their close would hang).
  public func deleteTopics(
    _ names: [String], within timeout: Duration = .seconds(30)
  ) async throws(KafkaError) {
    guard !names.isEmpty else { return }
    try await request(
      "DeleteTopics", RD_KAFKA_ADMIN_OP_DELETETOPICS, within: timeout
    ) { client, options, queue throws(KafkaError) in
      var requests: [OpaquePointer?] = names.map { rd_kafka_DeleteTopic_new($0) }
      defer { for request in requests { rd_kafka_DeleteTopic_destroy(request) } }
      rd_kafka_DeleteTopics(client, &requests, requests.count, options, queue)
    } read: { event throws(KafkaError) in
      var count = 0
      let result = rd_kafka_event_DeleteTopics_result(event)
      let results = rd_kafka_DeleteTopics_result_topics(result, &count)
      if let outcome = topicErrors(results, count).first { throw outcome.error }
    }
  }

  /// Raises the partition count of a topic.
  ///
  /// Keys then hash to other partitions than before.
  public func createPartitions(
    _ topic: String, total: Int, within timeout: Duration = .seconds(30)
  ) async throws(KafkaError) {
    try await request(
      "CreatePartitions", RD_KAFKA_ADMIN_OP_CREATEPARTITIONS, within: timeout
    ) { client, options, queue throws(KafkaError) in
      var text = [CChar](repeating: 0, count: 256)
      let native = rd_kafka_NewPartitions_new(topic, total, &text, text.count)
      guard let native else {
        throw KafkaError(.invalidArgument, message: "\(topic): \(string(text))")
      }
      defer { rd_kafka_NewPartitions_destroy(native) }
      var requests: [OpaquePointer?] = [native]
      rd_kafka_CreatePartitions(client, &requests, 1, options, queue)
    } read: { event throws(KafkaError) in
      var count = 0
      let result = rd_kafka_event_CreatePartitions_result(event)
      let results = rd_kafka_CreatePartitions_result_topics(result, &count)
      if let outcome = topicErrors(results, count).first { throw outcome.error }
    }
  }
}

extension KafkaAdmin.TopicSpecification {
  fileprivate func native() throws(KafkaError) -> OpaquePointer {
    var text = [CChar](repeating: 0, count: 256)
    let native = rd_kafka_NewTopic_new(name, partitions, replication, &text, text.count)
    guard let native else {
      throw KafkaError(.invalidArgument, message: "\(name): \(string(text))")
    }
    for (key, value) in configs.sorted(by: { $0.key < $1.key }) {
      rd_kafka_NewTopic_set_config(native, key, value)
    }
    return native
  }
}

private func topicErrors(
  _ results: UnsafeMutablePointer<OpaquePointer?>?, _ count: Int
) -> [(topic: String, error: KafkaError)] {
  (0..<count).compactMap { index in
    guard let result = results?[index] else { return nil }
    let topic = String(cString: rd_kafka_topic_result_name(result))
    let text = rd_kafka_topic_result_error_string(result).map { String(cString: $0) }
    let message = "\(topic): \(text ?? "refused")"
    return KafkaError(rd_kafka_topic_result_error(result), message: message).map { (topic, $0) }
  }
}
