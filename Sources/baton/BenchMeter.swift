import Foundation
import KafkaClient
import Synchronization

/// Wall and processor time of this process, and its memory.
enum BenchMeter {
  /// Seconds of wall time and of processor time (user and system, all threads) that `body` took.
  static func measure(_ body: () async throws -> Void) async throws -> (wall: Double, cpu: Double) {
    let cpuBefore = processorSeconds()
    let wall = try await ContinuousClock().measure { try await body() }
    return (seconds(wall), processorSeconds() - cpuBefore)
  }

  /// The same of what does not wait.
  static func measure(_ body: () throws -> Void) throws -> (wall: Double, cpu: Double) {
    let cpuBefore = processorSeconds()
    let wall = try ContinuousClock().measure { try body() }
    return (seconds(wall), processorSeconds() - cpuBefore)
  }

  static func seconds(_ duration: Duration) -> Double { duration / .seconds(1) }

  /// Bytes of memory that are resident (proc(5), statm, second field, in pages of 4 KiB).
  static func residentBytes() -> Int {
    let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
    let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    return pages * 4096
  }

  private static func processorSeconds() -> Double {
    var usage = rusage()
    guard unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return 0 }
    let times = [usage.ru_utime, usage.ru_stime]
    return times.map { Double($0.tv_sec) + Double($0.tv_usec) / 1e6 }.reduce(0, +)
  }
}

/// A noida-db of the bench's own, on a free loopback port.
final class BenchBroker: Sendable {
  let bootstrap: String
  private let process: Mutex<Process?>
  private let folder: URL
  /// The one that runs; there is one at a time.
  private static let running = Mutex<BenchBroker?>(nil)

  private init(bootstrap: String, process: Process, folder: URL) {
    self.bootstrap = bootstrap
    self.process = Mutex(process)
    self.folder = folder
  }

  /// `nil` where no broker is installed.
  static func start() async throws -> BenchBroker? {
    guard let binary = binary() else { return nil }
    let folder = FileManager.default.temporaryDirectory.appending(path: "baton-bench-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    // Ports above the ephemeral range's start are rarely taken; a taken one shows at once.
    let port = Int.random(in: 20_000..<30_000)
    let process = Process()
    process.executableURL = URL(filePath: binary)
    process.arguments = [
      "start", "--only", "kafka", "--kafka-port", "\(port)", "--data-dir",
      folder.path(percentEncoded: false),
    ]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    let broker = BenchBroker(bootstrap: "127.0.0.1:\(port)", process: process, folder: folder)
    // Known before it runs, so that no signal finds it running and unknown.
    running.withLock { $0 = broker }
    do {
      try broker.launch()
    } catch {
      broker.stop()
      throw error
    }
    return broker
  }

  /// Under the lock that ``stop()`` takes: who is stopped meanwhile does not start any more.
  private func launch() throws {
    try process.withLock { process throws in
      guard let process else { throw CancellationError() }
      try process.run()
    }
  }

  /// Runs `body`, and ends the program where the broker does not answer for a minute: what is
  /// measured would go on trying for ever.
  ///
  /// A minute, for a broker that shares the cores with what is measured may be slow.
  static func watching<Value>(
    _ bootstrap: String, _ body: () async throws -> Value
  ) async throws -> Value {
    let servers = bootstrap.split(separator: ",").map { String($0) }
    return try await withThrowingTaskGroup { group in
      group.addTask {
        let admin = try KafkaAdmin(
          KafkaConfiguration(bootstrapServers: servers, clientID: "baton-bench-watch"))
        var answered = ContinuousClock.now
        while !Task.isCancelled {
          if (try? await admin.answer(within: .seconds(5))) != nil { answered = .now }
          if ContinuousClock.now - answered > silenceMax { giveUp(on: bootstrap) }
          try? await Task.sleep(for: .seconds(1))
        }
        await admin.close()
      }
      defer { group.cancelAll() }
      return try await body()
    }
  }

  private static let silenceMax: Duration = .seconds(60)

  private static func giveUp(on bootstrap: String) -> Never {
    stopRunning()
    CommandFailure(
      .unavailable, "The broker at \(bootstrap) has not answered for a minute.",
      advice: "See that it runs, and bench again on an empty one."
    ).printAndExit()
  }

  /// Ends the one that runs.
  static func stopRunning() {
    let broker = running.withLock { running in
      defer { running = nil }
      return running
    }
    broker?.stop()
  }

  /// Processor time of the broker so far (proc(5), stat: fields 14 and 15, in hundredths).
  var processorSeconds: Double {
    let id = process.withLock { $0?.processIdentifier ?? 0 }
    let text = (try? String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8)) ?? ""
    // Behind the name in brackets, which may hold anything, the third field is the next.
    let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
    return fields.dropFirst(11).prefix(2).compactMap { Double($0) }.reduce(0, +) / 100
  }

  func stop() {
    process.withLock { process in
      // Threads of the concurrency pool block signals, and the broker inherited that: it would
      // not hear SIGTERM, and has nothing worth saving.
      if let process, process.isRunning {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
      }
      process = nil
    }
    try? FileManager.default.removeItem(at: folder)
  }

  private static func binary() -> String? {
    let environment = ProcessInfo.processInfo.environment
    let path = environment["PATH", default: ""].split(separator: ":").map { "\($0)/noida-db" }
    return ([environment["BATON_NOIDA_DB"]].compactMap { $0 } + path)
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }
}
