import HandoffCore
import TestSupport
import Testing

@testable import HandoffCodecs

/// What must hold of every document, tried over many.
struct FHIRPropertyTests {
  private static let documents = [
    BaRSFixture().text, BaRSFixture.answer("cancelled").text,
    FHIRFixture.transaction([#"{"resource":\#(FHIRFixture.task("completed"))}"#]),
    FHIRFixture.referral("BOOKED"), ITK3Fixture.document(), ITK3Fixture.responseText("30001", "ok"),
  ]

  /// Facts without the places they were read from.
  private func meaning(_ message: MappedMessage?) -> [MappedFact] {
    (message?.facts ?? []).map { fact in
      var fact = fact
      fact.provenance = [:]
      return fact
    }
  }

  @Test(arguments: Array(UInt64(1)...20))
  func `entries in any order and unknown members map to the same facts`(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    for text in [BaRSFixture().text, BaRSFixture.answer("in-progress").text] {
      let json = try JSONParser.parse(Array(text.utf8)[...], limits: .init())
      let plain = FHIRMapper(context: .init()).map(json).message
      guard case .object(var bundle) = json, case .array(var entries)? = bundle["entry"] else {
        Issue.record("the fixture is no Bundle")
        return
      }
      // The header stays first, as the standard says; the rest has no order.
      let header = entries.removeFirst()
      entries.shuffle(using: &generator)
      bundle["entry"] = .array([header] + entries.map { Self.littered($0, using: &generator) })
      bundle["unknownMember"] = .array([.null, .number("1e999")])
      let shuffled = FHIRMapper(context: .init()).map(.object(bundle)).message
      #expect(meaning(shuffled) == meaning(plain), "seed \(seed)")
      #expect(shuffled?.person == plain?.person, "seed \(seed)")
    }
  }

  /// Unknown members and siblings of primitives at random places.
  private static func littered(
    _ value: JSONValue, using generator: inout SeededGenerator
  ) -> JSONValue {
    guard case .object(let members) = value else { return value }
    var result: [String: JSONValue] = [:]
    for (name, member) in members.sorted(by: { $0.key < $1.key }) {
      result[name] = littered(member, using: &generator)
      if Bool.random(using: &generator) {
        result["_\(name)"] = .object(["id": .string("x")])
      }
    }
    result["zz\(UInt8.random(in: 0...9, using: &generator))"] = .bool(true)
    return .object(result)
  }

  @Test func `JSON and XML of the same resource map to the same facts`() throws {
    let xml =
      """
      <Task xmlns="http://hl7.org/fhir"><id value="t-1"/><status value="accepted"/>
       <intent value="order"/><code><coding><code value="fulfill"/></coding></code>
       <focus><reference value="ServiceRequest/sr-1"/></focus>
       <for><identifier><system value="https://fhir.nhs.uk/Id/nhs-number"/>
        <value value="9990500002"/></identifier></for>
       <authoredOn value="2026-11-23T09:00:00Z"/><lastModified value="2026-11-23T10:00:00Z"/>
       <requester><identifier><system value="https://fhir.nhs.uk/Id/ods-organization-code"/>
        <value value="RTH"/></identifier></requester>
       <owner><reference value="Organization/food-bank"/></owner></Task>
      """
    let (one, two) = (
      FHIRFixture.outcome(xml).message, FHIRFixture.outcome(FHIRFixture.task("accepted")).message
    )
    #expect(meaning(one) == meaning(two) && one?.facts.count == 1)
    #expect(one?.person == two?.person && one?.messageID == two?.messageID)
  }

  @Test func `a document cut at any byte is refused or understood and never crashes`() {
    for text in Self.documents {
      let bytes = Array(text.utf8)
      for length in 0..<bytes.count {
        let frames = FrameMapper().map(Array(bytes[..<length]))
        #expect(frames.allSatisfy { $0.outcome.error != nil }, "\(length)")
      }
    }
  }

  @Test(arguments: Array(UInt64(1)...12))
  func `random bytes in a document never crash, and leave exactly one outcome`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for text in Self.documents {
      for _ in 0..<40 {
        var bytes = Array(text.utf8)
        for _ in 0..<Int.random(in: 1...6, using: &generator) {
          let index = Int.random(in: 0..<bytes.count, using: &generator)
          switch UInt8.random(in: 0...2, using: &generator) {
          case 0: bytes[index] = UInt8.random(in: 0...255, using: &generator)
          case 1: bytes.remove(at: index)
          default: bytes.insert(bytes[index], at: bytes.count / 2)
          }
        }
        #expect(!FrameMapper().map(bytes).isEmpty, "seed \(seed)")
      }
    }
  }
}
