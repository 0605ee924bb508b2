import Foundation
import GRDB
import HandoffCodecs
import HandoffCore
import Testing

@testable import HandoffStores

/// Requests that their senders number, and send again when they heard nothing.
struct RequestClaimTests {
  private let folder: TemporaryFolder
  private let source: Code

  init() throws {
    folder = try TemporaryFolder()
    source = try #require(Code("bars"))
  }

  private func outbox(
    _ limits: OutboxLimits = OutboxLimits(), at time: Int64 = 0
  ) throws -> Outbox {
    try Outbox(path: folder.file("outbox.sqlite"), limits: limits) {
      Timestamp(milliseconds: time)
    }
  }

  private func frame(_ text: String) -> NewFrame {
    NewFrame(
      source: source, rail: source, receivedAt: Timestamp(milliseconds: 0),
      bytes: Array(text.utf8),
      transport: TransportHeaders(requestID: "r-\(text)", correlationID: "c"))
  }

  private func claim(_ key: UInt8, _ content: UInt8 = 0) -> RequestClaim {
    RequestClaim(
      key: Array(repeating: key, count: 32), content: Array(repeating: content, count: 32))
  }

  @Test
  func `a request is taken in once, also after a restart, and another under its number never`()
    async throws
  {
    var box = try outbox()
    guard case .taken(let ids) = try await box.commit([frame("a")], request: claim(1)) else {
      Issue.record("not taken")
      return
    }
    #expect(ids.count == 1)
    for _ in 0..<2 {
      #expect(
        try await box.commit([frame("a")], request: claim(1)) == .repeated(isSame: true))
      #expect(
        try await box.commit([frame("b")], request: claim(1, 9)) == .repeated(isSame: false))
      #expect(box.level == OutboxLevel(rowCount: 1, byteCount: 1))
      await box.close()
      box = try outbox()
    }
    let pending = try await box.pending(limit: 9)
    #expect(pending.map(\.bytes) == [Array("a".utf8)])
    #expect(pending.first?.transport == TransportHeaders(requestID: "r-a", correlationID: "c"))
    #expect(try await box.totals()[source]?.frames == 1)
    await box.close()
  }

  @Test func `an outbox of an earlier version gets its new column, and keeps its frames`()
    async throws
  {
    let first = try outbox()
    _ = try await first.commit([frame("a")])
    await first.close()
    let database = try DatabaseQueue(path: folder.file("outbox.sqlite"))
    try await database.write { try $0.execute(sql: "ALTER TABLE frames DROP COLUMN transport") }
    try database.close()
    let again = try outbox()
    _ = try await again.commit([frame("b")], request: claim(1))
    let pending = try await again.pending(limit: 9)
    #expect(pending.map(\.transport?.requestID) == [nil, "r-b"])
    await again.close()
  }

  @Test func `many that come together under one number are one`() async throws {
    let box = try outbox()
    let outcomes = try await withThrowingTaskGroup(of: RequestOutcome.self) { group in
      for _ in 0..<50 {
        group.addTask { try await box.commit([frame("a")], request: claim(1)) }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(outcomes.filter { $0 == .repeated(isSame: true) }.count == 49)
    #expect(box.level.rowCount == 1)
    await box.close()
  }

  @Test func `numbers are forgotten when they are too many, the oldest first`() async throws {
    var limits = OutboxLimits()
    limits.requestCountMax = 20
    for number in 0..<30 {
      let box = try outbox(limits, at: Int64(number))
      _ = try await box.commit([frame("a")], request: claim(UInt8(number)))
      await box.close()
    }
    let box = try outbox(limits, at: 30)
    #expect(try await box.commit([frame("a")], request: claim(29)) == .repeated(isSame: true))
    #expect(try await box.commit([frame("a")], request: claim(0)) != .repeated(isSame: true))
    await box.close()
  }

  @Test func `numbers are forgotten when they are too old`() async throws {
    var limits = OutboxLimits()
    limits.requestAgeMax = .minutes(1)
    let first = try outbox(limits)
    _ = try await first.commit([frame("a")], request: claim(1))
    await first.close()
    let later = try outbox(limits, at: 61_000)
    _ = try await later.commit([frame("a")], request: claim(2))
    #expect(try await later.commit([frame("a")], request: claim(1)) != .repeated(isSame: true))
    await later.close()
  }
}
