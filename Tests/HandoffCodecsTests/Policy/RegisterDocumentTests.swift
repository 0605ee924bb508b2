import HandoffCodecs
import HandoffCore
import TestSupport
import Testing

@Suite struct `A file of the organisation register` {
  private func faults(_ text: String) -> [String] {
    do {
      _ = try RegisterDocument(Array(text.utf8))
      return []
    } catch {
      return error.faults.map(\.description)
    }
  }

  @Test func `that ships as an example is good, and says what became of a closed board`() throws {
    let bytes = Array(try GoldenFile.read("deploy/examples/register.yaml").utf8)
    #expect(RegisterDocument.isRegister(bytes))
    let register = try RegisterDocument(bytes).register
    #expect(register.hash == WireCodec.recordHash(bytes))
    #expect(register.organisations.count == 11)
    #expect(!register.isComplete)
    let (old, new) = (try organisation("ods:QU9"), try organisation("ods:S0E4D"))
    let (march, april) = (try day("2026-03-31"), try day("2026-04-01"))
    #expect(register.presence(of: old, on: march) == .open)
    #expect(register.presence(of: old, on: april) == .closed(after: march))
    #expect(register.successor(of: old, on: april) == new)
    #expect(register.presence(of: new, on: march) == .notYetOpen)
    #expect(register[try organisation("ods:RTH")]?.place == Code("oxfordshire"))
  }

  @Test func `is read whole`() throws {
    let text = """
      format: baton.register.v1
      version: 7
      complete: true
      organisations:
        - code: ods:AAA
          to: 2026-03-31
          successors: [ods:BBB]
        - code: ods:BBB
          name: B
          source: test
          from: 2026-04-01
          roles: [gp, care-home]
          agents: [ods:CCC]
          network: U12345
          place: north
          catchment: [north, south]
        - code: ods:CCC
          roles: [hub]
      parts:
        - {kind: home-care, senders: [acute], receivers: [home-care, hub]}

      """
    let register = try RegisterDocument(Array(text.utf8)).register
    #expect(register.version == 7)
    #expect(register.isComplete)
    let (gp, hub) = (try organisation("ods:BBB"), try organisation("ods:CCC"))
    let entry = try #require(register[gp])
    #expect(entry.roles == [.gp, .careHome])
    #expect(entry.agents == [hub])
    #expect(entry.network == Code("U12345"))
    #expect(entry.catchment.count == 2)
    #expect(entry.validFrom == (try day("2026-04-01")))
    let kind = try #require(HandoffKind("home-care"))
    #expect(register.parts == [kind: KindParts(senders: [.acute], receivers: [.homeCare, .hub])])
  }

  @Test func `that is bad is refused with every fault and its line`() {
    let text = """
      format: baton.register.v2
      version: x
      complete: perhaps
      colour: blue
      organisations:
        - code: RTH
        - code: ods:AAA
          from: 2026-04-01
          to: 2026-03-31
        - code: ods:AAA
          roles: [dentist]
        - code: ods:BBB
          successors: [ods:AAA]
          agents: [RTH]
          place: two words
        - {from: never}
      parts:
        - kind: GP
        - {kind: pharmacy, senders: [gp]}
        - {kind: pharmacy}

      """
    let known =
      "acute, ambulance, care-home, community, council, diagnostics, gp, home-care, hub, icb, "
      + "mental-health, pharmacy, platform, voluntary"
    #expect(
      faults(text) == [
        "line 1: format: must be baton.register.v1",
        "line 2: version: must be a whole number from 1 to 4294967295",
        "line 3: complete: must be true or false",
        "line 4: colour: unknown key",
        "line 6: organisations[0].code: must be an organisation such as ods:RTH",
        "line 9: organisations[1].to: is before from",
        "line 10: organisations[2]: the same code as in line 7",
        "line 11: organisations[2].roles[0]: must be one of \(known)",
        "line 12: organisations[3].to: missing: what has a successor is closed",
        "line 14: organisations[3].agents[0]: must be an organisation such as ods:RTH",
        "line 15: organisations[3].place: must be a code such as oxfordshire",
        "line 16: organisations[4].code: missing",
        "line 16: organisations[4].from: must be a day such as 2026-04-01",
        "line 18: parts[0].kind: must be 1 to 40 lower-case letters, digits and hyphens",
        "line 20: parts[2]: the same kind twice",
      ])
  }

  @Test func `whose successors go round, or lead out of a complete register, is refused`() {
    let text = """
      format: baton.register.v1
      version: 1
      complete: true
      organisations:
        - {code: "ods:AAA", to: 2026-01-01, successors: ["ods:BBB"]}
        - {code: "ods:BBB", to: 2026-01-02, successors: ["ods:AAA"]}
        - {code: "ods:CCC", to: 2026-01-02, successors: ["ods:DDD"]}

      """
    #expect(
      faults(text) == [
        "line 5: organisations[0].successors: lead back to ods:AAA",
        "line 6: organisations[1].successors: lead back to ods:BBB",
        "line 7: organisations[2]: ods:DDD is not in this register, which says that it is complete",
      ])
  }

  @Test(arguments: ["", "[]", "text", "format: baton.register.v1", "{", "organisations: 5"])
  func `that is none is one fault or more`(text: String) {
    #expect(!faults(text).isEmpty)
  }

  @Test func `is not taken for a policy, nor a policy for it`() throws {
    let bytes = Array(try GoldenFile.read("deploy/examples/register.yaml").utf8)
    #expect(throws: PolicyDocument.Faults.self) { try PolicyDocument(bytes) }
    let policy = Array(PolicyDocument.render(.default).utf8)
    #expect(!RegisterDocument.isRegister(policy))
    #expect(throws: PolicyDocument.Faults.self) { try RegisterDocument(policy) }
  }

  private func organisation(_ text: String) throws -> OrganisationID {
    try #require(OrganisationID(text))
  }

  private func day(_ text: String) throws -> CivilDate { try #require(CivilDate(text)) }
}
