/// How a client is let in by the brokers, and by what it knows them.
///
/// It becomes librdkafka's own settings (``KafkaConfiguration/properties`` may then name none of
/// them). Traps of librdkafka 2.0.2, kafka.md: the nonce of SCRAM is sent twice, which strict
/// brokers refuse, so mutual TLS or OAUTHBEARER is to be preferred (16); Apache Kafka 4.0.0 lacks
/// requests that this version needs, 4.0.1 has them (17); there is no re-authentication, so a
/// broker that limits the life of a session ends the connection then, and librdkafka connects anew
/// with the newest token (18).
public struct KafkaSecurity: Sendable {
  /// Encryption, and the certificates of both ends.
  public struct TLS: Hashable, Sendable {
    /// PEM of the authorities that brokers are checked against; nil: the system's.
    public var authorityFile: String?
    /// PEM of the own certificate and its chain, where brokers ask for one (mutual TLS).
    public var certificateFile: String?
    /// PEM of the key of ``certificateFile``.
    public var keyFile: String?
    public var keyPassword: KafkaSecret?

    public init(
      authorityFile: String? = nil, certificateFile: String? = nil, keyFile: String? = nil,
      keyPassword: KafkaSecret? = nil
    ) {
      self.authorityFile = authorityFile
      self.certificateFile = certificateFile
      self.keyFile = keyFile
      self.keyPassword = keyPassword
    }
  }

  /// Which hash SCRAM is made with (RFC 5802, RFC 7677).
  public enum SCRAM: String, Hashable, Sendable {
    case sha256 = "SCRAM-SHA-256"
    case sha512 = "SCRAM-SHA-512"
  }

  /// Who the client says it is, beside its certificate.
  public enum Login: Sendable {
    case plain(username: String, password: KafkaSecret)
    case scram(SCRAM, username: String, password: KafkaSecret)
    /// OAUTHBEARER by librdkafka's own client of an OIDC provider; see
    /// ``KafkaLibrary/speaksOIDC``.
    case oidc(endpoint: String, clientID: String, clientSecret: KafkaSecret, scope: String?)
    /// OAUTHBEARER by tokens that the application gets.
    case token(KafkaTokenSource)
  }

  /// Nil speaks in clear.
  public var tls: TLS?
  /// Nil says nothing beside the certificate.
  public var login: Login?

  public init(tls: TLS?, login: Login? = nil) {
    self.tls = tls
    self.login = login
  }

  /// `security.protocol`.
  public var protocolName: String {
    (login == nil ? "" : "SASL_") + (tls == nil ? "PLAINTEXT" : "SSL")
  }
}

extension KafkaSecurity {
  /// The same as librdkafka's settings; those of ``isSecret(_:)`` are never printed.
  public var properties: [String: String] {
    var settings = ["security.protocol": protocolName]
    if let tls {
      // Both are librdkafka's defaults; a default that changes must not open the door.
      settings["enable.ssl.certificate.verification"] = "true"
      settings["ssl.endpoint.identification.algorithm"] = "https"
      settings["ssl.ca.location"] = tls.authorityFile
      settings["ssl.certificate.location"] = tls.certificateFile
      settings["ssl.key.location"] = tls.keyFile
      settings["ssl.key.password"] = tls.keyPassword?.revealed
    }
    switch login {
    case nil: break
    case .plain(let username, let password)?:
      settings["sasl.mechanism"] = "PLAIN"
      settings["sasl.username"] = username
      settings["sasl.password"] = password.revealed
    case .scram(let hash, let username, let password)?:
      settings["sasl.mechanism"] = hash.rawValue
      settings["sasl.username"] = username
      settings["sasl.password"] = password.revealed
    case .oidc(let endpoint, let clientID, let clientSecret, let scope)?:
      settings["sasl.mechanism"] = "OAUTHBEARER"
      settings["sasl.oauthbearer.method"] = "oidc"
      settings["sasl.oauthbearer.token.endpoint.url"] = endpoint
      settings["sasl.oauthbearer.client.id"] = clientID
      settings["sasl.oauthbearer.client.secret"] = clientSecret.revealed
      settings["sasl.oauthbearer.scope"] = scope
    case .token?:
      settings["sasl.mechanism"] = "OAUTHBEARER"
    }
    return settings
  }

  /// Whether a setting of librdkafka is decided by security, and so by nothing else beside it.
  public static func owns(_ property: String) -> Bool {
    property == "security.protocol" || property == "enable.ssl.certificate.verification"
      || property.hasPrefix("ssl.") || property.hasPrefix("sasl.")
  }

  /// Whether a setting of librdkafka holds a secret.
  public static func isSecret(_ property: String) -> Bool {
    [
      "sasl.password", "ssl.key.password", "ssl.key.pem", "ssl.keystore.password",
      "sasl.oauthbearer.client.secret", "sasl.oauthbearer.config",
    ].contains(property)
  }

  /// Whether a `host:port` is this machine by its spelling, so that nobody else can listen in.
  public static func isLoopback(_ server: String) -> Bool {
    var host = server[...]
    if let colon = host.lastIndex(of: ":"), UInt16(host[host.index(after: colon)...]) != nil {
      host = host[..<colon]
    }
    if host == "localhost" || host == "[::1]" || host == "::1" { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }

  /// Why settings would show a secret to whoever listens in; nil where they would not.
  static func exposure(_ settings: [String: String], servers: [String]) -> String? {
    guard !servers.allSatisfy(isLoopback) else { return nil }
    let name = settings["security.protocol"]?.uppercased()
    if name == "SASL_PLAINTEXT" {
      return "SASL_PLAINTEXT sends credentials in clear: use SASL_SSL beyond this machine"
    }
    if name == "SSL" || name == "SASL_SSL" {
      if let check = settings["enable.ssl.certificate.verification"]?.lowercased(),
        ["false", "f", "0", "no"].contains(check)
      {
        return "enable.ssl.certificate.verification may not be off beyond this machine"
      }
      if settings["ssl.endpoint.identification.algorithm"]?.lowercased() == "none" {
        return "ssl.endpoint.identification.algorithm may not be none beyond this machine"
      }
    }
    return nil
  }
}

/// A password or another secret in memory; it prints redacted.
public struct KafkaSecret: Hashable, Sendable {
  let revealed: String

  public init(_ text: String) { revealed = text }
}

extension KafkaSecret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  public var description: String { "redacted" }
  public var debugDescription: String { "redacted" }
  public var customMirror: Mirror { Mirror(self, children: []) }
}

extension KafkaSecurity: CustomStringConvertible, CustomReflectable {
  public var description: String { protocolName }
  public var customMirror: Mirror { Mirror(self, children: []) }
}
