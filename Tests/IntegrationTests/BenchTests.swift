import Foundation
import TestSupport
import Testing

private let canRun = TestBroker.binary != nil && BatonExecutable.url != nil

@Suite struct `A bench` {
  @Test(.enabled(if: canRun, "it starts a noida-db of its own, and there is none"))
  func `that is told to end takes the broker it started along`() async throws {
    let folder = try TemporaryFolder()
    let bench = try BatonExecutable.start(
      ["bench", "--part", "pipeline"],
      environment: [
        "BATON_NOIDA_DB": try #require(TestBroker.binary),
        "TMPDIR": folder.url.path(percentEncoded: false),
      ], folder: folder.url)
    try bench.run()
    let deadline = ContinuousClock.now + .seconds(300)
    var broker: Int32?
    while broker == nil, ContinuousClock.now < deadline {
      // Another process runs to its end between two looks, so that the loop does not spin.
      _ = try await BatonExecutable.run(["--version"])
      broker = Self.child(of: bench.processIdentifier)
    }
    let started = try #require(broker)
    kill(bench.processIdentifier, SIGTERM)
    bench.waitUntilExit()
    #expect(bench.terminationReason == .exit)
    #expect(bench.terminationStatus == 128 + SIGTERM)
    #expect(kill(started, 0) == -1, "the broker outlived the bench")
    let left = try FileManager.default.contentsOfDirectory(
      atPath: folder.url.path(percentEncoded: false))
    #expect(left.filter { $0.hasPrefix("baton-bench-") } == [])
  }

  /// A process that another has started (proc(5), stat: the second field behind the name).
  private static func child(of parent: Int32) -> Int32? {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return names.compactMap { Int32($0) }.first { id in
      let stat = (try? String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8)) ?? ""
      let fields = stat.split(separator: ")").last?.split(separator: " ") ?? []
      return fields.count > 1 && fields[1] == "\(parent)"
    }
  }
}
