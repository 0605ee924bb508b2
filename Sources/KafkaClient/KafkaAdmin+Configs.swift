internal import CLibrdkafka

extension KafkaAdmin {
  /// The settings of a topic.
  public func describeConfigs(
    _ topic: String, within timeout: Duration = .seconds(10)
  ) async throws(KafkaError) -> [ConfigEntry] {
    try await request(
      "DescribeConfigs", RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, within: timeout
    ) { client, options, queue throws(KafkaError) in
      var requests: [OpaquePointer?] = [rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic)]
      defer { for request in requests { rd_kafka_ConfigResource_destroy(request) } }
      rd_kafka_DescribeConfigs(client, &requests, 1, options, queue)
    } read: { event throws(KafkaError) in
      var count = 0
      let result = rd_kafka_event_DescribeConfigs_result(event)
      let resources = rd_kafka_DescribeConfigs_result_resources(result, &count)
      let resource = try onlyResource(resources, count)
      let entries = rd_kafka_ConfigResource_configs(resource, &count)
      return (0..<count).compactMap { entries?[$0].map(ConfigEntry.init) }
        .sorted { $0.name < $1.name }
    }
  }

  /// Sets a topic's settings.
  ///
  /// Kafka replaces the whole set (KIP-339's incremental call came after 2.0.2), so those set
  /// before are read first and sent again.
  public func alterConfigs(
    _ topic: String, _ changes: [String: String], within timeout: Duration = .seconds(10)
  ) async throws(KafkaError) {
    let entries = try await describeConfigs(topic, within: timeout)
    var settings: [String: String] = [:]
    for entry in entries where !entry.isDefault && !entry.isReadOnly {
      settings[entry.name] = entry.value
    }
    let all = settings.merging(changes) { _, new in new }.sorted { $0.key < $1.key }
    try await request(
      "AlterConfigs", RD_KAFKA_ADMIN_OP_ALTERCONFIGS, within: timeout
    ) { client, options, queue throws(KafkaError) in
      let resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic)
      defer { rd_kafka_ConfigResource_destroy(resource) }
      for (name, value) in all { rd_kafka_ConfigResource_set_config(resource, name, value) }
      var requests = [resource]
      rd_kafka_AlterConfigs(client, &requests, 1, options, queue)
    } read: { event throws(KafkaError) in
      var count = 0
      let result = rd_kafka_event_AlterConfigs_result(event)
      let resources = rd_kafka_AlterConfigs_result_resources(result, &count)
      _ = try onlyResource(resources, count)
    }
  }

  /// What a group has committed, also of groups without a live member; without `partitions`, all
  /// of it.
  public func committedOffsets(
    ofGroup group: String, _ partitions: [KafkaTopicPartition]? = nil,
    within timeout: Duration = .seconds(10)
  ) async throws(KafkaError) -> [KafkaPartitionOffset] {
    try await request(
      "ListConsumerGroupOffsets", RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, within: timeout
    ) { client, options, queue throws(KafkaError) in
      let list = NativeOffsets(partitions ?? [])
      let request = rd_kafka_ListConsumerGroupOffsets_new(
        group, partitions == nil ? nil : list.pointer)
      defer { rd_kafka_ListConsumerGroupOffsets_destroy(request) }
      var requests = [request]
      rd_kafka_ListConsumerGroupOffsets(client, &requests, 1, options, queue)
    } read: { event throws(KafkaError) in
      var count = 0
      let result = rd_kafka_event_ListConsumerGroupOffsets_result(event)
      let groups = rd_kafka_ListConsumerGroupOffsets_result_groups(result, &count)
      guard count == 1, let group = groups?[0] else { return [] }
      if let error = rd_kafka_group_result_error(group) {
        // Owned by the result: read, not freed.
        throw KafkaError(
          .init(rd_kafka_error_code(error)), message: String(cString: rd_kafka_error_string(error)))
      }
      let offsets = NativeOffsets.copy(rd_kafka_group_result_partitions(group))
      return offsets.filter { $0.offset >= 0 }
    }
  }
}

extension KafkaAdmin.ConfigEntry {
  fileprivate init(_ entry: OpaquePointer) {
    name = String(cString: rd_kafka_ConfigEntry_name(entry))
    value = rd_kafka_ConfigEntry_value(entry).map { String(cString: $0) }
    // Only a topic's own setting is "set": whatever the broker's file says is a default here.
    isDefault = rd_kafka_ConfigEntry_source(entry) != RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG
    isReadOnly = rd_kafka_ConfigEntry_is_read_only(entry) != 0
  }
}

private func onlyResource(
  _ resources: UnsafeMutablePointer<OpaquePointer?>?, _ count: Int
) throws(KafkaError) -> OpaquePointer {
  guard count == 1, let resource = resources?[0] else {
    throw KafkaError(.invalidState, message: "the broker described no resource")
  }
  let message = rd_kafka_ConfigResource_error_string(resource).map { String(cString: $0) }
  let response = rd_kafka_ConfigResource_error(resource)
  if let error = KafkaError(response, message: message) { throw error }
  return resource
}
