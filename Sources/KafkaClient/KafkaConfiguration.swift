public import Logging

/// What every client needs to reach a cluster.
///
/// `properties` are librdkafka's own names and win over our defaults; whatever the wrapper itself
/// relies on cannot be set there (see `KafkaError.Code.invalidArgument`). Its description never
/// prints values that may be secret.
public struct KafkaConfiguration: Sendable {
  /// `host:port` each.
  ///
  /// Give several: 2.0.2 never drops a broker that is gone nor bootstraps again (librdkafka 2.0.2,
  /// kafka.md trap 14).
  public var bootstrapServers: [String]
  /// Names this client in the broker's log and quotas.
  public var clientID: String
  /// librdkafka properties, for example `security.protocol`, `ssl.ca.location`, `sasl.username`.
  public var properties: [String: String]
  /// How the client is let in; nil leaves it to ``properties``.
  public var security: KafkaSecurity?
  /// Why no client can be made of this, where it is known already, such as a secret that is not
  /// there; nil where nothing is known to be wrong.
  ///
  /// Making a client throws it. So a part of a program that needs no broker starts without one.
  public var problem: String?
  /// How often statistics are measured; nil: never.
  public var statisticsInterval: Duration?
  /// Gets librdkafka's own log.
  public var logger: Logger
  /// What every record passes on its way out and in; nil: nothing.
  public var interceptor: KafkaInterceptor?

  public init(
    bootstrapServers: [String], clientID: String = "kafka-client",
    properties: [String: String] = [:], statisticsInterval: Duration? = nil,
    logger: Logger = Logger(label: "kafka"), interceptor: KafkaInterceptor? = nil
  ) {
    self.bootstrapServers = bootstrapServers
    self.clientID = clientID
    self.properties = properties
    self.statisticsInterval = statisticsInterval
    self.logger = logger
    self.interceptor = interceptor
  }
}

extension KafkaConfiguration: CustomStringConvertible, CustomReflectable {
  public var customMirror: Mirror { Mirror(self, children: ["client": description]) }

  public var description: String {
    let names = properties.keys.sorted().joined(separator: ", ")
    return "\(clientID) at \(bootstrapServers.joined(separator: ",")), set: [\(names)]"
  }
}

extension KafkaConfiguration {
  /// Properties the wrapper relies on: set elsewhere, by the role of the client.
  static let managed: Set<String> = [
    "bootstrap.servers", "metadata.broker.list", "client.id", "group.id", "group.instance.id",
    "enable.auto.commit", "enable.auto.offset.store", "enable.partition.eof", "isolation.level",
    "enable.idempotence", "transactional.id", "transaction.timeout.ms",
    "statistics.interval.ms", "log.queue", "auto.offset.reset", "session.timeout.ms",
    "max.poll.interval.ms",
  ]

  /// Our defaults, the role's settings, and the user's properties, merged.
  func merged(with role: [String: String]) throws(KafkaError) -> [String: String] {
    guard !bootstrapServers.isEmpty else {
      throw KafkaError(.invalidArgument, message: "no bootstrap server given", disposition: .close)
    }
    if let problem {
      throw KafkaError(.invalidArgument, message: problem, disposition: .close)
    }
    for name in properties.keys.sorted() where security != nil && KafkaSecurity.owns(name) {
      throw KafkaError(
        .invalidArgument, message: "\(name) is set by security, not through properties",
        disposition: .close)
    }
    for name in properties.keys.sorted() where Self.managed.contains(name) {
      throw KafkaError(
        .invalidArgument, message: "\(name) is set by the client, not through properties",
        disposition: .close)
    }
    let strategies = properties["partition.assignment.strategy"] ?? ""
    if KafkaLibrary.cooperativeStickyIsBroken, strategies.contains("cooperative-sticky") {
      // librdkafka 2.0.2, kafka.md trap 6: crashes, hangs and lost assignments before 2.10.
      throw KafkaError(
        .invalidArgument,
        message: "cooperative-sticky needs librdkafka 2.10, this is \(KafkaLibrary.version)",
        disposition: .close)
    }
    if case .oidc? = security?.login, !KafkaLibrary.speaksOIDC {
      throw KafkaError(
        .invalidArgument,
        message: "this librdkafka \(KafkaLibrary.version) was built without OIDC (libcurl): "
          + "give it tokens from a file or a command",
        disposition: .close)
    }
    let merged = Self.defaults
      .merging(role) { _, new in new }
      .merging(properties) { _, new in new }
      .merging(security?.properties ?? [:]) { _, new in new }
      .merging(connection) { _, new in new }
    if let exposure = KafkaSecurity.exposure(merged, servers: bootstrapServers) {
      throw KafkaError(.invalidArgument, message: exposure, disposition: .close)
    }
    return merged
  }

  private var connection: [String: String] {
    var settings = [
      "bootstrap.servers": bootstrapServers.joined(separator: ","),
      "client.id": clientID,
    ]
    if let statisticsInterval {
      settings["statistics.interval.ms"] = String(statisticsInterval.milliseconds)
    }
    return settings
  }

  /// What librdkafka leaves slow or wrong by default.
  private static let defaults = [
    // librdkafka 2.0.2, kafka.md trap 10: Nagle's algorithm is on by default.
    "socket.nagle.disable": "true",
    "socket.keepalive.enable": "true",
    // A "localhost" that resolves to ::1 first costs a refused connection.
    "broker.address.family": "v4",
    "reconnect.backoff.ms": "50",
    "reconnect.backoff.max.ms": "2000",
    // librdkafka 2.0.2, kafka.md trap 14: after a change of leaders metadata are asked again soon.
    "topic.metadata.refresh.fast.interval.ms": "100",
  ]
}

extension Duration {
  /// Rounded up, so that a wait never becomes no wait.
  var milliseconds: Int64 {
    let (seconds, attoseconds) = components
    return seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
  }

  /// For librdkafka's `int timeout_ms`, kept within its range.
  var timeoutMs: Int32 { Int32(clamping: Swift.max(0, milliseconds)) }
}
