import Foundation
import TestSupport
import Testing

/// The built program with a FHIR listener over TLS, and a broker behind mutual TLS.
@Suite(
  .enabled(
    if: TestBroker.isAvailable && !TestBroker.isExternal && TestAuthority.isAvailable,
    "needs a noida-db of its own, and openssl"))
struct `The edge of the bus` {
  private static let requestID = "5b0f5a0e-0b51-4d6c-9c4d-0d6f6a1b2c3d"

  /// A running `baton connect run` that a test ends.
  private final class Service {
    let process: Process
    private let folder: TemporaryFolder
    private let log: AsyncStream<String>

    init(_ arguments: [String]) throws {
      folder = try TemporaryFolder()
      process = try BatonExecutable.start(arguments, folder: folder.url)
      let errors = Pipe()
      let (log, write) = AsyncStream<String>.makeStream()
      self.log = log
      errors.fileHandleForReading.readabilityHandler = { handle in
        let data = handle.availableData
        guard !data.isEmpty else {
          handle.readabilityHandler = nil
          return write.finish()
        }
        write.yield(String(decoding: data, as: UTF8.self))
      }
      process.standardError = errors
      try process.run()
    }

    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

    /// The port of its listener, once it has said so.
    func port() async throws -> Int {
      var text = ""
      for await part in log {
        text += part
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        guard let line = lines.first(where: { $0.contains("Connector listens") }),
          let place = line.range(of: "port", options: .backwards)
        else { continue }
        let digits = line[place.upperBound...].drop { !$0.isNumber }.prefix { $0.isNumber }
        if let port = Int(digits) { return port }
      }
      Issue.record("the service ended: \(text)")
      throw CocoaError(.fileReadUnknown)
    }

    func end(_ signal: Int32) {
      kill(process.processIdentifier, signal)
      process.waitUntilExit()
    }
  }

  /// A configuration with its certificates and its connector, in a folder of its own.
  private struct Bench {
    let folder: TemporaryFolder
    let authority: TestAuthority

    init() throws {
      folder = try TemporaryFolder()
      authority = try TestAuthority()
      let server = try authority.issue("server", names: ["DNS:localhost", "IP:127.0.0.1"])
      try write(
        """
        name: bars
        class: fhir-source
        listen: 127.0.0.1:0
        organisation: RTH
        speaks-for: any
        tls:
          certificate: \(server.certificate)
          key: \(server.key)
        """, to: "bars.yaml")
    }

    func write(_ text: String, to name: String) throws {
      try Data(text.utf8).write(to: URL(filePath: folder.path(name)))
    }

    /// A configuration file for brokers at a port, as one part or another is let in there.
    func configuration(_ name: String, port: Int) throws -> String {
      let own = try authority.issue("ingest", names: ["DNS:ingest"])
      try write(
        """
        data: data
        kafka:
          bootstrap: 127.0.0.1:\(port)
          security:
            protocol: SSL
            ca: \(authority.certificate)
            certificate: \(own.certificate)
            key: \(own.key)
        topics:
          partitions: 2
          replication: 1
        """, to: name)
      return folder.path(name)
    }

    func tap(_ broker: TestBroker) async throws -> TLSTap {
      let server = try authority.issue("broker", names: ["IP:127.0.0.1"])
      let port = broker.bootstrapServers.first?.split(separator: ":").last.flatMap { Int($0) }
      return try await TLSTap.start(
        .init(server, clientAuthority: authority.certificate), .broker(port: port ?? 0))
    }

    func post(_ body: String, id: String, port: Int) async throws -> RawHTTP.Answer {
      try await RawHTTP.send(
        RawHTTP.request(
          "POST /$process-message",
          [
            "Content-Type": "application/fhir+json", "X-Request-ID": id,
            "X-Correlation-ID": UUID().uuidString,
          ], body: body), port: port, authority: authority.certificate)
    }
  }

  @Test func `a message answered before a kill -9 is published once, and is a duplicate after it`()
    async throws
  {
    let broker = try TestBroker.start()
    defer { broker.stop() }
    let bench = try Bench()
    let tap = try await bench.tap(broker)
    let connector = bench.folder.path("bars.yaml")
    let (away, there) = (
      try bench.configuration("away.yaml", port: 1),
      try bench.configuration("there.yaml", port: tap.port)
    )
    let applied = try await BatonExecutable.run(["topics", "apply", "--config", there])
    #expect(applied.status == 0, "\(applied.errors)")

    // The broker is away: what is answered stands in the outbox and nowhere else.
    let first = try Service(["connect", "run", "--config", away, "--connector", connector])
    let answer = try await bench.post(
      EdgeMessage.referral, id: Self.requestID, port: try await first.port())
    #expect(answer.status == 200, "\(answer.body)")
    first.end(SIGKILL)

    let second = try Service(["connect", "run", "--config", there, "--connector", connector])
    let port = try await second.port()
    let again = try await bench.post(EdgeMessage.referral, id: Self.requestID, port: port)
    #expect(again.status == 409)
    #expect(try again.issue().code == "duplicate")
    let other = try await bench.post(
      EdgeMessage.referral.replacing("urgent", with: "routine"), id: Self.requestID, port: port)
    #expect(try other.issue().code == "conflict")
    let events = try await published(1, there)
    #expect(events.count == 1)
    #expect(events.first?.contains("EVENT_TYPE_HANDOFF_REQUESTED") == true)
    second.end(SIGTERM)
    #expect(try await published(1, there).count == 1)
    await tap.stop()
    #expect(tap.seen.clientCertificateCount > 0)
    #expect(tap.seen.clientCertificateCount == tap.seen.handshakeCount)
  }

  @Test(.enabled(if: PackageRoot.hasSamples, "needs the sample messages beside the package"))
  func `every BaRS message of the samples gets the answer that its mapping deserves`() async throws
  {
    let bench = try Bench()
    let service = try Service([
      "connect", "run", "--config", try bench.configuration("away.yaml", port: 1), "--connector",
      bench.folder.path("bars.yaml"),
    ])
    let port = try await service.port()
    let folder = PackageRoot.samples.appending(path: "fhir-bars-api-json")
    let names = try FileManager.default.contentsOfDirectory(
      atPath: folder.path(percentEncoded: false)
    ).filter { $0.hasPrefix("process_message") }.sorted()
    #expect(!names.isEmpty)
    for name in names {
      let body = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
      let answer = try await bench.post(body, id: UUID().uuidString, port: port)
      // Mapped or without handoff fact: stored. Refused: told why, with a code of ours.
      #expect([200, 422].contains(answer.status), "\(name): \(answer.body)")
      if answer.status == 200 { #expect(!answer.body.contains("servicerequest-response")) }
      if answer.status == 422 { #expect(try answer.issue().bars == "REC_UNPROCESSABLE_ENTITY") }
    }
    service.end(SIGTERM)
    #expect(service.process.terminationStatus == 0)
  }

  @Test func `doctor says what is wrong with certificates and secrets, and never what is in them`()
    async throws
  {
    let bench = try Bench()
    let own = try bench.authority.issue("short", names: ["DNS:short"], days: 5)
    let other = try bench.authority.issue("other", names: ["DNS:other"])
    try bench.write("hunter2-canary", to: "open.secret")
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o644], ofItemAtPath: bench.folder.path("open.secret"))
    try bench.write(
      """
      data: data
      connectors: bars.yaml
      kafka:
        bootstrap: 127.0.0.1:1
        security:
          protocol: SASL_SSL
          ca: \(bench.authority.certificate)
          components:
            ingest:
              certificate: \(own.certificate)
              key: \(own.key)
              sasl: {mechanism: PLAIN, username: ingest, password: {file: open.secret}}
            audit:
              certificate: \(own.certificate)
              key: \(other.key)
              sasl: {mechanism: PLAIN, username: audit, password: {env: NOT_SET_ANYWHERE}}
      """, to: "doctor.yaml")
    let run = try await BatonExecutable.run(
      ["doctor", "--json", "--config", bench.folder.path("doctor.yaml")])
    #expect(run.status != 0)
    for part in [
      "open.secret has mode 644", "NOT_SET_ANYWHERE is not set", "does not belong to",
      "expires soon: 4 days left", "chain and key fit, 89 days left", "encrypted (SASL_SSL)",
    ] {
      #expect(run.output.contains(part), "\(part) is not in \(run.output)")
    }
    #expect(!(run.output + run.errors).contains("canary"))
  }

  private func published(_ count: Int, _ configuration: String) async throws -> [Substring] {
    for _ in 0..<100 {
      let run = try await BatonExecutable.run([
        "events", "export", "--decoded", "--config", configuration,
      ])
      #expect(run.status == 0, "\(run.errors)")
      let lines = run.output.split(separator: "\n").filter { $0.contains("HandoffEvent") }
      if lines.count >= count { return lines }
    }
    return []
  }
}

/// A referral of a made-up person in the shape of BaRS.
private enum EdgeMessage {
  static let referral = """
    {"resourceType":"Bundle","id":"edge-1","type":"message",
     "timestamp":"2026-11-23T10:00:00+00:00","entry":[
     {"fullUrl":"urn:uuid:m","resource":{"resourceType":"MessageHeader",
       "eventCoding":{"system":"https://fhir.nhs.uk/CodeSystem/message-events-bars",
       "code":"servicerequest-request"},
       "destination":[{"endpoint":"urn:to","receiver":{"reference":"urn:uuid:to"}}],
       "sender":{"reference":"urn:uuid:from"},"source":{"endpoint":"urn:from"},
       "reason":{"coding":[{"code":"new"}]},"focus":[{"reference":"urn:uuid:sr"}]}},
     {"fullUrl":"urn:uuid:sr","resource":{"resourceType":"ServiceRequest","status":"active",
       "authoredOn":"2026-11-23T09:00:00+00:00","priority":"urgent",
       "category":[{"coding":[{"code":"referral"},
       {"system":"https://fhir.nhs.uk/CodeSystem/usecases-categories-bars","code":"a4t3"}]}],
       "subject":{"reference":"urn:uuid:p"}}},
     {"fullUrl":"urn:uuid:p","resource":{"resourceType":"Patient","identifier":[
       {"system":"https://fhir.nhs.uk/Id/nhs-number","value":"9990500002"}]}},
     {"fullUrl":"urn:uuid:from","resource":{"resourceType":"Organization","identifier":[
       {"system":"https://fhir.nhs.uk/id/ods-organization-code","value":"RTH"}]}},
     {"fullUrl":"urn:uuid:to","resource":{"resourceType":"Organization","identifier":[
       {"system":"https://fhir.nhs.uk/id/ods-organization-code","value":"RNU"}]}}]}
    """
}
