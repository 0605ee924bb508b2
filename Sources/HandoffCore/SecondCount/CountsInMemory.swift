/// What the second count knows again, in memory: for a recorded stretch that is counted at once.
///
/// It grows with the handoffs of the stretch; in service the memory is a file (decision 0115).
public struct CountsInMemory: CountMemory, Sendable {
  private struct Place: Hashable {
    var id: HandoffID
    var person: PatientKey
  }

  private var handoffs: [Place: CountedHandoff] = [:]
  private var departed: Set<PatientKey> = []
  private var arrivals: [EventID: Set<PatientKey>] = [:]

  public init() {}

  public mutating func handoff(_ id: HandoffID, of person: PatientKey) -> CountedHandoff? {
    handoffs[Place(id: id, person: person)]
  }

  public mutating func keep(_ handoff: CountedHandoff, _ id: HandoffID, of person: PatientKey) {
    handoffs[Place(id: id, person: person)] = handoff
  }

  public mutating func hasDeparted(_ person: PatientKey) -> Bool { departed.contains(person) }

  public mutating func noteDeparture(of person: PatientKey) { departed.insert(person) }

  public mutating func noteArrival(_ id: EventID, of person: PatientKey) -> Bool {
    arrivals[id, default: []].insert(person).inserted
  }
}

extension PartitionCount {
  /// Counts all records of a partition, in the order of their offsets.
  public init(_ records: [EventRecord]) {
    self.init()
    var memory = CountsInMemory()
    for record in records {
      if let fact = CountedFact(record) { count(fact, &memory) }
    }
  }
}
