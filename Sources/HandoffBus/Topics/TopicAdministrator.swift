package import KafkaClient

/// Compares a cluster with the topic table, and brings it there.
package struct TopicAdministrator: Sendable {
  private let admin: KafkaAdmin

  package init(_ kafka: KafkaConfiguration) throws(KafkaError) {
    admin = try KafkaAdmin(kafka)
  }

  /// Asks the cluster for its topics and says what differs from `table`.
  ///
  /// No more copies are asked for than there are brokers, or nothing could ever be created on the
  /// one broker of a demo.
  package func plan(
    table: [TopicDefinition] = TopicTable.shared, sizes: TopicSizes
  ) async throws(KafkaError) -> TopicPlan {
    let brokerCount = try await admin.cluster().brokerCount
    var sizes = sizes
    sizes.replication = min(sizes.replication, Int16(clamping: max(1, brokerCount)))
    let known = Set(table.map(\.name))
    var cluster: [TopicDescription] = []
    for topic in try await admin.topics() {
      var config: [String: String] = [:]
      if known.contains(topic.name) {
        for entry in try await admin.describeConfigs(topic.name) {
          config[entry.name] = entry.value
        }
      }
      cluster.append(
        TopicDescription(name: topic.name, partitions: topic.partitions, config: config))
    }
    return TopicPlan(table: table, sizes: sizes, cluster: cluster)
  }

  /// Makes the changes of `plan`; what it refuses, or merely tells, is left alone.
  package func apply(_ plan: TopicPlan) async throws(KafkaError) {
    var missing: [KafkaAdmin.TopicSpecification] = []
    for step in plan.steps {
      switch step {
      case .create(let name, let partitions, let replication, let config):
        missing.append(
          .init(
            name: name, partitions: partitions, replication: Int32(replication), configs: config))
      case .alter(let name, let changes):
        try await admin.alterConfigs(
          name, Dictionary(uniqueKeysWithValues: changes.map { ($0.name, $0.to) }))
      case .refuseResize, .unsupported, .unknown: break
      }
    }
    guard !missing.isEmpty else { return }
    _ = try await admin.createTopics(missing)
  }

  /// Frees the client.
  package func close() async {
    await admin.close()
  }
}
