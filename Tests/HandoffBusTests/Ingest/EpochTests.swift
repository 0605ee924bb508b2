import Crypto
import HandoffCodecs
import HandoffCore
import HandoffStores
import TestSupport
import Testing

@testable import HandoffBus

/// A new epoch of patient keys: nobody is lost on the way, and nothing is doubled.
struct EpochTests {
  private static let later = Timestamp(milliseconds: 1_700_000_500_000)
  private static let secret = SymmetricKey(data: Array(repeating: UInt8(5), count: 32))

  /// Message, person and handoff of one number.
  private func request(_ number: Int, nhs: String?, record: String?, again: Int = 0) -> String {
    Sample.request(
      id: "M\(number)-\(again)", referral: "UBRN\(number)-\(again)", nhs: nhs, record: record)
  }

  private static let numbers = ["9990000018", "9990000026", "9990000034", "9990000042"]

  private func begin(_ bench: IngestBench) async throws {
    try await bench.keys.beginEpoch(secret: Self.secret, at: Self.later)
  }

  private func hashes(_ bench: IngestBench) async throws -> KeyedHashes {
    KeyedHashes(bench.secrets.adopting(try await bench.keys.epochs()))
  }

  private func moves(_ bench: IngestBench) throws -> [HandoffEvent] {
    try bench.publisher.events().filter { $0.reason == IngestPageMaker.keyRotation }
  }

  @Test func `after a rotation answers find their handoffs, whatever they name`() async throws {
    let bench = try IngestBench()
    try await bench.take(
      request(1, nhs: Self.numbers[0], record: "P1"), request(2, nhs: Self.numbers[1], record: nil),
      request(3, nhs: nil, record: "P3"))
    try await bench.pass()
    let before = try bench.publisher.events()
    try await begin(bench)
    try await bench.pass()
    let moved = try moves(bench)
    #expect(Set(moved.map(\.patientKey)) == Set(before.map(\.patientKey)))
    #expect(moved.allSatisfy { $0.newPatientKey?.epoch == 2 && $0.type == .identityLinked })
    let new = Dictionary(uniqueKeysWithValues: moved.map { ($0.patientKey, $0.newPatientKey) })

    // Without a patient; with the NHS number alone; with the local id alone; and a new request.
    try await bench.take(
      Sample.acceptance(id: "R1", of: "M1-0"),
      Sample.segments(
        "MSH|^~\\&|EPR|RXQ|PAS|RTH|20231114220500||RRI^I12|R2|P|2.4", "MSA|AA|M2-0",
        "RF1|A|R|MED", "PID|1||\(Self.numbers[1])^^^NHS^NH||N^G"),
      Sample.segments(
        "MSH|^~\\&|EPR|RXQ|PAS|RTH|20231114220500||RRI^I12|R3|P|2.4", "MSA|AA|M3-0",
        "RF1|A|R|MED", "PID|1||P3^^^RTH^MR||N^G"),
      request(1, nhs: Self.numbers[0], record: "P1", again: 1))
    try await bench.pass()
    let after = try bench.publisher.events().suffix(4)
    #expect(after.map(\.patientKey) == [0, 1, 2, 0].map { new[before[$0].patientKey] })
    #expect(after.prefix(3).map(\.handoffID) == before.map(\.handoffID))
    #expect(after.allSatisfy { $0.patientKey.epoch == 2 })

    // Identities of both epochs open.
    for event in before + after {
      let key = try #require(try await bench.keys.existingKey(for: .person(event.patientKey)))
      #expect(try Sealer.identity(of: event, with: key).messageID != nil)
    }
    let status = try #require(try KeyStore.status(path: bench.folder.path("keys.sqlite")))
    #expect(status.epochs.map(\.epoch) == [1, 2])
    #expect(status.epochs[0].movedOn == 3 && status.epochs[0].people == 3)
    #expect(status.epochs[1].movedAt != nil && status.epochs[1].people == 3)
    await bench.close()
  }

  @Test func `whoever is named before their turn moves first, and is one person all the while`()
    async throws
  {
    let bench = try IngestBench()
    try await bench.take(request(1, nhs: Self.numbers[0], record: "P1"))
    try await bench.pass()
    try await begin(bench)
    // Taken before anybody has moved: an answer under the old key's ids, and the person again.
    try await bench.take(
      Sample.acceptance(id: "R1", of: "M1-0"),
      request(1, nhs: Self.numbers[0], record: "P1", again: 1))
    try await bench.pass()
    let events = try bench.publisher.events()
    #expect(
      events.map(\.type) == [.handoffRequested, .identityLinked, .accepted, .handoffRequested])
    #expect(events[1].patientKey == events[0].patientKey)
    #expect(events[2].patientKey == events[1].newPatientKey)
    #expect(events[3].patientKey == events[1].newPatientKey)
    #expect(events[2].handoffID == events[0].handoffID)
    #expect(try bench.publisher.conflicts().isEmpty)
    await bench.close()
  }

  @Test func `a person whose key was destroyed stays, is counted, and moves when heard of again`()
    async throws
  {
    let bench = try IngestBench()
    try await bench.take(
      request(1, nhs: Self.numbers[0], record: nil), request(2, nhs: Self.numbers[1], record: nil))
    try await bench.pass()
    let first = try bench.publisher.events()[0]
    _ = try await bench.keys.destroy(
      [first.patientKey], by: "dpo", reason: nil, at: Self.later)
    #expect(try await bench.keys.existingKey(for: .person(first.patientKey)) == nil)
    try await begin(bench)
    try await bench.pass()
    #expect(try moves(bench).count == 1)
    var status = try #require(try KeyStore.status(path: bench.folder.path("keys.sqlite")))
    #expect(status.epochs[0].destroyed == 1 && status.epochs[0].movedOn == 1)
    #expect(status.epochs[1].movedAt != nil)

    try await bench.restart()
    try await bench.take(request(1, nhs: Self.numbers[0], record: nil, again: 1))
    try await bench.pass()
    let last = try #require(try bench.publisher.events().last)
    #expect(try moves(bench).last?.patientKey == first.patientKey)
    #expect(try moves(bench).last?.newPatientKey == last.patientKey)
    // What was sealed before stays closed, under any key there is.
    let key = try #require(try await bench.keys.existingKey(for: .person(last.patientKey)))
    #expect(throws: Sealer.NotAuthentic.self) { try Sealer.identity(of: first, with: key) }
    #expect(try await bench.keys.existingKey(for: .person(first.patientKey)) == nil)
    status = try #require(try KeyStore.status(path: bench.folder.path("keys.sqlite")))
    #expect(status.epochs[0].destroyed == 0 && status.epochs[0].movedOn == 2)
    await bench.close()
  }

  @Test func `who is known by pseudonym only is found in the sealed identities`() async throws {
    let bench = try IngestBench()
    try await bench.take(
      request(1, nhs: Self.numbers[0], record: "P1"), request(2, nhs: nil, record: "P2"))
    // As the first version did it: the key store was not told whom the keys are of.
    let maker = IngestPageMaker(secrets: bench.secrets, sources: [bench.source])
    var (table, parked) = (CorrelationTable(), ParkedAnswers())
    let frames = try await bench.outbox.pending(limit: 9)
    let draft = maker.draft(maker.read(frames), correlation: &table, parked: &parked)
    let keys = try await bench.keys.keys(for: draft.keyNames)
    try await bench.publisher.publish(maker.records(of: draft, keys: keys))
    try await bench.outbox.settle(draft.settlement)
    try await bench.pass()
    #expect(
      try await bench.keys.withoutBasis(among: Set(draft.events.map(\.patientKey))).count == 2)
    try await begin(bench)
    try await bench.pass()
    #expect(Set(try moves(bench).map(\.patientKey)) == Set(draft.events.map(\.patientKey)))
    await bench.close()
  }

  @Test func `a merged person who is heard of in a new epoch is still the survivor`() async throws {
    let bench = try IngestBench()
    func merge(_ old: String, into new: String) -> String {
      Sample.segments(
        "MSH|^~\\&|PAS|RTH|EPR|RXQ|20231114221000||ADT^A40|M5|P|2.4", "EVN|A40|20231114221000",
        "PID|1||\(new)^^^NHS^NH||N^G", "MRG|\(old)^^^NHS^NH")
    }
    try await bench.take(
      request(1, nhs: Self.numbers[0], record: nil), request(2, nhs: Self.numbers[1], record: nil),
      merge(Self.numbers[0], into: Self.numbers[1]))
    try await bench.pass()
    try await begin(bench)
    try await bench.pass()
    // The survivor alone moves: the other's key leads to the survivor already.
    #expect(try moves(bench).count == 1)
    try await bench.take(request(1, nhs: Self.numbers[0], record: nil, again: 1))
    try await bench.pass()
    let hashes = try await hashes(bench)
    let (old, survivor) = (
      hashes.patientKey(try NHSNumber(Self.numbers[0])),
      hashes.patientKey(try NHSNumber(Self.numbers[1]))
    )
    let link = try #require(try moves(bench).last)
    #expect(link.patientKey == old && link.newPatientKey == survivor)
    #expect(bench.session.table.resolve(old) == survivor)
    // It is said once.
    try await bench.take(request(1, nhs: Self.numbers[0], record: nil, again: 2))
    try await bench.pass()
    #expect(try moves(bench).count == 2)
    await bench.close()
  }

  @Test func `one epoch ends before the next begins, and three follow each other`() async throws {
    let bench = try IngestBench()
    try await bench.take(request(1, nhs: Self.numbers[0], record: "P1"))
    try await bench.pass()
    try await begin(bench)
    await #expect(throws: KeyStoreError.epochUnfinished(2)) {
      try await bench.keys.beginEpoch(at: Self.later)
    }
    try await bench.pass()
    #expect(try await bench.keys.beginEpoch(at: Self.later) == 3)
    try await bench.pass()
    try await bench.take(Sample.acceptance(id: "R1", of: "M1-0"))
    try await bench.pass()
    let events = try bench.publisher.events()
    #expect(events.last?.patientKey.epoch == 3)
    #expect(events.last?.handoffID == events[0].handoffID)
    await bench.close()
  }
}

/// The same rotation, with the process ending at every point, against one that never ends.
struct EpochCrashTests {
  /// What a run leaves behind, as far as readers can tell.
  private struct Outcome: Hashable {
    var events: [String]
    var links: [String]
    var epochs: [KeyStoreStatus.Epoch]
  }

  private static let numbers = ["9990000018", "9990000026", "9990000034", "9990000042"]

  /// Requests, a rotation, then answers, a link, a merge and a repeat; in an order of the seed's.
  private func run(
    seed: UInt64, secrets: Secrets, crashAfter steps: Int?
  ) async throws -> (outcome: Outcome, steps: Int, restarts: Int) {
    var random = SeededGenerator(seed: seed)
    let bench = try IngestBench(secrets: secrets)
    var restarts = 0
    func settle() async throws {
      for _ in 0..<3 {
        do { return try await bench.pass() } catch {
          restarts += 1
          try await bench.restart()
        }
      }
    }
    for (index, number) in Self.numbers.enumerated() {
      try await bench.take(
        Sample.request(
          id: "M\(index)", referral: "UBRN\(index)", nhs: index == 3 ? nil : number,
          record: "P\(index)"))
    }
    try await bench.pass()
    try await bench.keys.beginEpoch(
      secret: SymmetricKey(data: Array(repeating: UInt8(5), count: 32)),
      at: Timestamp(milliseconds: 1_700_000_500_000))
    bench.publisher.crash.arm(after: steps)
    var messages = [
      Sample.acceptance(id: "R0", of: "M0"), Sample.acceptance(id: "R3", of: "M3"),
      Sample.request(id: "N1", referral: "UBRN11", nhs: Self.numbers[1], record: "P1"),
      // A local id turns out to belong to an NHS number.
      Sample.request(id: "N3", referral: "UBRN13", nhs: Self.numbers[3], record: "P3"),
      Sample.segments(
        "MSH|^~\\&|PAS|RTH|EPR|RXQ|20231114221000||ADT^A40|N5|P|2.4", "EVN|A40|20231114221000",
        "PID|1||\(Self.numbers[0])^^^NHS^NH||N^G", "MRG|P2^^^RTH^MR"),
    ]
    messages.shuffle(using: &random)
    try await bench.take(messages[0], messages[1])
    try await settle()
    try await bench.take(messages[2], messages[3], messages[4])
    try await settle()
    try await settle()
    let count = bench.publisher.crash.count
    let status = try #require(try KeyStore.status(path: bench.folder.path("keys.sqlite")))
    let outcome = Outcome(
      events: try events(bench), links: try links(bench),
      epochs: status.epochs.map { epoch in
        var epoch = epoch
        epoch.movedAt = epoch.movedAt.map { _ in 1 }
        return epoch
      })
    #expect(bench.outbox.level.rowCount == 0)
    await bench.close()
    return (outcome, count, restarts)
  }

  /// The events as a reader counts them: an arrival once, however often it is published.
  private func events(_ bench: IngestBench) throws -> [String] {
    var seen: Set<[UInt8]> = []
    return try bench.publisher.events().filter { event in
      seen.insert(event.receptionID.bytes + event.id.bytes).inserted
    }.map { event in
      "\(event.type) \(event.id) \(bench.session.table.resolve(event.patientKey)) "
        + "\(event.newPatientKey?.description ?? "") \(event.handoffID?.description ?? "")"
    }.sorted()
  }

  private func links(_ bench: IngestBench) throws -> [String] {
    try bench.publisher.entries().values.map { entry in
      "\(entry.token) \(bench.session.table.resolve(entry.patientKey)) "
        + "\(entry.handoffID?.description ?? "")"
    }.sorted()
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func `a rotation that ends at any point loses nothing and doubles nothing`(
    seed: UInt64
  ) async throws {
    let secrets = Secrets.generate()
    let whole = try await run(seed: seed, secrets: secrets, crashAfter: nil)
    #expect(whole.restarts == 0)
    #expect(whole.steps > 20)
    #expect(whole.outcome.epochs[1].movedAt != nil)
    for step in 0..<whole.steps {
      let broken = try await run(seed: seed, secrets: secrets, crashAfter: step)
      #expect(broken.restarts == 1, "seed \(seed), step \(step)")
      #expect(broken.outcome == whole.outcome, "seed \(seed), step \(step)")
    }
  }
}
