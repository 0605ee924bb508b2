import HandoffBus
import HandoffCodecs
import HandoffCore
import KafkaClient
import TestSupport
import Testing

/// A merge across partitions, live and read again.
struct OfflineTransferTests {
  private static let partitionCount: Int32 = 6
  private static let end = JourneyGenerator.start.advanced(by: .hours(24 * 400))

  /// One person's events under two keys of different partitions, and their merge, by time.
  private struct Story {
    var events: [(event: HandoffEvent, at: Timestamp)] = []

    init(seed: UInt64) throws {
      var generator = JourneyGenerator(seed: seed)
      let arrivals = (0..<5).flatMap { _ in generator.journey() }
      let keys = arrivals.map(\.event.patientKey)
      let old = try #require(keys.first)
      let new = try #require(keys.first { partition(of: $0) != partition(of: old) })
      let mergedAt = try #require(arrivals.map(\.at).sorted().dropFirst(arrivals.count / 2).first)
      for arrival in arrivals {
        var event = arrival.event
        // After the merge some systems still use the old number.
        let isOld = event.handoffID.map { $0.rawValue.isMultiple(of: 2) } ?? false
        event.patientKey = isOld ? old : new
        events.append((event, arrival.at))
      }
      var merge = try #require(arrivals.first).event
      merge.id = EventID(rawValue: 99)
      merge.type = .patientMerged
      merge.handoffID = nil
      merge.occurredAt = mergedAt
      (merge.patientKey, merge.newPatientKey) = (old, new)
      events.append((merge, mergedAt))
      events = events.enumerated()
        .sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }.map(\.element)
    }
  }

  private static func partition(of key: PatientKey) -> Int32 {
    KafkaPartitioner.murmur2(Array(key.description.utf8), partitionCount: partitionCount)
  }

  /// The log as a broker and live reconcilers would leave it, with the verdicts that they said.
  ///
  /// What a reconciler writes is read five seconds later.
  private struct LiveLog {
    var lines: [NDJSONRecord] = []
    var verdicts: [Verdict] = []

    init(_ story: Story) throws {
      var reducers = (0..<partitionCount).map {
        PersonReducer(policy: .default, topic: Topic.events.name, partition: $0)
      }
      var offsets = [Int64](repeating: 0, count: Int(partitionCount))
      let codec = WireCodec()
      var waiting = story.events.map {
        ($0.at, partition(of: $0.event.patientKey), codec.encode($0.event))
      }
      while let next = waiting.indices.min(by: { waiting[$0].0 < waiting[$1].0 }) {
        let (at, number, wire) = waiting.remove(at: next)
        let stored = StoredRecord(
          record: wire,
          coordinates: RecordCoordinates(
            topic: Topic.events.name, partition: number, offset: offsets[Int(number)]),
          brokerAt: Timestamp(milliseconds: at.milliseconds))
        offsets[Int(number)] += 1
        lines.append(
          NDJSONRecord(record: wire, coordinates: stored.coordinates, brokerAt: stored.brokerAt))
        verdicts += reducers[Int(number)].apply(try WireCodec.eventRecord(stored))
        for outgoing in reducers[Int(number)].takeOutgoing() {
          let later = at.advanced(by: .seconds(5))
          waiting.append((later, partition(of: outgoing.key), codec.encode(outgoing)))
        }
      }
      for index in reducers.indices { verdicts += reducers[index].advance(to: end) }
    }
  }

  private static func offline(
    _ lines: [NDJSONRecord], expecting: Bool
  ) throws -> OfflineReconciler {
    var reconciler = OfflineReconciler(policies: [.default], partitionCount: partitionCount)
    if expecting { for line in lines { reconciler.expect(line) } }
    for line in lines { try reconciler.take(line) }
    reconciler.advance(to: end)
    return reconciler
  }

  @Test(arguments: 0..<12 as Range<UInt64>)
  func `a log with transfers in it, read partition by partition, says what was said live`(
    seed: UInt64
  ) throws {
    let live = try LiveLog(try Story(seed: seed))
    let names = live.lines.compactMap { line in
      line.record.headers.first { $0.name == "ce_type" }?.value
    }
    #expect(names.contains(Array("baton.handoff.v1.PersonTransfer".utf8)))
    let sorted = live.lines.sorted { left, right in
      (left.coordinates?.partition ?? 0, left.coordinates?.offset ?? 0)
        < (right.coordinates?.partition ?? 0, right.coordinates?.offset ?? 0)
    }
    let again = try Self.offline(sorted, expecting: true)
    #expect(again.selfAlerts == [])
    #expect(again.areBooksBalanced)
    #expect(CanonicalForm.text(of: again.verdicts) == CanonicalForm.text(of: live.verdicts))
    // By time, without being told first, each is queued, and known when its line comes.
    let streamed = try Self.offline(live.lines, expecting: false)
    #expect(streamed.selfAlerts == [])
    #expect(standing(streamed.verdicts) == standing(live.verdicts))
  }

  @Test(arguments: 0..<12 as Range<UInt64>)
  func `events alone are followed over a merge as a live reconciler follows them`(
    seed: UInt64
  ) throws {
    let story = try Story(seed: seed)
    let live = try LiveLog(story)
    let raw = live.lines.filter { line in
      guard let place = line.coordinates, let at = line.brokerAt,
        let event = try? WireCodec.eventRecord(
          StoredRecord(record: line.record, coordinates: place, brokerAt: at)
        ).content.event
      else { return false }
      return event.original == nil
    }
    #expect(raw.count == story.events.count)
    let offline = try Self.offline(raw, expecting: true)
    #expect(offline.areBooksBalanced)
    #expect(standing(offline.verdicts) == standing(live.verdicts))
  }

  @Test func `a transfer that is not what its cause gives is an alert about ourselves`() throws {
    var lines = try LiveLog(try Story(seed: 3)).lines
    let index = try #require(
      lines.firstIndex { line in
        line.record.headers.contains {
          $0.name == "ce_type" && $0.value == Array("baton.handoff.v1.PersonTransfer".utf8)
        }
      })
    var transfer = try PersonTransfer(protobuf: try #require(lines[index].record.value))
    transfer.isMerge.toggle()
    lines[index].record.value = transfer.protobuf
    let again = try Self.offline(lines, expecting: true)
    #expect(again.selfAlerts.map(\.kind) == [.transferDiffers])
  }

  @Test func `without the number of partitions a merge across them is a fault`() throws {
    let lines = try LiveLog(try Story(seed: 4)).lines
    var reconciler = OfflineReconciler(policies: [.default])
    #expect(throws: OfflineFault.partitionCountNeeded) {
      for line in lines { try reconciler.take(line) }
    }
  }

  private func standing(_ verdicts: [Verdict]) -> [String] {
    LiveAlerts(verdicts).open.map {
      "\($0.rule.rawValue) \($0.handoffID?.description ?? "") \($0.cause?.description ?? "")"
        + " \($0.beganWith?.description ?? "")"
    }.sorted()
  }
}
