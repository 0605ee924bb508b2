package import HandoffConnectors

/// How the parts of the bus are let in by the brokers, as the configuration file says.
///
/// ```yaml
/// kafka:
///   security:
///     protocol: SASL_SSL              # PLAINTEXT, SSL, SASL_SSL; SASL_PLAINTEXT on loopback only
///     ca: kafka-ca.pem                # whom brokers are checked against; default: the system's
///     certificate: baton.pem          # mutual TLS: the own chain and its key
///     key: baton.key                  # mode 600 or 440
///     key-password: {file: baton.pass}
///     sasl:
///       mechanism: SCRAM-SHA-512      # PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER
///       username: baton
///       password: {env: KAFKA_PASSWORD}
///     components:                     # each part its own principal; what is not named is as above
///       ingest:
///         certificate: ingest.pem
///         key: ingest.key
///       audit:
///         sasl:
///           mechanism: OAUTHBEARER
///           token: {file: /run/tokens/audit.jwt}    # or {command: [/usr/bin/get-token, audit]}
///           # or, where librdkafka was built with libcurl:
///           token-endpoint: https://login.example/token
///           client-id: baton-audit
///           client-secret: {file: audit.secret}
///           scope: kafka
/// ```
///
/// Secrets are read when a part makes its first client, so a process needs those of its own parts
/// only; those of no part in particular are looked at when the file is read.
package struct KafkaSecuritySettings: Sendable {
  /// `security.protocol` of librdkafka.
  package enum TransportProtocol: String, CaseIterable, Sendable {
    case plaintext = "PLAINTEXT"
    case tls = "SSL"
    case saslPlaintext = "SASL_PLAINTEXT"
    case saslTLS = "SASL_SSL"

    package var isEncrypted: Bool { self == .tls || self == .saslTLS }
    package var hasSASL: Bool { self == .saslPlaintext || self == .saslTLS }
  }

  package enum Mechanism: String, CaseIterable, Sendable {
    case plain = "PLAIN"
    case scram256 = "SCRAM-SHA-256"
    case scram512 = "SCRAM-SHA-512"
    case oauthBearer = "OAUTHBEARER"
  }

  /// Where a bearer token comes from.
  package enum TokenSource: Hashable, Sendable {
    /// A file that something else renews; it is read whenever a token is due.
    case file(String)
    /// A command and its arguments, which prints the token; it is no shell's line.
    case command([String])
    case environment(String)
  }

  package struct SASL: Sendable {
    package var mechanism: Mechanism
    package var username: String?
    package var password: SecretSource?
    package var token: TokenSource?
    package var tokenEndpoint: String?
    package var clientID: String?
    package var clientSecret: SecretSource?
    package var scope: String?

    package init(mechanism: Mechanism) { self.mechanism = mechanism }
  }

  /// Who a part is: its certificate, its login, or both.
  package struct Identity: Sendable {
    package var certificate: String?
    package var key: String?
    package var keyPassword: SecretSource?
    package var sasl: SASL?

    package init() {}
  }

  package var transport: TransportProtocol
  package var ca: String?
  /// That of parts that have none of their own.
  package var identity = Identity()
  /// By the name of the part: `ingest`, `reconcile`, `audit`, `alerts`, `topics` and so on.
  package var components: [String: Identity] = [:]

  package init(transport: TransportProtocol) { self.transport = transport }

  /// The parts that have a name: those that make clients.
  package static let componentNames = [
    "alerts", "audit", "connector", "doctor", "events", "import", "ingest", "policy",
    "reconcile", "topics", "up",
  ]

  /// Who `component` is: what it has of its own, and the rest of what is common.
  package func identity(of component: String) -> Identity {
    guard let own = components[component] else { return identity }
    var identity = identity
    if own.certificate != nil {
      identity.certificate = own.certificate
      identity.key = own.key
      identity.keyPassword = own.keyPassword
    }
    if let sasl = own.sasl { identity.sasl = sasl }
    return identity
  }

  /// The certificate files of `component`, for the doctor and the watch.
  package func certificateFiles(of component: String) -> CertificateFiles {
    let identity = identity(of: component)
    return CertificateFiles(
      certificate: identity.certificate, key: identity.key, keyPassword: identity.keyPassword,
      authorities: ca)
  }
}
