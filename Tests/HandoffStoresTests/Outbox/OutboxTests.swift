import Foundation
import HandoffCore
import Testing

@testable import HandoffStores

/// A folder of its own, gone with the test.
final class TemporaryFolder: Sendable {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "baton-" + UUID().uuidString
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { path + "/" + name }

  /// All bytes of all files.
  func contents() throws -> Data {
    var all = Data()
    for name in try FileManager.default.contentsOfDirectory(atPath: path).sorted() {
      all += try Data(contentsOf: URL(fileURLWithPath: file(name)))
    }
    return all
  }
}

struct OutboxTests {
  private let folder: TemporaryFolder
  private let source: Code
  private let rail: Code

  init() throws {
    folder = try TemporaryFolder()
    source = try #require(Code("mllp-1"))
    rail = try #require(Code("mllp"))
  }

  private func open(_ limits: OutboxLimits = OutboxLimits()) throws(OutboxError) -> Outbox {
    try Outbox(path: folder.file("outbox.sqlite"), limits: limits) {
      Timestamp(milliseconds: 1_700_000_000_000)
    }
  }

  private func frame(_ text: String, at milliseconds: Int64 = 5) -> NewFrame {
    NewFrame(
      source: source, rail: rail, receivedAt: Timestamp(milliseconds: milliseconds),
      bytes: Array(text.utf8))
  }

  @Test func `what was committed is there after the outbox is opened again`() async throws {
    var outbox = try open()
    let ids = try await outbox.commit([frame("one"), frame("two")])
    await outbox.close()
    outbox = try open()
    let stored = try await outbox.pending(limit: 10)
    #expect(stored.map(\.receptionID) == ids)
    #expect(stored.map { String(decoding: $0.bytes, as: UTF8.self) } == ["one", "two"])
    #expect(stored.map(\.receivedAt.milliseconds) == [5, 5])
    #expect(outbox.level == OutboxLevel(rowCount: 2, byteCount: 6))
    await outbox.close()
  }

  @Test func `a commit is on the disk before it is answered`() async throws {
    let outbox = try open()
    _ = try await outbox.commit([frame("durable before the answer")])
    // Read as a crash would leave it: the files alone, without the process that wrote them.
    let copy = try TemporaryFolder()
    for name in ["outbox.sqlite", "outbox.sqlite-wal"] {
      try FileManager.default.copyItem(atPath: folder.file(name), toPath: copy.file(name))
    }
    let survivor = try Outbox(path: copy.file("outbox.sqlite")) { .distantPast }
    #expect(try await survivor.pending(limit: 1).count == 1)
    await survivor.close()
    await outbox.close()
  }

  @Test func `callers that come together share commits and get ids in one order`() async throws {
    let outbox = try open()
    let ids = try await withThrowingTaskGroup(of: ReceptionID.self) { group in
      for number in 0..<500 {
        group.addTask { try await outbox.commit([self.frame("frame \(number)")])[0] }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(Set(ids).count == 500)
    #expect(outbox.commitCount < 500)
    let stored = try await outbox.pending(limit: 1_000)
    #expect(stored.map(\.receptionID) == ids.sorted())
    await outbox.close()
  }

  @Test func `a full outbox refuses by name and takes frames again once some are published`()
    async throws
  {
    var limits = OutboxLimits()
    limits.rowCountMax = 2
    limits.byteCountMax = 10
    limits.frameByteCountMax = 8
    let outbox = try open(limits)
    await #expect(throws: OutboxError.full(limit: .frameBytes)) {
      try await outbox.commit([frame("123456789")])
    }
    _ = try await outbox.commit([frame("12345678")])
    await #expect(throws: OutboxError.full(limit: .bytes)) {
      try await outbox.commit([frame("123")])
    }
    _ = try await outbox.commit([frame("1")])
    await #expect(throws: OutboxError.full(limit: .rows)) {
      try await outbox.commit([frame("1")])
    }
    var settlement = OutboxSettlement()
    settlement.published = try await outbox.pending(limit: 1).map(\.sequence)
    try await outbox.settle(settlement)
    _ = try await outbox.commit([frame("123")])
    #expect(outbox.level == OutboxLevel(rowCount: 2, byteCount: 4))
    await outbox.close()
  }

  @Test func `a full disk is an error, takes nothing in and leaves the outbox usable`()
    async throws
  {
    var limits = OutboxLimits()
    limits.fileByteCountMax = 256 * 1_024
    let outbox = try open(limits)
    await #expect(throws: OutboxError.diskFull) {
      try await outbox.commit([frame(String(repeating: "x", count: 1_000_000))])
    }
    #expect(outbox.level == OutboxLevel(rowCount: 0, byteCount: 0))
    #expect(try await outbox.commit([frame("small")]).count == 1)
    #expect(try await outbox.pending(limit: 10).count == 1)
    await outbox.close()
  }

  @Test func `an outbox that cannot be written says so`() throws {
    #expect(throws: OutboxError.notWritable) {
      _ = try Outbox(path: "/proc/baton/outbox.sqlite") { .distantPast }
    }
  }

  @Test func `a second owner is refused`() async throws {
    let outbox = try open()
    #expect(throws: OutboxError.inUse) { _ = try open() }
    await outbox.close()
  }

  @Test func `a closed outbox takes nothing`() async throws {
    let outbox = try open()
    await outbox.close()
    await #expect(throws: OutboxError.closed) { try await outbox.commit([frame("late")]) }
  }

  @Test func `parked frames are out of the line until their token comes`() async throws {
    let outbox = try open()
    _ = try await outbox.commit([frame("answer", at: 1), frame("other", at: 2)])
    let token = Token(rawValue: 7)
    var settlement = OutboxSettlement()
    settlement.parked = [(try await outbox.pending(limit: 1)[0].sequence, token)]
    try await outbox.settle(settlement)
    #expect(try await outbox.pending(limit: 9).map(\.receivedAt.milliseconds) == [2])
    #expect(try await outbox.unpark([Token(rawValue: 8)]) == 0)
    #expect(
      try await outbox.parked(receivedBefore: Timestamp(milliseconds: 2), limit: 9).count == 1)
    #expect(
      try await outbox.parked(receivedBefore: Timestamp(milliseconds: 1), limit: 9).isEmpty)
    #expect(try await outbox.unpark([token]) == 1)
    #expect(try await outbox.pending(limit: 9).map(\.receivedAt.milliseconds) == [1, 2])
    await outbox.close()
  }

  @Test func `published frames leave no byte in any file`() async throws {
    let outbox = try open()
    let secret = "CANARY-" + String(repeating: "Zz9", count: 5_000)
    _ = try await outbox.commit([frame(secret), frame(secret)])
    #expect(try folder.contents().range(of: Data("CANARY-Zz9".utf8)) != nil)
    var settlement = OutboxSettlement()
    settlement.published = try await outbox.pending(limit: 9).map(\.sequence)
    try await outbox.settle(settlement)
    #expect(try folder.contents().range(of: Data("Zz9Zz9".utf8)) == nil)
    await outbox.close()
  }

  @Test func `only its owner may read the outbox and its log`() async throws {
    let outbox = try open()
    _ = try await outbox.commit([frame("one")])
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
      let attributes = try FileManager.default.attributesOfItem(atPath: folder.file(name))
      #expect(attributes[.posixPermissions] as? Int == 0o600, "\(name)")
    }
    await outbox.close()
  }

  @Test func `a claim is stored with its frames and survives until it is released`()
    async throws
  {
    var outbox = try open()
    let claim = FileClaim(bytes: Array(repeating: 3, count: 32))
    #expect(try await !outbox.isClaimed(claim))
    _ = try await outbox.commit([frame("one")], claim: claim)
    await outbox.close()
    outbox = try open()
    #expect(try await outbox.isClaimed(claim))
    try await outbox.release(claim)
    #expect(try await !outbox.isClaimed(claim))
    await outbox.close()
  }

  @Test func `totals count frames as they come and events as they are published`() async throws {
    let outbox = try open()
    _ = try await outbox.commit([frame("one", at: 9), frame("two", at: 4)])
    #expect(try await outbox.oldestPending()[source]?.milliseconds == 4)
    var settlement = OutboxSettlement()
    settlement.published = try await outbox.pending(limit: 9).map(\.sequence)
    var delta = SourceTotals()
    delta.events = 3
    delta.refusals = 1
    delta.lastSequence = 42
    settlement.totals = [source: delta]
    try await outbox.settle(settlement)
    delta.frames = 2
    #expect(try await outbox.totals() == [source: delta])
    #expect(try await outbox.oldestPending().isEmpty)
    await outbox.close()
  }
}

struct ReceptionIDTests {
  @Test func `ids are UUIDv7 of the clock's time and always increase`() {
    var generator = ReceptionIDGenerator()
    var random = SystemRandomNumberGenerator()
    // Forward, standing still, and back.
    let times: [Int64] = [1_000, 1_001] + Array(repeating: 1_001, count: 500) + [900, 1_002]
    var last = ReceptionID(rawValue: 0)
    for time in times {
      let id = generator.next(at: Timestamp(milliseconds: time), using: &random)
      #expect(id > last)
      #expect(id.bytes[6] >> 4 == 7)
      #expect(id.bytes[8] >> 6 == 0b10)
      #expect(id.rawValue >> 80 == UInt128(max(time, Int64(last.rawValue >> 80))))
      last = id
    }
  }
}
