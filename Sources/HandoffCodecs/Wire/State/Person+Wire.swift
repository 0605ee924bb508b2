package import HandoffCore

/// The layout of the state that this version writes and reads.
///
/// State of another layout is refused, and made anew from the events: the only other choice would
/// be to guess what a missing field was.
let stateLayout: UInt32 = 1

extension ProtobufReader {
  mutating func checkLayout() throws(WireError) {
    guard try unsigned() == UInt64(stateLayout) else {
      throw WireError(.versionUnknown, "\(message).layout")
    }
  }
}

extension Person: WireMessage {
  package static var wireName: StaticString { "baton.handoff.v1.PersonState" }

  package func write(to writer: inout ProtobufWriter) {
    writer.unsigned(1, stateLayout)
    writer.patientKey(2, key)
    // In no closure: the optimiser copies more of what is handed to one.
    for index in handoffs.indices {
      let start = writer.open(3)
      handoffs[index].write(to: &writer)
      writer.close(start)
    }
    for index in seen.indices {
      let start = writer.open(4)
      seen[index].write(to: &writer)
      writer.close(start)
    }
    for repetition in repetitions { writer.nested(5) { repetition.write(to: &$0) } }
    for alert in alerts { writer.nested(6) { alert.write(to: &$0) } }
    writer.witness(7, readinessSaid)
    writer.moment(8, present: dischargeReadyAt)
    writer.unsigned(9, unlinkedCount)
    for link in links { writer.nested(10) { link.write(to: &$0) } }
    for mark in stay { writer.nested(11) { mark.write(to: &$0) } }
  }

  package init(reading reader: inout ProtobufReader) throws(WireError) {
    var isLayoutKnown = false
    var person: Person?
    var rest = PersonParts()
    while let number = try reader.nextField() {
      switch number {
      case 1:
        try reader.checkLayout()
        isLayoutKnown = true
      case 2: person = try reader.patientKey("patient_key").map { Person(key: $0) }
      default: try rest.read(number, from: &reader)
      }
    }
    guard isLayoutKnown else { throw reader.missing("layout") }
    guard var person else { throw reader.missing("patient_key") }
    person.handoffs = rest.handoffs
    person.seen = rest.seen
    person.repetitions = rest.repetitions
    person.alerts = rest.alerts
    person.readinessSaid = rest.readinessSaid
    person.dischargeReadyAt = rest.dischargeReadyAt
    person.unlinkedCount = rest.unlinkedCount
    person.links = rest.links
    person.stay = rest.stay
    self = person
  }
}

/// The fields of a person beside the key while it is read.
private struct PersonParts {
  var handoffs: [Handoff] = []
  var seen: [SeenEvent] = []
  var repetitions: [Repetition] = []
  var alerts: [EmittedAlert] = []
  var readinessSaid: Witness?
  var dischargeReadyAt: Timestamp?
  var unlinkedCount: UInt32 = 0
  var links: [KeyLink] = []
  var stay: [StayMark] = []

  mutating func read(_ number: UInt32, from reader: inout ProtobufReader) throws(WireError) {
    switch number {
    case 3:
      var nested = try reader.nested("HandoffStanding")
      handoffs.append(try Handoff(reading: &nested))
    case 4:
      var nested = try reader.nested("SeenEvent")
      seen.append(try SeenEvent(reading: &nested))
    case 5:
      var nested = try reader.nested("Repetition")
      repetitions.append(try Repetition(reading: &nested))
    case 6:
      var nested = try reader.nested("EmittedAlert")
      alerts.append(try EmittedAlert(reading: &nested))
    case 7: readinessSaid = try reader.witness("readiness_said")
    case 8: dischargeReadyAt = try reader.moment()
    case 9: unlinkedCount = try reader.unsigned(UInt32.self, "unlinked_count")
    case 10:
      var nested = try reader.nested("KeyLink")
      links.append(try KeyLink(reading: &nested))
    case 11:
      var nested = try reader.nested("StayMark")
      stay.append(try StayMark(reading: &nested))
    default: try reader.skip()
    }
  }
}
