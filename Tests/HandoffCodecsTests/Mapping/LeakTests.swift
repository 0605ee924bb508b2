import HandoffCore
import TestSupport
import Testing

@testable import HandoffCodecs

/// Nothing that a message says may show in what is printed of it.
struct LeakTests {
  private static let canary = "KNRVGLQ"

  /// All that anybody could print of an outcome.
  private func prints(_ outcome: MappingOutcome) -> String {
    var text = "\(outcome) \(String(reflecting: outcome))"
    dump(outcome, to: &text)
    if case .refused(let error) = outcome {
      text += "\(error) \(error.code) \(error.field ?? "") \(error.explanation)"
      dump(error, to: &text)
    }
    if let message = outcome.message {
      text += "\(message) \(String(reflecting: message))"
      dump(message, to: &text)
      for fact in message.facts { dump(fact, to: &text) }
      if let person = message.person { dump(person, to: &text) }
    }
    return text
  }

  /// Puts a canary into one run of letters and digits after another; every third, from `offset`.
  private func poisoned(_ bytes: [UInt8], every: Int, offset: Int) -> [UInt8] {
    var result: [UInt8] = []
    var run: [UInt8] = []
    var count = 0
    func isWord(_ byte: UInt8) -> Bool {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "a")...UInt8(ascii: "z"):
        true
      default: false
      }
    }
    for byte in bytes + [0] {
      if byte != 0, isWord(byte) {
        run.append(byte)
        continue
      }
      if !run.isEmpty {
        count += 1
        let isHead = count == 1
        result += !isHead && count % every == offset ? Array(Self.canary.utf8) : run
        run = []
      }
      if byte != 0 { result.append(byte) }
    }
    return result
  }

  @Test(
    .enabled(if: PackageRoot.hasSamples, "../shared/samples is not here"), arguments: [1, 2, 7, 23])
  func `a canary in the words of a sample shows in nothing that prints`(every: Int) throws {
    var printed = 0
    for name in Samples.names {
      let bytes = try Samples.bytes(name)
      for offset in 0..<min(every, 4) {
        for frame in FrameMapper().map(poisoned(bytes, every: every, offset: offset)) {
          let text = prints(frame.outcome)
          printed += 1
          #expect(!text.uppercased().contains(Self.canary), "\(name), \(every), \(offset)")
        }
      }
    }
    #expect(printed > 100)
  }

  @Test func `a canary in every field of a message shows in nothing that prints`() {
    let segments = [
      HL7Fixture.header("REF^I12"), HL7Fixture.patient, HL7Fixture.referral, "ORC|NW|1\r",
      "PRD|RT|x\r", "EVN|A01|20261123090000\r", "MRG|1\r", "ERR||PID^1^3|204\r",
    ]
    for type in ["REF^I12", "RRI^I12", "ADT^A40", "ADT^A31", "ACK", "SIU^S12", "OMG^O19"] {
      for (segment, text) in segments.enumerated() {
        for field in 1..<40 {
          var lines = segments
          lines[0] = HL7Fixture.header(type)
          var fields = (segment == 0 ? lines[0] : text).dropLast()
            .split(separator: "|", omittingEmptySubsequences: false).map(String.init)
          while fields.count <= field { fields.append("") }
          fields[field] = Self.canary
          lines[segment] = fields.joined(separator: "|") + "\r"
          let text = prints(HL7Fixture.map(lines.joined()))
          #expect(!text.contains(Self.canary), "\(type), segment \(segment), field \(field)")
        }
      }
    }
  }

  @Test func `a canary in any value or name of a Bundle shows in nothing that prints`() {
    let pieces = BaRSFixture.answer("cancelled").text.split(
      separator: "\"", omittingEmptySubsequences: false)
    for index in stride(from: 1, to: pieces.count, by: 2) {
      var poisoned = pieces
      poisoned[index] = Self.canary[...]
      let text = poisoned.joined(separator: "\"")
      for frame in FrameMapper().map(Array(text.utf8)) {
        #expect(!prints(frame.outcome).contains(Self.canary), "string \(index / 2)")
      }
    }
  }

  @Test func `a canary in any value or name of a submission shows in nothing that prints`() {
    let line =
      #"{"specversion":"1.0","id":"s","source":"x","type":"baton.handoff.v1.HandoffSubmission","#
      + #""data":{"type":"HandoffRequested","person":{"nhsNumber":"9990500002","familyName":"R","#
      + #""localIds":[{"value":"1","assigner":"a","type":"MR"}]},"kind":"home-care","#
      + #""handoff":{"system":"UBRN","value":"1"},"from":{"odsCode":"RTH"},"to":{"name":"n"},"#
      + #""occurredAt":"2026-11-23T09:00:00Z","reason":"r","sequence":"4"}}"#
    let pieces = line.split(separator: "\"", omittingEmptySubsequences: false)
    for index in stride(from: 1, to: pieces.count, by: 2) {
      var poisoned = pieces
      poisoned[index] = Self.canary[...]
      let text = poisoned.joined(separator: "\"")
      for frame in FrameMapper().map(Array(text.utf8)) {
        #expect(!prints(frame.outcome).contains(Self.canary), "string \(index / 2)")
      }
    }
  }
}
