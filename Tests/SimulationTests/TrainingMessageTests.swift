import HandoffCodecs
import HandoffCore
import HandoffSimulation
import Testing

@Suite struct `A training message` {
  private static func context() -> MappingContext {
    var context = MappingContext()
    context.processing = .training
    context.namesAreODSCodes = true
    return context
  }

  @Test(arguments: [3, 4] as [UInt64])
  func `says to our own codecs what the event says`(seed: UInt64) throws {
    var simulation = Simulation(seed: seed, days: 8, scale: 0.006, faults: .dense)
    var messages = TrainingMessages()
    var types: [TrainingMessage.Format: Set<EventType>] = [:]
    while let record = simulation.next() {
      guard let event = record.event, let message = messages.message(of: event) else { continue }
      let frames = FrameMapper(Self.context()).map(Array(message.text.utf8))
      guard frames.count == 1, case .mapped(let mapped) = frames[0].outcome else {
        Issue.record("\(event.type.rawValue) \(message.text): \(frames.map(\.outcome))")
        continue
      }
      let fact = try #require(mapped.facts.first { $0.type == event.type }, "\(message.text)")
      #expect(fact.speaker == event.speaker)
      #expect(mapped.recordedAt == event.recordedAt)
      if let id = event.handoffID, let handoff = fact.handoff {
        #expect(handoff.value == id.description)
      }
      #expect(event.handoffID == nil || fact.handoff != nil)
      let person = event.type == .patientMerged ? event.newPatientKey : event.patientKey
      let number = messages.number(of: try #require(person))
      #expect(mapped.person?.nhsNumber == number)
      #expect(number.digits.hasPrefix("999"))
      types[message.format, default: []].insert(event.type)
    }
    #expect(types[.hl7, default: []].count >= 14)
    #expect(types[.fhir, default: []].count >= 7)
  }

  @Test func `is refused where care is taken`() throws {
    var simulation = Simulation(seed: 3, days: 1, scale: 0.01, faults: .none)
    var messages = TrainingMessages()
    var refused: Set<TrainingMessage.Format> = []
    while let record = simulation.next() {
      guard let event = record.event, let message = messages.message(of: event) else { continue }
      let frames = FrameMapper().map(Array(message.text.utf8))
      guard case .refused = try #require(frames.first).outcome else {
        Issue.record("taken as care: \(message.text)")
        continue
      }
      refused.insert(message.format)
    }
    #expect(refused == [.hl7, .fhir])
  }
}
