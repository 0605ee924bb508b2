import HandoffCore
import TestSupport

/// Several partitions with a reducer each, and the events topic between them.
struct Region {
  static let a = key(1)
  static let b = key(2)
  static let c = key(3)

  static func key(_ number: UInt8, epoch: UInt16 = 1) -> PatientKey {
    guard let key = PatientKey(epoch: epoch, hash: [UInt8](repeating: number, count: 32)) else {
      preconditionFailure("32 bytes are a hash")
    }
    return key
  }

  var reducers: [PersonReducer]
  var verdicts: [Verdict] = []
  /// What was written by reducers and not read yet, in order.
  var underway: [Outgoing] = []
  /// Reads what reducers write right behind its cause.
  var isPrompt = true
  /// Hears of every record that a partition reads.
  var onRecord: (EventRecord, Int) -> Void = { _, _ in }
  private var offsets: [Int]
  private var receptions: UInt128 = 5_000

  init(partitionCount: Int = 3, policy: Policy = .default) {
    reducers = (0..<partitionCount).map {
      PersonReducer(policy: policy, topic: "handoff.events.v1", partition: Int32($0))
    }
    offsets = Array(repeating: 0, count: partitionCount)
  }

  /// Keys lie on partitions by their first byte.
  func partition(of key: PatientKey) -> Int { Int(key.hash[0]) % reducers.count }

  @discardableResult
  mutating func say(
    _ type: EventType, of key: PatientKey, at minute: Int64, id: UInt128? = nil,
    handoff: HandoffID? = Scene.handoff, arriving: Int64? = nil,
    _ change: (inout HandoffEvent) -> Void = { _ in }
  ) -> [Verdict] {
    var event = Scene.event(type, id: id, handoff: handoff, at: minute)
    event.patientKey = key
    receptions += 1
    event.receptionID = ReceptionID(rawValue: receptions)
    change(&event)
    return take(event, at: Scene.minutes(arriving ?? minute))
  }

  /// A merge of one key into another.
  @discardableResult
  mutating func merge(
    _ key: PatientKey, into other: PatientKey, at minute: Int64, id: UInt128 = 77,
    type: EventType = .patientMerged
  ) -> [Verdict] {
    say(type, of: key, at: minute, id: id, handoff: nil) { $0.newPatientKey = other }
  }

  @discardableResult
  mutating func take(_ event: HandoffEvent, at time: Timestamp) -> [Verdict] {
    apply(.event(event), to: partition(of: event.patientKey), at: time)
  }

  @discardableResult
  mutating func tick(at time: Timestamp) -> [Verdict] {
    reducers.indices.flatMap { apply(.tick, to: $0, at: time) }
  }

  @discardableResult
  mutating func apply(
    _ content: EventRecord.Content, to number: Int, at time: Timestamp
  ) -> [Verdict] {
    var record = JourneyGenerator.record(content, at: time, offset: offsets[number])
    record.coordinates.partition = Int32(number)
    offsets[number] += 1
    onRecord(record, number)
    var said = reducers[number].apply(record)
    verdicts += said
    underway += reducers[number].takeOutgoing()
    if isPrompt { said += deliver(at: time) }
    return said
  }

  /// Reads everything that reducers have written, and what follows from it.
  @discardableResult
  mutating func deliver(at time: Timestamp) -> [Verdict] {
    var said: [Verdict] = []
    var count = 0
    while !underway.isEmpty {
      let outgoing = underway.removeFirst()
      precondition(count < 500, "records go round and round")
      count += 1
      let content: EventRecord.Content =
        switch outgoing {
        case .transfer(let transfer): .transfer(transfer)
        case .event(let event): .event(event)
        }
      let wasPrompt = isPrompt
      isPrompt = false
      said += apply(content, to: partition(of: outgoing.key), at: time)
      isPrompt = wasPrompt
    }
    return said
  }

  func person(_ key: PatientKey) -> Person? { reducers[partition(of: key)].person(for: key) }

  func state(of key: PatientKey, _ handoff: HandoffID = Scene.handoff) -> HandoffState? {
    reducers[partition(of: key)].handoffState(handoff, person: key)
  }

  var open: [Rule] { LiveAlerts(verdicts).open.map(\.rule) }
}
