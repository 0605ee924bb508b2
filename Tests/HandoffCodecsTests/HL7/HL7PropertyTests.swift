import HandoffCore
import TestSupport
import Testing

@testable import HandoffCodecs

struct HL7PropertyTests {
  private func map(_ text: String) -> MappingOutcome {
    var context = MappingContext()
    context.organisations = ["EXT": ODSCode("A12345")].compactMapValues(\.self)
    return HL7Mapper(context: context).map(Array(text.utf8))
  }

  @Test(arguments: 0..<400 as Range<UInt64>)
  func `a message says the same however it is written`(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    for rendering in HL7Rendering.all {
      let plain = try #require(map(rendering.plain).message, "\(rendering.type)")
      #expect(!plain.facts.isEmpty, "\(rendering.type)")
      let other = map(rendering.random(&generator))
      #expect(
        other.message == plain,
        "\(rendering.type), seed \(seed), \(other.reason ?? "other facts")")
    }
  }

  @Test func `a message of any kind cut short at any byte is read or refused, and never crashes`() {
    for rendering in HL7Rendering.all {
      let bytes = Array(rendering.plain.utf8)
      let whole = map(rendering.plain).message
      for length in 0..<bytes.count {
        let frames = FrameMapper().map(Array(bytes.prefix(length)))
        #expect(frames.count == 1)
        // The last segment's end is not needed; anything shorter than MSH is no message.
        if length < 30 { #expect(frames[0].outcome.message == nil, "\(length)") }
      }
      #expect(whole != nil)
    }
  }

  @Test(arguments: 0..<300 as Range<UInt64>)
  func `bytes changed, put in or taken out never crash, and every message has an outcome`(
    seed: UInt64
  ) {
    var generator = SeededGenerator(seed: seed)
    for rendering in HL7Rendering.all {
      var bytes = Array(rendering.random(&generator).utf8)
      for _ in 0..<Int.random(in: 1...16, using: &generator) {
        let place = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0...3, using: &generator) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
        case 1: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: place)
        case 2 where bytes.count > 1: bytes.remove(at: place)
        default:
          let end = min(bytes.count, place + Int.random(in: 0...40, using: &generator))
          bytes.insert(contentsOf: bytes[place..<end], at: place)
        }
      }
      let frames = FrameMapper().map(bytes)
      #expect(!frames.isEmpty, "seed \(seed)")
      for frame in frames {
        #expect(frame.range.upperBound <= bytes.count)
        guard let message = frame.outcome.message else { continue }
        #expect(message.unproven.isEmpty, "seed \(seed): \(message.unproven)")
        for fact in message.facts {
          #expect(fact.unproven.isEmpty, "seed \(seed): \(fact.unproven)")
        }
        _ = HL7LostContent.fields(Array(bytes[frame.range]), after: message)
      }
    }
  }

  @Test(arguments: 0..<100 as Range<UInt64>)
  func `files of random pieces of batches never crash, and parts stay in bounds`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let pieces = [
      "FHS|^~\\&|A\r", "BHS|^~\\&|A\r", "BTS|1\r", "BTS|2\r", "FTS|1\r", "FTS\r", "\r\r", "NTE|1\r",
      HL7Fixture.header("ADT^A01") + HL7Fixture.patient, "\u{0B}", "\u{1C}\r", "MSH", "x",
    ]
    let text = (0..<Int.random(in: 1...12, using: &generator))
      .compactMap { _ in pieces.randomElement(using: &generator) }.joined()
    let bytes = Array(text.utf8)
    var end = 0
    for part in HL7File.split(bytes, limits: .init()) {
      #expect(part.range.lowerBound >= end && part.range.upperBound <= bytes.count, "seed \(seed)")
      end = part.range.lowerBound
    }
  }
}
