import Foundation
import Testing

@testable import HandoffBus
@testable import KafkaClient

@Suite struct SecurityConfigurationTests {
  /// A folder with a secret, a key and certificates that need only be there.
  private final class Folder {
    let path: String

    init() throws {
      path = NSTemporaryDirectory() + "baton-security-\(UUID())"
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      for (name, mode) in [("secret", 0o600), ("open", 0o644), ("own.key", 0o600)] {
        try write("hunter2-canary\n", to: name)
        try FileManager.default.setAttributes(
          [.posixPermissions: mode], ofItemAtPath: path + "/" + name)
      }
      for name in ["ca.pem", "own.pem"] { try write("pem", to: name) }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ text: String, to name: String) throws {
      try Data(text.utf8).write(to: URL(filePath: path + "/" + name))
    }
  }

  private let folder: Folder

  init() throws {
    folder = try Folder()
  }

  private func parse(_ text: String) throws -> BatonConfiguration {
    try BatonConfiguration.parse(text, relativeTo: folder.path)
  }

  private func faults(_ text: String) -> [String] {
    let found = #expect(throws: ConfigurationFaults.self) { try parse(text) }
    #expect(found.map { !$0.description.contains("canary") } ?? true)
    return found?.faults.map { "\($0.line.map(String.init) ?? "-") \($0.setting)" } ?? []
  }

  @Test func `one file says how every part is let in, each by its own name`() throws {
    let configuration = try parse(
      """
      kafka:
        bootstrap: broker.example:9093
        security:
          protocol: SASL_SSL
          ca: ca.pem
          sasl:
            mechanism: SCRAM-SHA-512
            username: baton
            password: {file: secret}
          components:
            ingest:
              certificate: own.pem
              key: own.key
              sasl: {mechanism: PLAIN, username: ingest, password: {file: secret}}
            audit:
              sasl: {mechanism: OAUTHBEARER, token: {command: [/bin/echo, t]}}
      """)
    let other = KafkaConfiguration(configuration, client: "reconcile").security?.properties
    #expect(other?["sasl.username"] == "baton")
    #expect(other?["sasl.mechanism"] == "SCRAM-SHA-512")
    #expect(other?["ssl.certificate.location"] == nil)
    let ingest = KafkaConfiguration(configuration, client: "ingest").security?.properties
    #expect(ingest?["sasl.username"] == "ingest")
    #expect(ingest?["sasl.password"] == "hunter2-canary")
    #expect(ingest?["ssl.certificate.location"] == folder.path + "/own.pem")
    #expect(ingest?["ssl.ca.location"] == folder.path + "/ca.pem")
    let audit = KafkaConfiguration(configuration, client: "audit")
    #expect(audit.security?.properties["sasl.mechanism"] == "OAUTHBEARER")
    guard case .token? = audit.security?.login else {
      Issue.record("audit has no tokens")
      return
    }
    #expect(!"\(configuration.kafka.security as Any) \(audit)".contains("canary"))
  }

  @Test func `every fault of the security is told at once, with its line and without a secret`() {
    let found = faults(
      """
      kafka:
        bootstrap: broker.example:9093
        properties:
          sasl.password: hunter2-canary
          ssl.ca.location: /x
        security:
          protocol: SASL_TLS
          ca: gone.pem
          certificate: own.pem
          sasl:
            mechanism: SCRAM-MD5
            username: baton
            password: hunter2-canary
            token: hunter2-canary
            token-endpoint: http://login.example/token
            colour: blue
          components:
            ingester: {}
      """)
    #expect(
      Set(found) == [
        "4 kafka.properties.sasl.password", "5 kafka.properties.ssl.ca.location",
        "7 kafka.security.protocol", "8 kafka.security.ca", "7 kafka.security.key",
        "11 kafka.security.sasl.mechanism", "13 kafka.security.sasl.password",
        "14 kafka.security.sasl.token", "15 kafka.security.sasl.token-endpoint",
        "16 kafka.security.sasl.colour", "18 kafka.security.components.ingester",
      ])
  }

  @Test(arguments: [
    ("password: {file: open}", "mode 644"), ("password: {file: gone}", "does not exist"),
    ("password: {env: NOT_SET_ANYWHERE}", "is not set"),
  ])
  func `a secret that is open to others or not there is a fault`(line: String, text: String) {
    let error = #expect(throws: ConfigurationFaults.self) {
      try parse(
        """
        kafka:
          security:
            protocol: SASL_SSL
            sasl:
              mechanism: PLAIN
              username: u
              \(line)
        """)
    }
    #expect(error?.faults.map(\.line) == [7])
    #expect(error?.description.contains(text) == true)
    #expect(error?.description.contains("canary") == false)
  }

  @Test(arguments: [("127.0.0.1:9092", true), ("broker.example:9092", false)])
  func `credentials in clear are for loopback only`(server: String, isTaken: Bool) {
    let text = """
      kafka:
        bootstrap: \(server)
        security:
          protocol: SASL_PLAINTEXT
          sasl: {mechanism: PLAIN, username: u, password: {file: secret}}
      """
    if isTaken {
      #expect(throws: Never.self) { try parse(text) }
    } else {
      #expect(faults(text) == ["4 kafka.security.protocol"])
    }
  }

  @Test func `a part whose secret is missing fails alone, when it makes a client`() throws {
    let configuration = try parse(
      """
      kafka:
        bootstrap: broker.example:9093
        security:
          protocol: SASL_SSL
          components:
            ingest:
              sasl: {mechanism: PLAIN, username: i, password: {file: secret}}
            audit:
              sasl: {mechanism: PLAIN, username: a, password: {file: gone}}
      """)
    #expect(KafkaConfiguration(configuration, client: "ingest").problem == nil)
    let audit = KafkaConfiguration(configuration, client: "audit")
    #expect(audit.problem?.contains("gone does not exist") == true)
    let error = #expect(throws: KafkaError.self) { try KafkaAdmin(audit) }
    #expect(error?.code == .invalidArgument)
    #expect(KafkaConfiguration(configuration, client: "topics").problem?.contains("login") == true)
  }

  // MARK: Tokens

  private static func token(_ claims: String) -> String {
    let payload = Data(claims.utf8).base64EncodedString()
      .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    return "e30.\(payload).canary"
  }

  @Test func `a token says itself whom it names and when it ends`() throws {
    let token = try TokenReader.token(of: Self.token(#"{"sub":"baton-?>","exp":4102444800.5}"#))
    #expect(token.expiresAtMilliseconds == 4_102_444_800_500)
    #expect(token.principal == "baton-?>")
  }

  @Test(arguments: ["canary", "a.canary.c", token("{}"), token(#"{"exp":-1}"#), token("[]")])
  func `what is no token of ours is refused without a word of it`(text: String) {
    let failure = #expect(throws: TokenReader.Failure.self) { try TokenReader.token(of: text) }
    #expect(failure?.description.contains("canary") == false)
  }

  @Test func `a command prints the token, within its time and its size`() throws {
    #expect(try TokenCommand(["/bin/echo", "a.b.c"]).run() == "a.b.c\n")
    for words in [
      ["/bin/sh", "-c", "echo canary; exit 3"], ["/nowhere/canary-token"], ["/bin/true"],
      ["/bin/sh", "-c", "yes canary | head -c 70000"],
    ] {
      let failure = #expect(throws: TokenReader.Failure.self) { try TokenCommand(words).run() }
      #expect(failure?.description.contains("canary") == false)
    }
    let slow = TokenCommand(["/bin/sleep", "600"], timeout: .milliseconds(100))
    #expect(throws: TokenReader.Failure.self) { try slow.run() }
  }
}
