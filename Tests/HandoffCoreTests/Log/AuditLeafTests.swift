import HandoffCore
import Testing

private let sample = AuditLeaf(
  topic: "handoff.events.v1", partition: 7, offset: 123_456, brokerTimeMs: 1_795_000_000_123,
  key: .bytes(Array("1.ab".utf8)),
  headersHash: RecordHash(ofStored: AuditLeaf.canonicalBytes(of: [])),
  recordHash: RecordHash(ofStored: [1, 2, 3]), previous: 41)

@Suite struct AuditLeafTests {
  @Test func `the entry's bytes are exactly those of version 1`() {
    let expected =
      "01" + "11" + "68616e646f66662e6576656e74732e7631" + "00000007" + "000000000001e240"
      + "000001a1ee565e7b" + "01" + "0004" + "312e6162"
      + "df3f619804a92fdb4057192dc43dd748ea778adc52bc498ce80524c014b81119" + "01"
      + "039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81" + "01"
      + "0000000000000029"
    #expect(hexadecimal(sample.bytes) == expected)
  }

  @Test func `every form of an entry is read back`() {
    let keys: [[UInt8]?] = [
      nil, [], [1], Array(repeating: 7, count: 1024),
      Array(repeating: 7, count: 1025),
    ]
    for key in keys {
      for record in [nil, sample.recordHash] {
        for previous in [nil, 0, UInt64.max] as [UInt64?] {
          var leaf = sample
          leaf.key = AuditLeaf.Key(key)
          leaf.recordHash = record
          leaf.previous = previous
          leaf.offset = .max
          leaf.brokerTimeMs = -1
          #expect(AuditLeaf(bytes: leaf.bytes) == leaf)
        }
      }
    }
  }

  @Test func `two entries that differ in anything have other bytes`() {
    var variants = [sample]
    func add(_ change: (inout AuditLeaf) -> Void) {
      var leaf = sample
      change(&leaf)
      variants.append(leaf)
    }
    add { $0.topic = "handoff.events.v2" }
    add { $0.partition = -1 }
    add { $0.offset += 1 }
    add { $0.brokerTimeMs -= 1 }
    add { $0.key = .none }
    add { $0.key = .bytes([]) }
    add { $0.headersHash = RecordHash(ofStored: []) }
    add { $0.recordHash = nil }
    add { $0.previous = nil }
    add { $0.previous = 0 }
    #expect(Set(variants.map(\.hash)).count == variants.count)
  }

  @Test func `an entry with any byte cut off, added or of another version is refused`() {
    let bytes = sample.bytes
    for count in bytes.indices { #expect(AuditLeaf(bytes: Array(bytes.prefix(count))) == nil) }
    #expect(AuditLeaf(bytes: bytes + [0]) == nil)
    #expect(AuditLeaf(bytes: [2] + bytes.dropFirst()) == nil)
  }

  @Test func `headers keep their order, repeats and absent values`() {
    let headers = [
      LoggedHeader(name: "ce_type", value: Array("x".utf8)), LoggedHeader(name: "a", value: nil),
      LoggedHeader(name: "a", value: []), LoggedHeader(name: "", value: [0, 255]),
    ]
    let bytes = AuditLeaf.canonicalBytes(of: headers)
    #expect(AuditLeaf.headers(of: bytes) == headers)
    #expect(AuditLeaf.headers(of: bytes + [0]) == nil)
    for count in bytes.indices { #expect(AuditLeaf.headers(of: Array(bytes.prefix(count))) == nil) }
    #expect(
      Set(
        [headers, headers.reversed(), [], Array(headers.dropLast())].map {
          AuditLeaf.canonicalBytes(of: $0)
        }
      ).count == 4)
  }
}
