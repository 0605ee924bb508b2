import HandoffBus
import HandoffCodecs
import HandoffCore
import KafkaClient
import TestSupport
import Testing

struct OfflineReconcilerTests {
  /// A generated run as the lines of an export of one partition.
  static func lines(seed: UInt64, count: Int = 300) -> [NDJSONRecord] {
    var journeys = JourneyGenerator(seed: seed)
    let codec = WireCodec()
    return journeys.records(count: count).map { record in
      let wire =
        switch record.content {
        case .event(let held): codec.encode(held.value)
        case .transfer(let transfer): codec.encode(transfer)
        case .tick, .sourceState, .rulesActivation, .unusable: codec.encodeTick(at: record.brokerAt)
        }
      return NDJSONRecord(
        record: wire, coordinates: record.coordinates, brokerAt: record.brokerAt)
    }
  }

  static func verdicts(of lines: [NDJSONRecord]) throws -> [Verdict] {
    var reconciler = OfflineReconciler(policies: [.default])
    for line in lines { try reconciler.take(line) }
    reconciler.advance(to: JourneyGenerator.start.advanced(by: .hours(24 * 400)))
    #expect(reconciler.areBooksBalanced)
    #expect(reconciler.selfAlerts == [])
    return reconciler.verdicts
  }

  @Test(arguments: 0..<10 as Range<UInt64>)
  func `removing every tick from an export changes no verdict`(seed: UInt64) throws {
    let lines = Self.lines(seed: seed)
    let events = lines.filter { $0.record.key != Array(WireCodec.tickKey.utf8) }
    #expect(events.count < lines.count)
    let verdicts = try Self.verdicts(of: lines)
    #expect(!verdicts.isEmpty)
    #expect(
      CanonicalForm.text(of: verdicts) == CanonicalForm.text(of: try Self.verdicts(of: events)))
  }

  @Test(arguments: 0..<10 as Range<UInt64>)
  func `partitions are judged apart, however their lines are mixed`(seed: UInt64) throws {
    let first = Self.lines(seed: seed)
    let second = Self.lines(seed: seed + 100).map { line in
      var line = line
      line.coordinates?.partition = 1
      return line
    }
    var random = SeededGenerator(seed: seed)
    var rest = (first[...], second[...])
    var mixed: [NDJSONRecord] = []
    while let line = Bool.random(using: &random) ? rest.0.popFirst() : rest.1.popFirst() {
      mixed.append(line)
    }
    mixed += rest.0 + rest.1
    #expect(
      CanonicalForm.text(of: try Self.verdicts(of: mixed))
        == CanonicalForm.text(of: try Self.verdicts(of: first + second)))
  }

  @Test func `a record that cannot be read moves time and is an alert about ourselves`() throws {
    var line = try #require(Self.lines(seed: 1, count: 10).first)
    line.record.value = [0xff, 0xff, 0xff]
    var reconciler = OfflineReconciler(policies: [.default])
    try reconciler.take(line)
    #expect(reconciler.selfAlerts.map(\.kind) == [.recordUnreadable])
    #expect(reconciler.verdicts.map(\.rule) == [.s01])
    #expect(reconciler.verdicts.first?.subject == .bus)
  }

  @Test func `a record in a partition that its key does not belong to is refused`() throws {
    let lines = Self.lines(seed: 2, count: 50)
    var reconciler = OfflineReconciler(policies: [.default], partitionCount: 6)
    for line in lines { try reconciler.take(line) }
    let strangers = lines.filter { line in
      guard let key = line.record.key, key != Array(WireCodec.tickKey.utf8) else { return false }
      return KafkaPartitioner.murmur2(key, partitionCount: 6) != 0
    }
    #expect(!strangers.isEmpty)
    #expect(reconciler.selfAlerts.count == strangers.count)
    #expect(reconciler.selfAlerts.allSatisfy { $0.kind == .wrongPartition })
    #expect(Set(reconciler.verdicts.filter { $0.subject == .bus }.map(\.rule)) == [.s02])
  }

  @Test func `offsets that go back are a fault, not another order`() throws {
    let lines = Self.lines(seed: 3, count: 10)
    var reconciler = OfflineReconciler(policies: [.default])
    try reconciler.take(lines[1])
    #expect(throws: OfflineFault.outOfOrder(partition: 0, offset: 0)) {
      try reconciler.take(lines[0])
    }
  }

  @Test func `a line without place or broker's time is taken as it comes, by its event's time`()
    throws
  {
    let lines = Self.lines(seed: 4).filter { $0.record.key != Array(WireCodec.tickKey.utf8) }
    var reconciler = OfflineReconciler(policies: [.default])
    for line in lines {
      try reconciler.take(NDJSONRecord(record: line.record, coordinates: nil, brokerAt: nil))
    }
    #expect(reconciler.recordCount == lines.count)
    let tick = NDJSONRecord(
      record: WireCodec().encodeTick(at: JourneyGenerator.start), coordinates: nil, brokerAt: nil)
    #expect(throws: OfflineFault.withoutTime) { try reconciler.take(tick) }
  }
}

struct AlertBookTests {
  @Test(arguments: 0..<20 as Range<UInt64>)
  func `verdicts delivered twice and in any order make the same alerts`(seed: UInt64) throws {
    let verdicts = try OfflineReconcilerTests.verdicts(of: OfflineReconcilerTests.lines(seed: seed))
    var random = SeededGenerator(seed: seed)
    var (inOrder, shuffled) = (AlertBook(), AlertBook())
    for verdict in verdicts {
      let isNew = inOrder.take(verdict)
      #expect(isNew)
    }
    for verdict in (verdicts + verdicts).shuffled(using: &random) { shuffled.take(verdict) }
    #expect(inOrder.alerts == shuffled.alerts)
    for alert in inOrder.alerts {
      #expect(alert.revisions.map(\.revision) == (1...UInt32(alert.revisions.count)).map(\.self))
    }
  }

  @Test func `the gravest alerts come first`() throws {
    var book = AlertBook()
    for verdict in try OfflineReconcilerTests.verdicts(of: OfflineReconcilerTests.lines(seed: 7)) {
      book.take(verdict)
    }
    let ranks = book.alerts.map(\.latest.severity.rank)
    #expect(ranks == ranks.sorted(by: >))
    #expect(Set(ranks).count > 1)
  }
}
