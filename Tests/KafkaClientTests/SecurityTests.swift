import Testing

@testable import KafkaClient

@Suite struct SecurityTests {
  private static let secret = KafkaSecret("hunter2-canary")

  /// What each way in becomes in librdkafka's own settings.
  private static let table: [(security: KafkaSecurity, settings: [String: String])] = [
    (KafkaSecurity(tls: nil), ["security.protocol": "PLAINTEXT"]),
    (
      KafkaSecurity(tls: .init(authorityFile: "/ca.pem")),
      [
        "security.protocol": "SSL", "ssl.ca.location": "/ca.pem",
        "enable.ssl.certificate.verification": "true",
        "ssl.endpoint.identification.algorithm": "https",
      ]
    ),
    (
      KafkaSecurity(
        tls: .init(
          certificateFile: "/own.pem", keyFile: "/own.key", keyPassword: KafkaSecret("pass"))),
      [
        "security.protocol": "SSL", "ssl.certificate.location": "/own.pem",
        "ssl.key.location": "/own.key", "ssl.key.password": "pass",
        "enable.ssl.certificate.verification": "true",
        "ssl.endpoint.identification.algorithm": "https",
      ]
    ),
    (
      KafkaSecurity(tls: nil, login: .plain(username: "u", password: KafkaSecret("p"))),
      [
        "security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN", "sasl.username": "u",
        "sasl.password": "p",
      ]
    ),
    (
      KafkaSecurity(
        tls: .init(), login: .scram(.sha256, username: "u", password: KafkaSecret("p"))),
      [
        "security.protocol": "SASL_SSL", "sasl.mechanism": "SCRAM-SHA-256", "sasl.username": "u",
        "sasl.password": "p", "enable.ssl.certificate.verification": "true",
        "ssl.endpoint.identification.algorithm": "https",
      ]
    ),
    (
      KafkaSecurity(
        tls: .init(), login: .scram(.sha512, username: "u", password: KafkaSecret("p"))),
      [
        "security.protocol": "SASL_SSL", "sasl.mechanism": "SCRAM-SHA-512", "sasl.username": "u",
        "sasl.password": "p", "enable.ssl.certificate.verification": "true",
        "ssl.endpoint.identification.algorithm": "https",
      ]
    ),
    (
      KafkaSecurity(
        tls: .init(),
        login: .oidc(
          endpoint: "https://login.example/token", clientID: "c", clientSecret: KafkaSecret("s"),
          scope: "kafka")),
      [
        "security.protocol": "SASL_SSL", "sasl.mechanism": "OAUTHBEARER",
        "sasl.oauthbearer.method": "oidc", "sasl.oauthbearer.client.id": "c",
        "sasl.oauthbearer.client.secret": "s", "sasl.oauthbearer.scope": "kafka",
        "sasl.oauthbearer.token.endpoint.url": "https://login.example/token",
        "enable.ssl.certificate.verification": "true",
        "ssl.endpoint.identification.algorithm": "https",
      ]
    ),
    (
      KafkaSecurity(
        tls: .init(),
        login: .token { KafkaToken(value: "t", principal: "p", expiresAtMilliseconds: 1) }),
      [
        "security.protocol": "SASL_SSL", "sasl.mechanism": "OAUTHBEARER",
        "enable.ssl.certificate.verification": "true",
        "ssl.endpoint.identification.algorithm": "https",
      ]
    ),
  ]

  @Test(arguments: 0..<8) func `each way in becomes these settings of librdkafka`(row: Int) {
    #expect(Self.table[row].security.properties == Self.table[row].settings)
  }

  @Test(arguments: [0, 1, 3, 4, 5, 7])
  func `librdkafka takes the settings of every way in that it was built for`(row: Int) async throws
  {
    var security = Self.table[row].security
    security.tls?.authorityFile = nil  // The file of the table is not there.
    var configuration = KafkaConfiguration.test(["127.0.0.1:1"])
    configuration.security = security
    let admin = try KafkaAdmin(configuration)
    await admin.close()
  }

  @Test func `security and properties may not decide the same`() {
    var configuration = KafkaConfiguration.test(["127.0.0.1:1"], ["ssl.ca.location": "/x"])
    configuration.security = KafkaSecurity(tls: .init())
    let error = #expect(throws: KafkaError.self) { try KafkaAdmin(configuration) }
    #expect(error?.message.contains("ssl.ca.location") == true)
  }

  @Test(arguments: [
    ("broker.example:9092", ["security.protocol": "SASL_PLAINTEXT"], "SASL_PLAINTEXT"),
    (
      "broker.example:9092",
      ["security.protocol": "ssl", "enable.ssl.certificate.verification": "false"],
      "verification"
    ),
    (
      "127.0.0.1.example:9092",
      ["security.protocol": "ssl", "ssl.endpoint.identification.algorithm": "none"],
      "identification"
    ),
  ])
  func `what would show a secret beyond this machine is refused`(
    server: String, properties: [String: String], text: String
  ) {
    let error = #expect(throws: KafkaError.self) {
      try KafkaAdmin(.test(["127.0.0.1:1", server], properties))
    }
    #expect(error?.message.contains(text) == true)
    #expect(error?.code == .invalidArgument)
  }

  @Test(arguments: [
    ("127.0.0.1:9092", true), ("localhost:1", true), ("[::1]:9092", true), ("127.9.9.9", true),
    ("10.0.0.1:9092", false), ("localhost.example:9092", false), ("127.0.0.1.example:1", false),
    ("128.0.0.1:1", false), ("", false),
  ])
  func `loopback is told by its spelling`(server: String, isLoopback: Bool) {
    #expect(KafkaSecurity.isLoopback(server) == isLoopback)
  }

  @Test func `nothing that prints holds a secret`() throws {
    var configuration = KafkaConfiguration.test(["127.0.0.1:1"])
    configuration.security = KafkaSecurity(
      tls: .init(keyPassword: Self.secret), login: .plain(username: "u", password: Self.secret))
    var dumped = ""
    dump(configuration, to: &dumped)
    dump(configuration.security, to: &dumped)
    dump(Self.secret, to: &dumped)
    let token = KafkaToken(value: "hunter2-canary", principal: "p", expiresAtMilliseconds: 1)
    dump(token, to: &dumped)
    let printed = "\(configuration) \(configuration.security as Any) \(Self.secret) \(token)"
    #expect(!(dumped + printed + String(reflecting: configuration)).contains("canary"))
  }

  @Test func `a secret that librdkafka refuses is not quoted`() {
    // A zero byte ends the text for librdkafka; an empty password is none.
    let error = #expect(throws: KafkaError.self) {
      try KafkaAdmin(
        .test(["127.0.0.1:1"], ["sasl.oauthbearer.client.secret": "hunter2-canary"]))
    }
    #expect(error?.message.contains("canary") == false)
  }

  @Test func `what is known to be missing is thrown when a client is made`() {
    var configuration = KafkaConfiguration.test(["127.0.0.1:1"])
    configuration.problem = "kafka.security for ingest: sasl.password: /x does not exist"
    let error = #expect(throws: KafkaError.self) { try KafkaAdmin(configuration) }
    #expect(error?.message == configuration.problem)
  }

  @Test(.disabled(if: KafkaLibrary.speaksOIDC, "this librdkafka was built with OIDC"))
  func `OIDC without libcurl is refused in words`() {
    var configuration = KafkaConfiguration.test(["127.0.0.1:1"])
    configuration.security = Self.table[6].security
    let error = #expect(throws: KafkaError.self) { try KafkaAdmin(configuration) }
    #expect(error?.message.contains("built without OIDC") == true)
  }
}
