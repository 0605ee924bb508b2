package import KafkaClient

extension KafkaConfiguration {
  /// How a part of the bus named `client` reaches the configured cluster.
  ///
  /// Where no broker is named there is nothing to reach, and making a client fails with an error
  /// that says so.
  package init(_ configuration: BatonConfiguration, client: String) {
    let servers = configuration.kafka.bootstrap?.split(separator: ",").map(String.init) ?? []
    self.init(
      bootstrapServers: servers, clientID: "baton-\(client)",
      properties: configuration.kafka.properties)
  }
}
