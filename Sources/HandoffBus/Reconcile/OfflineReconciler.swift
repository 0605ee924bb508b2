package import HandoffCodecs
package import HandoffCore
internal import KafkaClient

/// The reconciler without a broker: records in, verdicts out, by the same reducers.
///
/// Each partition of the input has a reducer of its own, so lines of several partitions may be
/// mixed; within one they must be in offset order, as an export has them.
///
/// What a reducer wants written (a person on the way to another key) is queued right behind its
/// cause, unless ``expect(_:)`` has found it in the input: then the record of the log counts, at
/// its own place, and must be the very one that its cause gives.
package struct OfflineReconciler: Sendable {
  /// Everything said so far, in the order in which it was said.
  package private(set) var verdicts: [Verdict] = []
  package private(set) var selfAlerts: [SelfAlert] = []
  package private(set) var recordCount = 0
  /// The first switch to a policy or register that was not given: what follows it is judged by
  /// other rules than were in force.
  package private(set) var unknownRules: UnknownRules?
  private let policies: [Policy]
  private let registers: [OrganisationRegister]
  /// Judges in place of whatever policy the log switches to; its profiles still follow the log.
  private let instead: Policy?
  private let intake: RecordIntake
  private var partitions: [Int32: Partition] = [:]
  private var sources: OfflineSources
  /// What the input holds of what reducers wrote.
  private var logged: Set<EffectID> = []
  /// The hash that each of them must have: from its cause or from its record, whichever came first.
  private var hashes: [EffectID: RecordHash] = [:]

  /// Names a record that a reducer wrote, wherever it stands.
  private struct EffectID: Hashable {
    var event: EventID
    var reception: ReceptionID?
    /// A repeat that is forwarded too is a record of its own.
    var original: RecordCoordinates?
    var key: PatientKey
  }

  /// A switch that cannot be followed.
  package struct UnknownRules: Hashable, Sendable {
    /// When the log switches, by the broker's clock.
    package var at: Timestamp
    /// Each `nil` where it is known, or none is switched to.
    package var policyHash: RecordHash?
    package var registerHash: RecordHash?
  }

  private struct Partition {
    var reducer: PersonReducer
    /// Of the input: what is queued has no offset of its own.
    var nextOffset: Int64 = 0
  }

  /// Judges by the first of `policies`; the others are those that the log may switch to.
  ///
  /// Placing is checked only where the topic's number of partitions is given: lines that were
  /// written by hand, or exported from some partitions only, do not tell it.
  ///
  /// The first of `registers` is in force from the start too. With `instead` the same history is
  /// judged as if that policy had been in force all along: then what reducers wrote under another
  /// is made anew, and the log's own records of it are passed over.
  package init(
    policies: [Policy], registers: [OrganisationRegister] = [], instead: Policy? = nil,
    partitionCount: Int32? = nil, stamp: RecordStamp? = nil
  ) {
    precondition(!policies.isEmpty, "something must be in force at the start")
    self.policies = instead.map { [$0] } ?? policies
    self.registers = registers
    self.instead = instead
    intake = RecordIntake(partitionCount: partitionCount, stamp: stamp)
    sources = OfflineSources(
      policies: self.policies, isFixed: instead != nil, stamp: stamp)
  }

  /// Applies one record.
  ///
  /// A line without place is the next of partition 0. A line without broker's time happened, for
  /// the reducer, when its event says that it happened.
  package mutating func take(_ line: NDJSONRecord) throws(OfflineFault) {
    if OfflineSources.isOfSources(line) {
      verdicts += try sources.take(line)
      recordCount += 1
      return
    }
    let number = line.coordinates?.partition ?? 0
    let nextOffset = partitions[number]?.nextOffset ?? 0
    let place =
      line.coordinates
      ?? RecordCoordinates(topic: Topic.events.name, partition: 0, offset: nextOffset)
    guard place.offset >= nextOffset else {
      throw .outOfOrder(partition: number, offset: place.offset)
    }
    let stored = StoredRecord(
      record: line.record, coordinates: place, brokerAt: line.brokerAt ?? .distantPast)
    var (record, alert) = intake.take(stored)
    if line.brokerAt == nil {
      guard let event = record.content.event else { throw .withoutTime }
      record.brokerAt = event.occurredAt
    }
    if let alert { selfAlerts.append(alert) }
    if case .rulesActivation(let activation) = record.content {
      record.content = .rulesActivation(
        follow(activation, at: place, time: record.brokerAt))
    }
    if partitions[number] == nil {
      partitions[number] = Partition(reducer: reducer(of: number))
    }
    partitions[number]?.nextOffset = place.offset &+ 1
    if let id = effectID(record.content) {
      guard instead == nil else { return }
      if logged.contains(id) { compare(id, record.hash, at: record.coordinates) }
    }
    apply(record, to: number)
    recordCount += 1
    try follow(record, of: number)
  }

  /// Takes note of a record that a reducer wrote, before any line is taken.
  ///
  /// Without it the same record is queued behind its cause, and known again when its line comes:
  /// right where the lines of all partitions are in the order of time.
  package mutating func expect(_ line: NDJSONRecord) {
    guard instead == nil, let coordinates = line.coordinates, let brokerAt = line.brokerAt,
      line.record.isPerhapsOfReducer
    else { return }
    let stored = StoredRecord(record: line.record, coordinates: coordinates, brokerAt: brokerAt)
    if let id = effectID(intake.take(stored).record.content) { logged.insert(id) }
  }

  /// A switch as it is followed here; an alert where something of it is not known.
  private mutating func follow(
    _ activation: RulesActivation, at place: RecordCoordinates, time: Timestamp
  ) -> RulesActivation {
    var activation = activation
    if let instead {
      activation.policyHash = instead.hash
      // What the other policy does not have ends where it would have begun.
      if let profile = activation.profile, instead.under(profile) == nil {
        activation.profile = nil
      }
    }
    // The policy that ships is always at hand, as it is in service.
    let known = Set((policies + [.default]).map(\.hash)).union(registers.map(\.hash))
    if !known.isSuperset(of: activation.hashes) {
      selfAlerts.append(SelfAlert(.policyUnknown, at: place))
      if unknownRules == nil {
        unknownRules = UnknownRules(
          at: time, policyHash: known.contains(activation.policyHash) ? nil : activation.policyHash,
          registerHash: activation.registerHash.flatMap { known.contains($0) ? nil : $0 })
      }
    }
    return activation
  }

  private mutating func apply(_ record: EventRecord, to number: Int32) {
    // Changed in its place: a second reference would copy everybody remembered for each record.
    if partitions[number] == nil {
      partitions[number] = Partition(reducer: reducer(of: number))
    }
    partitions[number]?.reducer.apply(record, into: &verdicts)
  }

  /// Applies what the reducers want written, cause by cause.
  private mutating func follow(_ cause: EventRecord, of number: Int32) throws(OfflineFault) {
    // What is queued here is ours without a stamp: nobody but us has seen it.
    var unstamped = intake
    unstamped.stamp = nil
    var queue = take(from: number)
    var next = 0
    while next < queue.count {
      let outgoing = queue[next]
      next += 1
      let record = WireCodec().encode(outgoing)
      let hash = WireCodec.recordHash(record.value)
      let id = effectID(outgoing)
      guard !logged.contains(id) else {
        compare(id, hash, at: cause.coordinates)
        continue
      }
      let target = try partition(of: outgoing.key, cause: cause)
      let offset = max(0, (partitions[target]?.nextOffset ?? 0) - 1)
      let stored = StoredRecord(
        record: record,
        coordinates: RecordCoordinates(
          topic: Topic.events.name, partition: target, offset: offset),
        brokerAt: cause.brokerAt)
      apply(unstamped.take(stored).record, to: target)
      queue += take(from: target)
    }
  }

  private mutating func take(from number: Int32) -> [Outgoing] {
    partitions[number]?.reducer.takeOutgoing() ?? []
  }

  /// Where the records of a key belong.
  private func partition(
    of key: PatientKey, cause: EventRecord
  ) throws(OfflineFault) -> Int32 {
    if let count = intake.partitionCount {
      return KafkaPartitioner.murmur2(Array(key.description.utf8), partitionCount: count)
    }
    guard partitions.count == 1, let only = partitions.keys.first else {
      throw .partitionCountNeeded
    }
    return only
  }

  /// Compares a record that a reducer wrote with what its cause gives, whichever came first.
  private mutating func compare(_ id: EffectID, _ hash: RecordHash, at place: RecordCoordinates) {
    if let known = hashes[id], known != hash {
      selfAlerts.append(SelfAlert(.transferDiffers, at: place))
    }
    hashes[id] = hash
  }

  private func effectID(_ content: EventRecord.Content) -> EffectID? {
    switch content {
    case .transfer(let transfer): effectID(Outgoing.transfer(transfer))
    case .event(let held) where held.brief.isForwarded: effectID(Outgoing.event(held.value))
    case .event, .tick, .sourceState, .rulesActivation, .unusable: nil
    }
  }

  private func effectID(_ outgoing: Outgoing) -> EffectID {
    switch outgoing {
    case .transfer(let transfer):
      EffectID(event: transfer.id, reception: nil, original: nil, key: transfer.to)
    case .event(let event):
      EffectID(
        event: event.id, reception: event.receptionID, original: event.original,
        key: event.patientKey)
    }
  }

  /// Advances every partition to `time`, as if a tick had come then.
  package mutating func advance(to time: Timestamp) {
    for number in partitions.keys.sorted() {
      verdicts += partitions[number]?.reducer.advance(to: time) ?? []
    }
    verdicts += sources.advance(to: time)
  }

  /// Whether each partition's books balance.
  package var areBooksBalanced: Bool {
    partitions.values.allSatisfy { $0.reducer.state.books.isBalanced }
  }

  private func reducer(of partition: Int32) -> PersonReducer {
    var first = policies[0]
    first.register = registers.first
    var reducer = PersonReducer(policy: first, topic: Topic.events.name, partition: partition)
    // Without its register: an activation names the two side by side.
    for policy in [.default] + policies { reducer.provide(policy) }
    for register in registers { reducer.provide(register) }
    return reducer
  }
}

/// Why a line cannot be judged.
package enum OfflineFault: Error, Hashable, Sendable, CustomStringConvertible {
  /// An offset that is not after the one before it in its partition.
  case outOfOrder(partition: Int32, offset: Int64)
  /// Neither a broker's time nor an event that says when it happened.
  case withoutTime
  /// A person moves to another key, and where its records belong is not known.
  case partitionCountNeeded

  package var description: String {
    switch self {
    case .outOfOrder(let partition, let offset):
      "offset \(offset) of partition \(partition) comes after a later one"
    case .partitionCountNeeded:
      "it moves a person to another key: say with --partitions how many partitions the topic has"
    case .withoutTime: "it has no brokertime, and is no event that says when it happened"
    }
  }
}

extension WireRecord {
  /// Whether it can be a record that a reducer wrote; the others need not be read twice.
  fileprivate var isPerhapsOfReducer: Bool {
    let type = headers.first { $0.name == "ce_type" }?.value
    let names = [PersonTransfer.wireName, HandoffEvent.wireName]
    return names.contains { type?.elementsEqual("\($0)".utf8) ?? false }
  }
}
