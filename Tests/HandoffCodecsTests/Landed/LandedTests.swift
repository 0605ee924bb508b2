import Foundation
import HandoffCodecs
import HandoffCore
import TestSupport
import Testing

/// Records that earlier versions wrote are read by this one, and mean what they meant.
@Suite struct `Earlier versions` {
  /// State of these versions is of another layout: it is refused by that name, and the reconciler
  /// makes it anew from the events.
  private static let madeAnew: Set<Int> = []

  @Test func `have landed, one after the other`() {
    #expect(!LandedVersion.all.isEmpty)
    #expect(LandedVersion.all.map(\.number) == Array(1...max(1, LandedVersion.all.count)))
  }

  @Test(arguments: LandedVersion.all)
  func `wrote records that are read, and mean what they meant`(version: LandedVersion) throws {
    let lines = try version.lines("records.ndjson")
    let meanings = try version.lines("meaning.ndjson")
    #expect(lines.count == meanings.count && lines.count > 80)
    for (number, (line, meaning)) in zip(lines, meanings).enumerated() {
      let stored = try #require(try NDJSON.parse(line).stored)
      #expect(NDJSON.line(stored) == line, "line \(number + 1)")
      let then = try JSONTree(meaning).abridged
      if stored.coordinates.topic.contains("state"), Self.madeAnew.contains(version.number) {
        #expect(throws: WireError.self) { try Reread.typed(stored) }
        continue
      }
      // Through the types of today and back, so that a field which is no longer read is missed.
      let record = StoredRecord(
        record: try Reread.typed(stored), coordinates: stored.coordinates,
        brokerAt: stored.brokerAt)
      let now = try JSONTree(NDJSON.line(record, form: .decoded))
      #expect(
        now["data"].contains(then["data"]), "line \(number + 1): \(then["type"].text ?? "?")")
      for name in ["id", "source", "type", "time", "subject", "partitionkey"] {
        #expect(now[name] == then[name], "line \(number + 1): \(name)")
      }
    }
  }

  @Test(arguments: LandedVersion.all)
  func `took submissions that are still taken, and say the same`(version: LandedVersion) throws {
    let lines = try version.lines("submissions.ndjson")
    let said = try version.lines("submissions.txt").map { String(decoding: $0, as: UTF8.self) }
    #expect(lines.map { Reread.submission($0) } == said)
    #expect(!said.isEmpty && !said.contains { $0.contains("refused") })
  }

  @Test func `will have this one among them, with every kind of record`() throws {
    let records = try LandedRecords().all
    let types = Set(try records.map { try JSONTree(NDJSON.line($0, form: .decoded))["type"].text })
    let names = RecordSchemas(try ProtoSource.contract()).onTopics.map(\.name)
    #expect(types == Set(names.map { "\(ProtoSource.package).\($0)" }))
    guard let folder = LandedVersion.landing else { return }
    func write(_ name: String, _ lines: [[UInt8]]) throws {
      try Data(lines.flatMap { $0 + [0x0a] }).write(to: folder.appending(path: name))
    }
    try write("records.ndjson", records.map { NDJSON.line($0) })
    try write("meaning.ndjson", records.map { NDJSON.line($0, form: .decoded) })
    let submissions = LandedRecords.submissions.map { Array($0.utf8) }
    try write("submissions.ndjson", submissions)
    try write("submissions.txt", submissions.map { Array(Reread.submission($0).utf8) })
  }
}

extension JSONTree {
  /// Without what version 5 of the rules no longer keeps of remembered records (decisions 0126, 0155).
  fileprivate var abridged: JSONTree {
    switch self {
    case .object(let members):
      // Evidence and the link to another key have whole hashes still.
      let isRemembered = !members.contains { $0.name == "coordinates" || $0.name == "direction" }
      return .object(
        members.compactMap { member in
          switch (member.name, member.value) {
          case ("isAbridged", _): return nil
          case ("evidence", _), ("heardIn", _): return member
          case ("recordHash", .string(let text)) where isRemembered:
            let whole = Data(base64Encoded: text) ?? Data()
            let half = (whole.prefix(16) + Data(count: 16)).base64EncodedString()
            return Member(member.name, .string(half))
          case ("requestHash", .string(let text)), ("contentHash", .string(let text)):
            let tail = (UInt64(text) ?? 0) & 0xffff_ffff_ffff
            return Member(member.name, .string("\(tail)"))
          default: return Member(member.name, member.value.abridged)
          }
        })
    case .array(let elements): return .array(elements.map(\.abridged))
    default: return self
    }
  }
}
