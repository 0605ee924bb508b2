import Foundation
import HandoffBus
import HandoffConnectors
import HandoffCore
import HandoffStores
import Logging

/// HL7 v2 messages over MLLP, each answered only when it is on the disk.
struct MLLPBench {
  let sizes: BenchSizes

  /// Connections that send beside each other, as several interface engines would.
  private static let connectionCount = 8

  func run() async throws -> [BenchResult] {
    var rates: [Double] = []
    for _ in 0..<sizes.runs { rates.append(try await once()) }
    return [
      BenchResult(
        "MLLP, \(Self.connectionCount) connections, every answer durable", "messages/s", rates)
    ]
  }

  private func once() async throws -> Double {
    let folder = FileManager.default.temporaryDirectory.appending(path: "baton-bench-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let outbox = try Outbox(
      path: folder.appending(path: "outbox.sqlite").path(percentEncoded: false),
      now: ConnectStack.systemTime)
    let board = ConnectorBoard()
    guard let name = Code("bench") else { return 0 }
    var settings = MLLPSettings()
    settings.port = 0
    let host = ConnectorHost(
      [ConnectorConfiguration(name: name, source: .mllp(settings))], secrets: .generate(),
      outbox: outbox, board: board, logger: Logger(label: "baton.bench"),
      now: ConnectStack.systemTime)
    let seconds = try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await host.run() }
      defer { group.cancelAll() }
      while board[name]?.port == nil {
        try await ContinuousClock().sleep(for: .milliseconds(5))
      }
      return try await send(to: board[name]?.port ?? 0)
    }
    let stored = outbox.level.rowCount
    await outbox.close()
    guard stored == sizes.messages else { throw BenchFault.wrongCount }
    return Double(sizes.messages) / seconds
  }

  private func send(to port: Int) async throws -> Double {
    let pen = DemoPen(start: Date(timeIntervalSince1970: 1_780_000_000), run: "BENCH")
    let template = String(
      decoding: pen.referral("A", at: 0, to: .hospital, code: "306185001", priority: "R"),
      as: UTF8.self)
    let share = sizes.messages / Self.connectionCount
    let batches = (0..<Self.connectionCount).map { connection in
      let count = connection == 0 ? sizes.messages - share * (Self.connectionCount - 1) : share
      return (0..<count).map { number in
        Array(template.replacing("M-BENCH-A", with: "M-\(connection)-\(number)").utf8)
      }
    }
    let time = try await ContinuousClock().measure {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for batch in batches {
          group.addTask {
            let answers = try await MLLPSender(port: port).send(batch)
            guard answers.allSatisfy({ $0?.isAccepted ?? false }) else {
              throw BenchFault.wrongCount
            }
          }
        }
        try await group.waitForAll()
      }
    }
    return BenchMeter.seconds(time)
  }
}
