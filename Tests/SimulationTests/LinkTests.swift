import HandoffCore
import HandoffSimulation
import TestSupport
import Testing

/// What makes handoffs one line, by the reducer and by the oracle: need, journey, part, redirection.
@Suite struct `Three handoffs that are given up` {
  enum Link: CaseIterable, Sendable { case none, need, journey, parent, redirection }

  /// Each is requested of a service of its own, and given up a day later, when the next is requested.
  private static func records(_ link: Link, hops: Int) throws -> [EventRecord] {
    let hash = [UInt8](repeating: 7, count: 32)
    let person = try #require(PatientKey(epoch: 1, hash: hash))
    var records: [EventRecord] = []
    func say(_ type: EventType, _ number: Int, hour: Int64, _ change: (inout HandoffEvent) -> Void)
    {
      let isRequest = type == .handoffRequested
      let id = UInt128(number * 10 + (isRequest ? 1 : 2))
      let to = JourneyGenerator.organisation("RX\(number)")
      let from = JourneyGenerator.organisation("J8200\(number)")
      let at = JourneyGenerator.start.advanced(by: .hours(hour))
      var event = HandoffEvent(
        id: EventID(rawValue: id), receptionID: ReceptionID(rawValue: id), type: type,
        patientKey: person, handoffID: HandoffID(rawValue: UInt128(number)),
        contentMac: Token(rawValue: id), speaker: isRequest ? .sender : .receiver,
        spokenBy: isRequest ? from : to, occurredAt: at, source: JourneyGenerator.code("mllp-rth"),
        rail: JourneyGenerator.code("mllp"))
      event.from = Party(organisation: from)
      event.to = Party(organisation: to)
      change(&event)
      records.append(JourneyGenerator.record(.event(event), at: at, offset: records.count))
    }
    for number in 1...hops {
      let begin = Int64(number) * 24
      say(.handoffRequested, number, hour: begin) { event in
        event.kind = HandoffKind("gp-hospital")
        event.priority = Priority("routine")
        event.needKey = Token(rawValue: link == .need ? 5 : UInt128(100 + number))
        event.journeyID = link == .journey ? Token(rawValue: 6) : nil
        if link == .parent, number > 1 {
          event.parentHandoffID = HandoffID(rawValue: UInt128(number - 1))
        }
      }
      say(link == .redirection ? .redirected : .rejected, number, hour: begin + 23) { event in
        guard link == .redirection else { return }
        event.newHandoffID = HandoffID(rawValue: UInt128(number + 1))
      }
    }
    return records
  }

  private static let end = JourneyGenerator.start.advanced(by: .hours(24 * 20))

  @Test(arguments: Link.allCases)
  func `are A15 where anything links them, and to both judges alike`(link: Link) throws {
    let found = Conformance(records: try Self.records(link, hops: 3), until: Self.end)
    #expect(found.differences.isEmpty, "\(found.differences)")
    #expect(found.equal[.a15, default: 0] == (link == .none ? 0 : 1))
  }

  @Test(arguments: Link.allCases)
  func `are none where it is two`(link: Link) throws {
    let found = Conformance(records: try Self.records(link, hops: 2), until: Self.end)
    #expect(found.differences.isEmpty, "\(found.differences)")
    #expect(found.equal[.a15] == nil)
  }
}
