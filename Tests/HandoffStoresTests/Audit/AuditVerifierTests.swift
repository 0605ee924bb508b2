import Foundation
import GRDB
import HandoffCore
import HandoffStores
import TestSupport
import Testing

@Suite struct AuditVerifierTests {
  /// 300 records under a checkpoint: a full tile, a partial one, and an upper one.
  private func sample(_ count: Int = 300) async throws -> AuditSample {
    let sample = try AuditSample()
    try await sample.store.append(AuditSample.records(count))
    _ = try await sample.store.publish(by: sample.signer)
    try sample.store.close()
    return sample
  }

  private static let blobColumns = ["key", "headers", "value", "record_hash", "leaf_hash"]

  @Test(arguments: blobColumns)
  func `every byte of a row's column is covered, and a change names the column`(
    column: String
  ) async throws {
    let sample = try await sample(30)
    // Offset 6 is an alert: all its columns are set. Its leaf is the fourth.
    let database = try DatabaseQueue(path: "\(sample.path)/audit.sqlite")
    let id = try await database.read {
      try Int64.fetchOne($0, sql: #"SELECT id FROM record WHERE "offset" = 6"#)
    }
    let bytes = try await database.read {
      try Data.fetchOne($0, sql: "SELECT \(column) FROM record WHERE id = ?", arguments: [id])
    }
    let original = try #require(bytes)
    for place in stride(from: 0, to: original.count, by: max(1, original.count / 40)) {
      var changed = original
      changed[place] ^= 1 << UInt8(place % 8)
      try sample.tamper(
        "UPDATE record SET \(column) = ? WHERE id = ?", [changed, id])
      #expect(
        try await sample.places()
          == ["handoff.events.v1/3 offset 6 (leaf 4), column \(column)"], "byte \(place)")
    }
    for changed in [original.dropLast(), original + [0], Data()] as [Data] {
      try sample.tamper("UPDATE record SET \(column) = ? WHERE id = ?", [changed, id])
      #expect(
        try await sample.places()
          == ["handoff.events.v1/3 offset 6 (leaf 4), column \(column)"])
    }
    try sample.tamper("UPDATE record SET \(column) = ? WHERE id = ?", [original, id])
    #expect(try await sample.verify().isSound)
  }

  @Test(arguments: [
    ("offset", #""offset" = 8"#), ("broker_time", "broker_time = broker_time + 1"),
    ("key", "key = NULL"), ("value", "value = NULL"), ("record_hash", "record_hash = NULL"),
    ("previous", "previous = coalesce(previous, -1) + 1"), ("ce_type", "ce_type = 'x'"),
    ("ce_type", "ce_type = NULL"), ("type", "type = 'A07.resolved'"),
    ("handoff_id", "handoff_id = NULL"), ("alert_id", "alert_id = upper(hex(randomblob(16)))"),
    ("sender", "sender = 'ods:XXX'"), ("receiver", "receiver = 'ods:XXX'"),
    ("kind", "kind = 'other'"),
  ])
  func `a changed column is named`(column: String, change: String) async throws {
    let sample = try await sample(30)
    try sample.tamper(#"UPDATE record SET \#(change) WHERE "offset" = 6"#)
    #expect(
      try await sample.places() == ["handoff.events.v1/3 offset 6 (leaf 4), column \(column)"])
  }

  @Test func `a row deleted, moved or added is named`() async throws {
    let sample = try await sample()
    try sample.tamper(#"DELETE FROM record WHERE "offset" = 6"#)
    #expect(try await sample.places() == ["handoff.events.v1/3 offset 6 (leaf 4)"])

    let second = try await self.sample()
    try second.tamper(#"UPDATE record SET id = id + 100000 WHERE "offset" = 6"#)
    let places = try await second.places()
    #expect(places.contains("handoff.events.v1/3 offset 6 (leaf 4)"))

    let third = try await self.sample()
    try third.tamper(
      """
      INSERT INTO record (id, "offset", broker_time, headers, leaf_hash, type)
      SELECT max(id) + 1, 100000, 1, x'00000000', zeroblob(32), 'unknown' FROM record
      """)
    #expect(try await third.places().contains("handoff.events.v1/3 table log, column tree_size"))

    let last = try await self.sample()
    try last.tamper("DELETE FROM record WHERE id = (SELECT max(id) FROM record)")
    #expect(try await last.places().contains { $0.hasSuffix("(leaf 299)") })
  }

  @Test(arguments: [
    ("topic", "topic = 'handoff.other.v1'", "log/handoff.events.v1/3"),
    ("partition", "partition = 4", "log/handoff.events.v1/3"),
    ("next_offset", "next_offset = next_offset + 1", "column next_offset"),
    ("tree_size", "tree_size = 299", "column tree_size"),
    ("edge", "edge = zeroblob(length(edge))", "column edge"),
    ("checkpoint", "checkpoint = NULL", "column checkpoint"),
    ("checkpoint", "checkpoint = replace(checkpoint, 'log.', 'lag.')", "column checkpoint"),
    ("id", "id = id + 1", "table log"),
  ])
  func `a changed row of the table of logs is named`(
    column: String, change: String, place: String
  ) async throws {
    let sample = try await sample()
    try sample.tamper("UPDATE log SET \(change)")
    let places = try await sample.places()
    #expect(places.contains { $0.contains(place) }, "\(places)")
  }

  @Test func `a changed upper node is named`() async throws {
    let sample = try await sample()
    try sample.tamper("UPDATE node SET hash = zeroblob(32)")
    #expect(
      try await sample.places()
        == ["handoff.events.v1/3 table node, level 1, position 0, column hash"])
    try sample.tamper("DELETE FROM node")
    #expect(try await sample.places() == ["handoff.events.v1/3 table node, level 1"])
  }

  @Test(arguments: [
    "tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/000",
    "tile/entries/001.p/44",
  ])
  func `every byte of a tile is covered, and a change names the file`(path: String) async throws {
    let sample = try await sample()
    let url = URL(filePath: sample.file(path))
    let original = try Data(contentsOf: url)
    var generator = SeededGenerator(seed: UInt64(original.count))
    let some =
      [0, 1, original.count - 1]
      + (0..<10).map { _ in
        Int.random(in: 0..<original.count, using: &generator)
      }
    for place in some {
      var changed = original
      changed[place] ^= 1 << UInt8(place % 8)
      try changed.write(to: url)
      let places = try await sample.places()
      #expect(!places.isEmpty, "byte \(place)")
      #expect(places.allSatisfy { $0.hasPrefix("handoff.events.v1/3 \(path)") }, "\(places)")
    }
    try original.dropLast().write(to: url)
    #expect(try await sample.places() == ["handoff.events.v1/3 \(path)"])
    try FileManager.default.removeItem(at: url)
    #expect(try await sample.places() == ["handoff.events.v1/3 \(path)"])
    try original.write(to: url)
    #expect(try await sample.verify().isSound)
  }

  @Test func `a changed hash in a tile is named by its index`() async throws {
    let sample = try await sample()
    let url = URL(filePath: sample.file("tile/0/000"))
    var bytes = try Data(contentsOf: url)
    bytes[32 * 77 + 5] ^= 4
    try bytes.write(to: url)
    #expect(try await sample.places() == ["handoff.events.v1/3 tile/0/000, index 77"])
  }

  @Test func `any one byte of the checkpoint file changed is found`() async throws {
    let sample = try await sample(10)
    let url = URL(filePath: sample.file("checkpoint"))
    let original = try Data(contentsOf: url)
    for place in original.indices {
      var changed = original
      changed[place] ^= 1
      try changed.write(to: url)
      #expect(
        try await sample.places() == ["handoff.events.v1/3 file checkpoint"], "byte \(place)")
    }
  }

  @Test func `an older checkpoint put back is told from another history`() async throws {
    let sample = try AuditSample()
    let records = try AuditSample.records(40)
    try await sample.store.append(Array(records.prefix(20)))
    let old = try await sample.store.publish(by: sample.signer)
    try await sample.store.append(Array(records.dropFirst(20)))
    _ = try await sample.store.publish(by: sample.signer)
    let url = URL(filePath: sample.file("checkpoint"))
    try Data(try #require(old.first?.note).utf8).write(to: url)
    #expect(try await sample.verify().isSound)

    let forked = Checkpoint(
      origin: "log.example/handoff.events.v1/3", size: 20, root: .emptyTree)
    try Data(forked.signed(by: sample.signer).description.utf8).write(to: url)
    #expect(try await sample.places() == ["handoff.events.v1/3 checkpoint"])
  }

  @Test func `a file that belongs to no log is named, and a crash's leftovers are not`()
    async throws
  {
    let sample = try await sample()
    try Data([1]).write(to: URL(filePath: sample.file("tile/0/000.tmp")))
    #expect(try await sample.verify().isSound)
    try Data([1]).write(to: URL(filePath: sample.file("tile/0/0x0")))
    #expect(try await sample.places() == ["handoff.events.v1/3 tile/0/0x0"])
  }

  @Test func `a row changed together with its copies still does not reach the signed root`()
    async throws
  {
    let sample = try await sample()
    try sample.tamper(
      #"UPDATE record SET leaf_hash = zeroblob(32), key = x'00' WHERE "offset" = 6"#)
    for path in ["tile/0/000", "tile/entries/000"] {
      let url = URL(filePath: sample.file(path))
      var bytes = try Data(contentsOf: url)
      bytes[500] ^= 1
      try bytes.write(to: url)
    }
    let report = try await sample.verify()
    #expect(report.findings.contains { $0.explanation.contains("no copy") })
    #expect(report.findings.contains { $0.place.contains("offset 6 (leaf 4)") })
  }

  @Test(arguments: 0..<30 as Range<UInt64>)
  func `random damage to the database file never passes as sound rows`(seed: UInt64) async throws {
    let sample = try await sample(30)
    let path = "\(sample.path)/audit.sqlite"
    let value = try await DatabaseQueue(path: path).read {
      try Data.fetchOne($0, sql: #"SELECT value FROM record WHERE "offset" = 6"#)
    }
    var file = try Data(contentsOf: URL(filePath: path))
    let stored = try #require(value)
    let range = try #require(file.range(of: stored))
    var generator = SeededGenerator(seed: seed)
    let place = Int.random(in: range, using: &generator)
    file[place] ^= UInt8.random(in: 1...255, using: &generator)
    try file.write(to: URL(filePath: path))
    #expect(
      try await sample.places().first == "handoff.events.v1/3 offset 6 (leaf 4), column value")
  }
}
