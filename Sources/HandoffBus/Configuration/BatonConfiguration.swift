import Foundation
package import Logging

/// Everything that a deployment decides, read from one YAML file and the environment.
///
/// ```yaml
/// data: /var/lib/baton             # outboxes, keys, audit log; default .baton/data
/// policy: policy.yaml              # default: the one that ships with Baton
/// connectors: connectors           # one YAML file, or a folder of them
/// secrets: /run/secrets/baton.yaml # default: made in the data folder at first start
/// record-secrets: /run/records.json # stamps our own records; default: in the data folder, if there
/// log: notice
/// kafka:
///   bootstrap: broker-1:9092,broker-2:9092
///   security:                      # see ``KafkaSecuritySettings``
///     protocol: SASL_SSL
///   properties:                    # any other setting of librdkafka
///     socket.timeout.ms: 30000
/// topics:
///   partitions: 24                 # fixed at creation
///   replication: 3
/// correlation:                     # how many ids ingest remembers, and how long unseen
///   entries-max: 20000000
///   days: 400                      # of messages and handoffs, 190 or more
///   person-days: 3650              # of people's record numbers
/// snapshots:                       # copies of the reconciler's memory, which quicken a restart
///   seconds: 300                   # from one to the next; 0: none
/// health:                          # /metrics, /livez, /readyz
///   listen: 127.0.0.1:9464         # this machine only; default: nobody is told
/// ```
///
/// Relative paths are relative to the file. `BATON_BOOTSTRAP`, `BATON_DATA`, `BATON_POLICY`,
/// `BATON_CONNECTORS`, `BATON_SECRETS`, `BATON_LOG`, `BATON_PARTITIONS` and `BATON_REPLICATION`
/// win over it, and `BATON_KAFKA_SASL_PASSWORD` sets `sasl.password`: that is how a secret comes in.
package struct BatonConfiguration: Sendable {
  package var dataFolder: String = ".baton/data"
  /// `nil`: the policy that ships with Baton.
  package var policyFile: String?
  /// A file, or a folder of files, one connector each; `nil`: none configured.
  package var connectors: String?
  /// `nil`: made in the data folder at first start.
  package var secretsFile: String?
  /// What the bus's own records are stamped with; `nil`: in the data folder, where there is one.
  package var recordSecretsFile: String?
  /// What stamps and checks records, once the secrets are read; `nil`: nothing does.
  package var recordGuard: RecordGuard?
  /// The trust boundary: organisations outside it, or the one that this process stands in.
  package var boundary = BoundaryConfiguration()
  /// `nil`: the cluster has no access control, and none is planned.
  package var access: AccessConfiguration?
  /// `nil`: a service logs from `notice` on, a command that ends soon only what is critical.
  package var logLevel: Logger.Level?
  /// `nil`: the key of the secrets file wraps the data keys.
  package var keys: KeyConfiguration?
  package var kafka = Kafka()
  package var topics = Topics()
  package var correlation = CorrelationLimits()
  /// Seconds from one snapshot of the reconciler's memory to the next; 0 takes none.
  package var snapshotSeconds = 300
  /// Where metrics and health are told; `nil`: nowhere.
  package var health: HealthAddress?

  /// The brokers, and how to talk to them.
  package struct Kafka: Sendable {
    /// `host:port`, several with commas; `nil`: none configured.
    package var bootstrap: String?
    /// Settings of librdkafka, handed on as they are; never printed, they may hold secrets.
    package var properties: [String: String] = [:]
    /// `nil` leaves it to ``properties``.
    package var security: KafkaSecuritySettings?

    package init() {}
  }

  /// How topics are created.
  package struct Topics: Sendable {
    /// Partitions of a topic keyed by patient, 1 to 1,000; fixed when the topic is created.
    ///
    /// `nil`: none said, which is ``partitionsDefault``, and fewer where all runs in one process.
    package var partitions: Int?
    /// Copies of each partition, 1 to 9.
    package var replication = 3

    package static let partitionsDefault = 24

    package init() {}
  }

  package init() {}

  /// Where and how often the reconciler keeps copies of its memory.
  package var snapshotSettings: SnapshotSettings? {
    guard snapshotSeconds > 0 else { return nil }
    var settings = SnapshotSettings(folder: files.snapshots)
    settings.interval = .seconds(snapshotSeconds)
    return settings
  }
}

/// Every fault of a configuration at once, so that nobody mends it one start at a time.
package struct ConfigurationFaults: Error {
  /// One fault: where it stands and what is wrong, never the value.
  package struct Fault: Hashable, Sendable {
    /// `kafka.bootstrap`, or the name of an environment variable.
    package let setting: String
    /// 1-based line in the file; `nil` for the environment.
    package let line: Int?
    package let explanation: String
  }

  /// The file, or `nil` where only the environment was read.
  package let file: String?
  package let faults: [Fault]
  /// There is no such file.
  package var isMissing = false
}

extension ConfigurationFaults: CustomStringConvertible {
  package var description: String {
    let where_ = file.map { "The configuration \($0)" } ?? "The environment"
    let list = faults.map { fault in
      let line = fault.line.map { "line \($0), " } ?? ""
      return "\n  \(line)\(fault.setting): \(fault.explanation)"
    }
    return "\(where_) has \(faults.count) fault\(faults.count == 1 ? "" : "s"):" + list.joined()
  }
}
