import Foundation
import HandoffCore
import TestSupport
import Testing

@testable import HandoffConnectors

@Suite(.enabled(if: TestAuthority.isAvailable, "\(TestAuthority.skipReason)"))
struct TLSFilesTests {
  @Test func `a certificate with its key and its authority is well`() throws {
    let authority = try TestAuthority()
    let own = try authority.issue("pas", names: ["DNS:pas.example"], days: 40)
    let files = CertificateFiles(
      certificate: own.certificate, key: own.key, authorities: authority.certificate)
    #expect(files.faults().isEmpty)
    let now = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1_000))
    #expect(try CertificateChain(file: own.certificate).daysLeft(at: now) == 39)
  }

  @Test func `every fault of certificate files is told at once, by file`() throws {
    let authority = try TestAuthority()
    let own = try authority.issue("pas", names: ["DNS:pas.example"])
    let text = authority.folder.appending(path: "text.pem").path
    try Data("no certificate".utf8).write(to: URL(filePath: text))
    let files = CertificateFiles(
      certificate: text, key: own.key + ".gone", authorities: "/nowhere/ca.pem")
    #expect(
      files.faults() == [
        .notCertificates(file: text), .secret(.missing(path: own.key + ".gone")),
        .unreadable(file: "/nowhere/ca.pem"),
      ])
  }

  @Test func `the key of another certificate is named`() throws {
    let authority = try TestAuthority()
    let one = try authority.issue("one", names: ["DNS:one.example"])
    let two = try authority.issue("two", names: ["DNS:two.example"])
    let files = CertificateFiles(certificate: one.certificate, key: two.key)
    #expect(files.faults() == [.mismatch(key: two.key, certificate: one.certificate)])
  }

  @Test func `a protected key opens with its password and with no other`() throws {
    let authority = try TestAuthority()
    let own = try authority.issue("pas", names: ["DNS:pas.example"], password: "right")
    var files = CertificateFiles(certificate: own.certificate, key: own.key)
    files.keyPassword = .environment("PASS")
    #expect(files.faults(environment: ["PASS": "right"]).isEmpty)
    #expect(files.faults(environment: ["PASS": "wrong"]) == [.notKey(file: own.key)])
    #expect(files.faults(environment: [:]) == [.secret(.notSet(name: "PASS"))])
  }

  @Test(arguments: [(0o644, false), (0o604, false), (0o660, false), (0o640, true), (0o400, true)])
  func `a key or a secret that others may read is refused`(mode: Int, isTaken: Bool) throws {
    let folder = try TemporaryFolder()
    try folder.write("hunter2-canary\n", to: "secret")
    let path = folder.path + "/secret"
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    if isTaken {
      #expect(try SecretSource.file(path).read().revealed == "hunter2-canary")
    } else {
      let fault = #expect(throws: SecretFault.self) { try SecretSource.file(path).read() }
      #expect(fault == .tooOpen(path: path, mode: UInt16(mode)))
      #expect(fault?.description.contains("canary") == false)
    }
  }

  @Test func `a secret prints redacted`() {
    let secret = SecretText("hunter2-canary")
    var dumped = ""
    dump(secret, to: &dumped)
    #expect(!("\(secret)" + String(reflecting: secret) + dumped).contains("canary"))
  }

  @Test func `every fault of the tls group is told with its line`() {
    let text = """
      name: pas
      class: mllp-source
      listen: 2575
      organisation: RTH
      tls:
        key: pas.key
        key-password: hunter2-canary
        clients:
          pas.example: not a code
          lab.example: RTH
        handshake-seconds: 1000
        cipher: none
      """
    let faults = #expect(throws: ConnectorFaults.self) { try ConnectorConfiguration.parse(text) }
    #expect(
      faults?.faults.map(\.setting) == [
        "tls.key-password", "tls.clients.pas.example", "tls.handshake-seconds", "tls.cipher",
        "tls.certificate", "tls.clients",
      ])
    #expect(faults?.faults.prefix(4).map(\.line) == [7, 9, 11, 12])
    #expect(faults?.description.contains("canary") == false)
  }

  @Test func `the tls group is read, relative to its file`() throws {
    let text = """
      name: bars
      class: fhir-source
      listen: 0.0.0.0:8443
      organisation: RTH
      tls:
        certificate: bars.pem
        key: /keys/bars.key
        key-password: {env: BARS_PASS}
        client-ca: partners.pem
        clients: {pas.rth.example: RTH}
        handshake-seconds: 2.5
      limits: {requests-in-flight: 3, answer-seconds: 1, header-bytes: 2048, request-seconds: 7}
      """
    let connector = try ConnectorConfiguration.parse(text, relativeTo: "/etc/baton")
    guard case .fhir(let settings) = connector.source else {
      Issue.record("not a FHIR source")
      return
    }
    var tls = TLSSettings(certificate: "/etc/baton/bars.pem", key: "/keys/bars.key")
    tls.keyPassword = .environment("BARS_PASS")
    tls.clientCA = "/etc/baton/partners.pem"
    tls.clients = ["pas.rth.example": try #require(ODSCode("RTH"))]
    tls.handshakeTimeout = .milliseconds(2_500)
    #expect(settings.tls == tls)
    #expect(settings.host == "0.0.0.0" && settings.port == 8443)
    #expect(settings.requestsInFlightMax == 3 && settings.headerByteCountMax == 2_048)
    #expect(settings.answerTimeout == .seconds(1) && settings.requestTimeout == .seconds(7))
    #expect(connector.rail == code("fhir"))
  }
}
