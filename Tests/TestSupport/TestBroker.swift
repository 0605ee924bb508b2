internal import Dispatch
internal import Foundation

/// A Kafka broker for tests: the one at `BATON_TEST_KAFKA`, or a noida-db of our own
/// (`BATON_NOIDA_DB` names its binary) on a free loopback port with a folder of its own.
///
/// `@unchecked Sendable`: `process` is what changes, under `lock`.
public final class TestBroker: @unchecked Sendable {
  /// Why tests that need a broker are skipped, if they are.
  public static let skipReason =
    "needs a Kafka broker: set BATON_TEST_KAFKA (host:port,…) or BATON_NOIDA_DB (path of noida-db)"

  /// What went wrong while starting.
  public struct StartFailure: Error, CustomStringConvertible {
    public let description: String
  }

  /// Whether the environment names a broker.
  public static var isAvailable: Bool { external != nil || binary != nil }

  /// Whether the broker is a real cluster that other tests may be using too.
  public static var isExternal: Bool { external != nil }

  /// `host:port` each.
  public let bootstrapServers: [String]

  private let lock = NSLock()
  private var process: Process?
  private let folder: URL?
  /// How ours is started: the binary and its port.
  private let launch: (binary: String, port: UInt16)?

  /// Starts a broker and waits until it accepts connections; `stop` it at the end.
  public static func start() throws -> TestBroker {
    if let external { return TestBroker(external) }
    guard let binary else { throw StartFailure(description: skipReason) }
    var failure = "no attempt made"
    for _ in 0..<5 {
      // Another process may take the free port before noida-db does: hence several attempts.
      let port = try freePort()
      do { return try TestBroker(binary: binary, port: port) } catch { failure = "\(error)" }
    }
    throw StartFailure(description: failure)
  }

  private init(_ bootstrapServers: [String]) {
    self.bootstrapServers = bootstrapServers
    folder = nil
    launch = nil
  }

  private init(binary: String, port: UInt16) throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("baton-broker-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    self.folder = folder
    bootstrapServers = ["127.0.0.1:\(port)"]
    launch = (binary, port)
    try run(binary: binary, port: port, folder: folder)
  }

  private func run(binary: String, port: UInt16, folder: URL) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: binary)
    process.arguments = [
      "start", "--only", "kafka", "--kafka-port", "\(port)", "--data-dir", folder.path,
    ]
    let log = folder.appendingPathComponent("broker.log")
    _ = FileManager.default.createFile(atPath: log.path, contents: nil)
    let output = try FileHandle(forWritingTo: log)
    process.standardOutput = output
    process.standardError = output
    process.standardInput = FileHandle.nullDevice
    try Self.withoutBlockedSignals { try process.run() }
    lock.withLock { self.process = process }
    let deadline = Date(timeIntervalSinceNow: 10)
    while !Self.accepts(port) {
      guard process.isRunning, Date() < deadline else {
        let text = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
        stop()
        throw StartFailure(description: "noida-db did not start: \(text)")
      }
      // Nothing tells when a foreign process begins to listen; asking without a pause would take
      // the processor from it.
      usleep(5000)
    }
  }

  deinit { stop() }

  /// Ends the broker, if it is ours, and waits for its end; it is killed if it takes too long.
  public func stop() {
    end()
    if let folder { try? FileManager.default.removeItem(at: folder) }
  }

  /// Ends a broker of ours as an operator does, and starts it again with what it had saved, on the
  /// same port.
  public func restart() throws {
    guard let launch, let folder else {
      throw StartFailure(description: "only a broker of the test's own can be restarted")
    }
    end()
    try run(binary: launch.binary, port: launch.port, folder: folder)
  }

  private func end() {
    let process = lock.withLock {
      defer { self.process = nil }
      return self.process
    }
    guard let process else { return }
    let ended = DispatchSemaphore(value: 0)
    process.terminationHandler = { _ in ended.signal() }
    process.terminate()
    if process.isRunning, ended.wait(timeout: .now() + 5) == .timedOut {
      kill(process.processIdentifier, SIGKILL)
    }
  }

  private static var external: [String]? {
    guard let value = ProcessInfo.processInfo.environment["BATON_TEST_KAFKA"], !value.isEmpty
    else { return nil }
    return value.split(separator: ",").map(String.init)
  }

  /// The noida-db that `BATON_NOIDA_DB` names; `nil` where it names none that can be run.
  public static var binary: String? {
    guard let path = ProcessInfo.processInfo.environment["BATON_NOIDA_DB"],
      FileManager.default.isExecutableFile(atPath: path)
    else { return nil }
    return path
  }

  /// A child inherits the signals its parent's thread blocks, and Swift's pool threads block all:
  /// the broker would never hear of SIGTERM.
  private static func withoutBlockedSignals(_ body: () throws -> Void) rethrows {
    var (none, before) = (sigset_t(), sigset_t())
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    try body()
  }

  /// A port nobody listens on at this moment.
  public static func freePort() throws -> UInt16 {
    let socket = makeSocket()
    defer { close(socket) }
    var address = loopback(0)
    let isBound = withAddress(&address) { bind(socket, $0, $1) } == 0
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isNamed =
      withAddress(&address) { pointer, _ in getsockname(socket, pointer, &length) } == 0
    guard isBound, isNamed else { throw StartFailure(description: "no free port") }
    return UInt16(bigEndian: address.sin_port)
  }

  private static func accepts(_ port: UInt16) -> Bool {
    let socket = makeSocket()
    defer { close(socket) }
    var address = loopback(port)
    return withAddress(&address) { connect(socket, $0, $1) } == 0
  }

  private static func makeSocket() -> Int32 {
    #if canImport(Glibc)
      socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    #else
      socket(AF_INET, SOCK_STREAM, 0)
    #endif
  }

  private static func loopback(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return address
  }

  private static func withAddress<Result>(
    _ address: inout sockaddr_in, _ body: (UnsafeMutablePointer<sockaddr>, socklen_t) -> Result
  ) -> Result {
    withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }
}
