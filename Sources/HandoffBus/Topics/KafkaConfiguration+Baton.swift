package import KafkaClient
internal import Logging

extension KafkaConfiguration {
  /// How a part of the bus named `client` reaches the configured cluster.
  ///
  /// Where no broker is named there is nothing to reach, and making a client fails with an error
  /// that says so. What it writes is stamped as `writer`'s, what it reads is checked, where the
  /// configuration has the secrets for it. The brokers let it in as `component`, which is `client`
  /// unless the client bears the name of one instance among several.
  package init(
    _ configuration: BatonConfiguration, client: String, component: String? = nil,
    as writer: BusRole? = nil
  ) {
    let servers = configuration.kafka.bootstrap?.split(separator: ",").map(String.init) ?? []
    self.init(
      bootstrapServers: servers, clientID: "baton-\(client)",
      properties: configuration.kafka.properties)
    let logger = Logger(label: "baton.records")
    interceptor =
      configuration.recordGuard?.interceptor(for: writer, logger: logger)
      // Who only reads loses nothing.
      ?? (writer == nil ? nil : MissingStampNotice(logger: logger).interceptor)
    guard let settings = configuration.kafka.security else { return }
    do throws(KafkaSecurityFaults) {
      security = try settings.resolve(component ?? client)
    } catch {
      problem =
        "kafka.security for \(component ?? client): "
        + error.faults.map(\.description).joined(separator: "; ")
    }
  }
}
