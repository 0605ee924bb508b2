import Crypto
import Foundation
import HandoffCodecs
import HandoffCore
import HandoffStores
import KafkaClient
import Logging
import Synchronization
import TestSupport
import Testing

@testable import HandoffBus

struct RecordStampTests {
  private let secrets = RecordSecrets.generate()

  /// A tick as the reconciler writes it to partition 2.
  private var tick: KafkaMessage {
    KafkaMessage(
      topic: .events, partition: 2, WireCodec().encodeTick(at: Timestamp(milliseconds: 5)))
  }

  /// What a reader gets of a message.
  private func read(_ message: KafkaMessage, at milliseconds: Int64 = 5) -> KafkaRecord {
    KafkaRecord(
      topic: message.topic, partition: message.partition ?? 0, offset: 7,
      timestampMilliseconds: milliseconds, timestampType: .logAppend, key: message.key,
      value: message.value, headers: message.headers)
  }

  @Test func `what a writer of ours stamped is taken`() {
    let stamp = RecordStamp(secrets)
    #expect(stamp.forgery(in: read(stamp.stamped(tick, by: .reconciler))) == nil)
    let state = KafkaMessage(topic: Topic.reconcilerState.name, key: [1], value: nil)
    #expect(stamp.forgery(in: read(stamp.stamped(state, by: .reconciler))) == nil)
  }

  @Test func `any one changed bit of a stamped record is seen`() {
    let stamp = RecordStamp(secrets)
    let message = stamp.stamped(
      KafkaMessage(
        topic: Topic.alerts.name, key: [1, 2], value: [3, 4],
        headers: [KafkaHeader("ce_type", "x"), KafkaHeader("content-type", "y")]),
      by: .reconciler)
    #expect(stamp.forgery(in: read(message)) == nil)
    for bit in 0..<16 {
      var changed = message
      changed.key?[bit / 8] ^= 1 << (bit % 8)
      #expect(stamp.forgery(in: read(changed)) == .wrong)
      changed = message
      changed.value?[bit / 8] ^= 1 << (bit % 8)
      #expect(stamp.forgery(in: read(changed)) == .wrong)
    }
    for index in 0..<2 {
      var changed = message
      changed.headers[index].value?[0] ^= 1
      #expect(stamp.forgery(in: read(changed)) == .wrong)
      changed = message
      changed.headers.remove(at: index)
      #expect(stamp.forgery(in: read(changed)) == .wrong)
    }
    var changed = message
    changed.value = nil
    #expect(stamp.forgery(in: read(changed)) == .wrong)
    changed = message
    changed.topic = Topic.reconcilerState.name
    #expect(stamp.forgery(in: read(changed)) == .wrong)
    // A header that nobody reads, such as a trace, may be added on the way.
    changed = message
    changed.headers.insert(KafkaHeader("traceparent", "00"), at: 0)
    #expect(stamp.forgery(in: read(changed)) == nil)
  }

  @Test func `no stamp, another bus's, a role that may not write there: each has its reason`() {
    let stamp = RecordStamp(secrets)
    #expect(stamp.forgery(in: read(tick)) == .missing)
    let other = RecordStamp(
      RecordSecrets(secrets: ["k1": SymmetricKey(size: .bits256)], current: "k1"))
    #expect(stamp.forgery(in: read(other.stamped(tick, by: .reconciler))) == .wrong)
    #expect(stamp.forgery(in: read(stamp.stamped(tick, by: .connector))) == .writerNotAllowed)
    #expect(stamp.forgery(in: read(stamp.stamped(tick, by: .operations))) == .writerNotAllowed)
    for text in [
      "", "1", "1.k1.reconciler.2.zz", "2.k1.reconciler.2.\(String(repeating: "0", count: 32))",
    ] {
      var message = tick
      message.headers.append(KafkaHeader(RecordStamp.header, text))
      #expect(stamp.forgery(in: read(message)) == .malformed)
    }
  }

  @Test func `a record that was stamped for a partition counts on no other`() {
    let stamp = RecordStamp(secrets)
    var moved = stamp.stamped(tick, by: .reconciler)
    moved.partition = 1
    #expect(stamp.forgery(in: read(moved)) == .otherPartition)
  }

  @Test func `an old switch of rules that is written again switches nothing`() {
    let stamp = RecordStamp(secrets)
    let activation = RulesActivation(
      rulesVersion: 1, policyHash: WireCodec.recordHash([1]))
    let said = Timestamp(milliseconds: 1_000_000)
    let message = stamp.stamped(
      KafkaMessage(topic: .events, partition: 0, WireCodec().encode(activation, at: said)),
      by: .reconciler)
    #expect(stamp.forgery(in: read(message, at: 1_000_000)) == nil)
    #expect(stamp.forgery(in: read(message, at: 1_000_000 + 300_000)) == nil)
    #expect(stamp.forgery(in: read(message, at: 1_000_000 + 300_001)) == .stale)
    #expect(stamp.forgery(in: read(message, at: 1_000_000 - 300_001)) == .stale)
  }

  @Test func `secrets are exchanged while readers and writers go on`() throws {
    let old = secrets
    var both = old
    let new = both.add()
    // Readers first: they know the new secret, and take what is written with the old one.
    let before = RecordStamp(old).stamped(tick, by: .reconciler)
    #expect(RecordStamp(both).forgery(in: read(before)) == nil)
    let isActivated = both.activate(new)
    #expect(isActivated)
    let after = RecordStamp(both).stamped(tick, by: .reconciler)
    #expect(RecordStamp(both).forgery(in: read(before)) == nil)
    #expect(RecordStamp(both).forgery(in: read(after)) == nil)
    #expect(RecordStamp(old).forgery(in: read(after)) == .keyUnknown)
    let isCurrentKept = !both.remove(new)
    #expect(isCurrentKept)
    let isRemoved = both.remove(old.current)
    #expect(isRemoved)
    #expect(RecordStamp(both).forgery(in: read(before)) == .keyUnknown)
    let isUnknownRefused = !both.activate("k9")
    #expect(isUnknownRefused)
  }

  @Test func `records from before there were secrets are taken, by the broker's time`() {
    var secrets = secrets
    secrets.unstampedBefore = Timestamp(milliseconds: 100)
    let stamp = RecordStamp(secrets)
    #expect(stamp.forgery(in: read(tick, at: 99)) == nil)
    #expect(stamp.forgery(in: read(tick, at: 100)) == .missing)
  }

  @Test func `every writer has a key of its own, and topics of organisations have none`() {
    let stamp = RecordStamp(secrets)
    var codes: Set<String> = []
    for role in BusRole.allCases {
      let header = stamp.stamped(tick, by: role).headers.first { $0.name == RecordStamp.header }
      codes.insert(String((header?.text ?? "").suffix(32)))
    }
    #expect(codes.count == BusRole.allCases.count)
    let inbox = KafkaMessage(topic: "handoff.inbox.rth.v1", key: [1], value: [2])
    #expect(stamp.stamped(inbox, by: .connector).headers.isEmpty)
    #expect(stamp.forgery(in: read(inbox)) == nil)
  }

  @Test func `the file keeps the secrets, is its owner's alone, and bad ones are refused whole`()
    throws
  {
    let folder = try TemporaryFolder()
    let path = folder.path("records.json")
    var secrets = secrets
    secrets.unstampedBefore = Timestamp(milliseconds: 5)
    secrets.add()
    try secrets.write(path: path)
    let loaded = try RecordSecrets.load(path: path)
    #expect(loaded.secrets == secrets.secrets)
    #expect(loaded.current == secrets.current)
    #expect(loaded.unstampedBefore == secrets.unstampedBefore)
    #expect(throws: SecretsError.notWritable(path: path)) { try secrets.write(path: path) }
    try secrets.replace(path: path)
    try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
    #expect(throws: SecretsError.tooOpen(path: path, mode: 0o640)) {
      try RecordSecrets.load(path: path)
    }
    let bad = folder.path("bad.json")
    let text =
      #"{"version":2,"current":"k3","secrets":[{"id":"K","secret":"00"},{"id":"a","secret":"0"}]}"#
    try SecretFile.create(path: bad, Data(text.utf8))
    let error = #expect(throws: SecretsError.self) { try RecordSecrets.load(path: bad) }
    guard case .invalid(_, let faults)? = error else {
      Issue.record("not refused as invalid")
      return
    }
    #expect(faults.count == 3)
    #expect(!"\(secrets)".contains("secret:") && String(reflecting: secrets).count < 60)
  }

  @Test func `a forged record is left out, counted, and told of by doublings`() {
    let guardian = RecordGuard(secrets)
    let lines = LogKeeper.Lines()
    let logger = Logger(label: "test") { _ in LogKeeper(lines: lines) }
    let verdict = KafkaMessage(topic: Topic.alerts.name, key: [1], value: [2])
    let interceptor = guardian.interceptor(for: .reconciler, logger: logger)
    let forged = read(verdict)
    for _ in 0..<1000 { #expect(interceptor.incoming(forged) == nil) }
    #expect(guardian.forgeries == [.missing: 1000])
    // 1, 2, 4 … 512.
    #expect(lines.all.withLock { $0.count } == 10)
    #expect(interceptor.incoming(read(interceptor.outgoing(verdict))) != nil)
    let audit = guardian.interceptor(for: .audit, logger: logger)
    #expect(audit.incoming(forged) != nil)
    #expect(guardian.forgeries == [.missing: 1001])
    // Of the events topic the reducer itself says it.
    #expect(interceptor.incoming(read(tick)) != nil)
  }

  @Test func `a writer without secrets is told once that others stamp`() {
    let lines = LogKeeper.Lines()
    let logger = Logger(label: "test") { _ in LogKeeper(lines: lines) }
    let interceptor = MissingStampNotice(logger: logger).interceptor
    #expect(interceptor.incoming(read(tick)) != nil)
    #expect(lines.all.withLock { $0.count } == 0)
    let stamped = read(RecordStamp(secrets).stamped(tick, by: .reconciler))
    for _ in 0..<3 { #expect(interceptor.incoming(stamped) != nil) }
    #expect(lines.all.withLock { $0.count } == 1)
    // Who only reads loses nothing, and who has secrets is checked.
    var configuration = BatonConfiguration()
    #expect(KafkaConfiguration(configuration, client: "alerts").interceptor == nil)
    #expect(KafkaConfiguration(configuration, client: "x", as: .ingest).interceptor != nil)
    configuration.recordGuard = RecordGuard(secrets)
    let checked = KafkaConfiguration(configuration, client: "x", as: .ingest).interceptor
    let forged = read(KafkaMessage(topic: Topic.alerts.name, key: [1], value: [2]))
    #expect(checked?.incoming(forged) == nil)
  }

  @Test func `a forged tick, event, policy or source state moves nothing and is a verdict`() throws
  {
    let stamp = RecordStamp(secrets)
    let intake = RecordIntake(partitionCount: 1, stamp: stamp)
    let start = JourneyGenerator.start
    var reducer = PersonReducer(policy: .default, topic: Topic.events.name, partition: 0)
    var journeys = JourneyGenerator(seed: 7)
    let codec = WireCodec()
    var offset: Int64 = 0
    func apply(_ wire: WireRecord, at time: Timestamp, by writer: BusRole?) -> [Verdict] {
      var message = KafkaMessage(topic: .events, partition: 0, wire)
      if let writer { message = stamp.stamped(message, by: writer) }
      defer { offset += 1 }
      let stored = StoredRecord(
        record: message.wire,
        coordinates: RecordCoordinates(topic: message.topic, partition: 0, offset: offset),
        brokerAt: time)
      return reducer.apply(intake.take(stored).record)
    }
    let event = try #require(journeys.events(count: 1).first)
    #expect(apply(codec.encode(event), at: start, by: .ingest).isEmpty)
    let before = reducer.state
    let late = start.advanced(by: .hours(24 * 365))
    var other = event
    other.receptionID = ReceptionID(rawValue: 1)
    let forged = [
      codec.encodeTick(at: late), codec.encode(other),
      codec.encode(
        RulesActivation(rulesVersion: 1, policyHash: WireCodec.recordHash([1])), at: late),
      codec.encode(
        SourceState(source: event.source, condition: .silent, completeUpTo: late), at: late),
    ]
    var verdicts: [Verdict] = []
    for record in forged { verdicts += apply(record, at: late, by: nil) }
    #expect(reducer.state.time == before.time)
    #expect(reducer.state.sources == before.sources)
    #expect(reducer.state.activations == before.activations)
    #expect(reducer.state.books == before.books)
    #expect(reducer.state.nextOffset == 5)
    // Told at the first, the second and the fourth.
    #expect(verdicts.map(\.rule) == [.s08, .s08, .s08])
    #expect(verdicts.last?.count == 4)
    #expect(verdicts.allSatisfy { $0.cause == Code("stamp.missing") })
    // The same from the right writer does what it says.
    _ = apply(codec.encodeTick(at: late), at: late, by: .reconciler)
    #expect(reducer.state.time == late)
  }

  @Test(arguments: 0..<50 as Range<UInt64>)
  func `bytes of any kind as a stamp are refused and trap nothing`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let stamp = RecordStamp(secrets)
    var message = tick
    let length = Int.random(in: 0...300, using: &random)
    let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
    message.headers.append(KafkaHeader(RecordStamp.header, bytes))
    #expect(stamp.forgery(in: read(message)) == .malformed)
  }
}
