import HandoffCore
import Testing

@testable import HandoffCodecs

@Suite struct ProtobufWriterTests {
  private func varint(_ value: Int) -> [UInt8] {
    value < 0x80 ? [UInt8(value)] : [UInt8(value & 0x7f) | 0x80] + varint(value >> 7)
  }

  /// Lengths on both sides of where one more byte is needed to say them.
  @Test(arguments: [
    0, 1, 63, 124, 125, 126, 127, 128, 16_380, 16_381, 16_384, 2_097_148, 2_097_152,
  ])
  func `a message in a message has its length before it, however many bytes that takes`(
    count: Int
  ) {
    let payload = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    var writer = ProtobufWriter()
    writer.nested(1) { outer in
      outer.flag(3, true)
      let start = outer.open(200)
      outer.present(1, bytes: payload)
      outer.close(start)
      outer.fixed64(2, 0x0102_0304_0506_0708)
    }
    writer.unsigned(15, 300 as UInt32)
    writer.unsigned(16, 1 as UInt32)

    let inner = [0x0a] + varint(count) + payload
    let outer: [UInt8] =
      [0x18, 1] + varint(200 << 3 | 2) + varint(inner.count) + inner
      + [0x11, 8, 7, 6, 5, 4, 3, 2, 1]
    let end: [UInt8] = [0x78] + varint(300) + varint(16 << 3) + [1]
    #expect(writer.bytes == [0x0a] + varint(outer.count) + outer + end)
  }

  @Test(arguments: 1...40)
  func `a code of any length is its letters, and what follows stands right behind`(length: Int)
    throws
  {
    let text = String(String(repeating: "abcdefghij", count: 4).prefix(length))
    let code = try #require(Code(text))
    var writer = ProtobufWriter(capacity: 0)
    writer.code(1, code)
    writer.code(17, code)
    writer.flag(2, true)
    let letters = Array(text.utf8)
    #expect(
      writer.bytes == [0x0a] + varint(length) + letters + varint(17 << 3 | 2) + varint(length)
        + letters + [0x10, 1])
  }

  @Test func `a writer that begins again keeps nothing of what it wrote before`() {
    var writer = ProtobufWriter()
    writer.bytes(1, Array(repeating: 0xff, count: 500))
    writer.begin()
    #expect(writer.bytes.isEmpty)
    writer.nested(1) { _ in }
    writer.text(2, "ab")
    #expect(writer.bytes == [0x0a, 0, 0x12, 2, 0x61, 0x62])
  }
}
