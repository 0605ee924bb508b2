public import Foundation

/// A certificate authority of a test's own, and the certificates it issues, in a folder of its own.
///
/// The files are made by the `openssl` command: the libraries under test can read certificates and
/// not make them.
public final class TestAuthority: Sendable {
  /// Why tests that need certificates are skipped, if they are.
  public static let skipReason = "needs the openssl command to make certificates"

  /// Whether certificates can be made here.
  public static var isAvailable: Bool { executable != nil }

  /// A certificate and its key, both PEM.
  public struct Issued: Sendable {
    public let certificate: String
    public let key: String
  }

  /// What `openssl` said against it.
  public struct Failure: Error, CustomStringConvertible {
    public let description: String
  }

  public let folder: URL
  /// The authority's own certificate.
  public var certificate: String { folder.appending(path: "ca.pem").path }

  private static let executable: String? = [
    "/usr/bin/openssl", "/usr/local/bin/openssl",
  ].first { FileManager.default.isExecutableFile(atPath: $0) }

  public init(_ name: String = "test authority") throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "baton-ca-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try run([
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
      "-keyout", "ca.key", "-out", "ca.pem", "-days", "100", "-subj", "/CN=\(name)", "-addext",
      "keyUsage=critical,keyCertSign",
    ])
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  /// Issues a certificate with subjectAltNames such as `DNS:localhost` or `IP:127.0.0.1`.
  ///
  /// One of the same name is replaced, as it is when a certificate is renewed.
  public func issue(
    _ name: String, names: [String], days: Int = 90, password: String? = nil
  ) throws -> Issued {
    let extensions = "subjectAltName=\(names.joined(separator: ","))\n"
    let new = "\(name).new"
    try Data(extensions.utf8).write(to: folder.appending(path: "\(name).ext"))
    let protection = password.map { ["-passout", "pass:\($0)"] } ?? ["-nodes"]
    try run(
      [
        "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-keyout",
        "\(new).key", "-out", "\(name).csr", "-subj", "/CN=\(name)",
      ] + protection)
    try run([
      "x509", "-req", "-in", "\(name).csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
      "-days", "\(days)", "-extfile", "\(name).ext", "-out", "\(new).pem",
    ])
    for suffix in ["pem", "key"] {
      let file = folder.appending(path: "\(name).\(suffix)")
      try? FileManager.default.removeItem(at: file)
      try FileManager.default.moveItem(at: folder.appending(path: "\(new).\(suffix)"), to: file)
    }
    let key = folder.appending(path: "\(name).key").path
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: key)
    return Issued(certificate: folder.appending(path: "\(name).pem").path, key: key)
  }

  private func run(_ arguments: [String]) throws {
    guard let executable = Self.executable else { throw Failure(description: Self.skipReason) }
    let process = Process()
    process.executableURL = URL(filePath: executable)
    process.arguments = arguments
    process.currentDirectoryURL = folder
    process.standardOutput = FileHandle.nullDevice
    let errors = Pipe()
    process.standardError = errors
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let said = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failure(description: String(decoding: said, as: UTF8.self))
    }
  }
}
