import Foundation
import HandoffCodecs
import HandoffConnectors
import HandoffCore
import HandoffStores
import KafkaClient
import Logging
import Synchronization
import TestSupport
import Testing

@testable import HandoffBus

struct NoticeTests {
  private let secrets = Secrets.generate()
  private let ingest = BoundaryKeys.generate()

  private func organisation(
    _ code: String, hasOutbox: Bool = true
  ) throws -> (organisation: BoundaryOrganisation, keys: BoundaryKeys) {
    let code = try #require(ODSCode(code))
    let keys = BoundaryKeys.generate()
    return (
      BoundaryOrganisation(
        code: code, speaksFor: [code], connectors: [], hasOutbox: hasOutbox, ingest: ingest,
        keys: keys.publicKeys), keys
    )
  }

  /// How a sink of `organisation` opens.
  private func opening(_ organisation: BoundaryOrganisation, _ keys: BoundaryKeys) -> BoundarySeal {
    BoundarySeal(
      .outbox, organisation: organisation.code, own: keys, other: ingest.publicKeys)
  }

  private let identity = SealedIdentity(
    person: .init(
      nhsNumber: "9990000018", nhsNumberStatus: "number-present-and-verified", localIDs: [],
      familyName: "CANARYNAME", givenName: nil, birthDate: nil, postcode: nil),
    priorPerson: nil, messageID: "M1",
    ids: [.init(role: "handoff", system: "RF1-6", value: "UBRN1", assigner: nil)],
    organisations: [])

  /// Events of invented journeys, with parties drawn from a few organisations, registered or not.
  private func events(seed: UInt64, among codes: [ODSCode]) throws -> [HandoffEvent] {
    var random = SeededGenerator(seed: seed)
    var journeys = JourneyGenerator(seed: seed)
    func party() throws -> Party? {
      switch Int.random(in: 0..<6, using: &random) {
      case 0: nil
      case 1: Party(organisation: .local(Token(rawValue: 5)))
      case 2: Party(organisation: .openReferral(Token(rawValue: 5)))
      default:
        Party(
          organisation: .ods(
            try #require(codes.randomElement(using: &random))))
      }
    }
    return try journeys.events(count: 60).map { event in
      var event = event
      event.from = try party()
      event.to = try party()
      event.cc = try [party(), party()].compactMap(\.self)
      event.spokenBy = try party()?.organisation
      return event
    }
  }

  @Test(arguments: 0..<30 as Range<UInt64>)
  func `an outbox holds notices of its own organisation's handoffs, and nothing else`(
    seed: UInt64
  ) throws {
    let registered = try ["RTH", "RXQ", "R1"].map { try organisation($0) }
    let silent = try organisation("RZZ", hasOutbox: false)
    let stranger = try #require(ODSCode("RR1"))
    let codes = (registered + [silent]).map { $0.organisation.code } + [stranger]
    let maker = NoticeMaker(
      registered.map { $0.organisation } + [silent.organisation], secrets: secrets)
    let events = try events(seed: seed, among: codes)
    let messages = events.map { event in (event, maker.messages(of: event, identity)) }
    for (organisation, keys) in registered + [silent] {
      let seal = opening(organisation, keys)
      let own = OrganisationID.ods(organisation.code)
      var opened = 0
      for (event, messages) in messages {
        let parties = ([event.from, event.to].compactMap(\.self) + event.cc).map(\.organisation)
        let mine = messages.filter { $0.topic == organisation.outboxTopic }
        let isTold = organisation.hasOutbox && parties.contains(own)
        #expect(mine.count == (isTold ? 1 : 0), "seed \(seed)")
        for message in mine {
          let sealed = try WireCodec.sealedNotice(message.wire)
          let notice = try sealed.notice(by: seal)
          #expect(notice.id == sealed.noticeID)
          opened += 1
        }
        // What is in another's outbox, nobody else can open.
        for message in messages where message.topic != organisation.outboxTopic {
          let sealed = try WireCodec.sealedNotice(message.wire)
          #expect(throws: BoundarySealError.self) { try sealed.notice(by: seal) }
        }
      }
      #expect(organisation.hasOutbox ? opened > 0 : opened == 0)
    }
  }

  @Test
  func `a notice says who it is about to its organisation, and to nobody that reads the topic`()
    throws
  {
    let (rth, keys) = try organisation("RTH")
    let (rxq, _) = try organisation("RXQ")
    let maker = NoticeMaker([rth, rxq], secrets: secrets)
    var event = try #require(try events(seed: 1, among: [rth.code]).first)
    event.from = Party(organisation: .ods(rth.code))
    event.to = Party(organisation: .ods(rxq.code))
    event.cc = []
    let messages = maker.messages(of: event, identity)
    #expect(messages.map(\.topic) == ["handoff.outbox.rth.v1", "handoff.outbox.rxq.v1"])
    let notice = try WireCodec.sealedNotice(messages[0].wire).notice(by: opening(rth, keys))
    let text = String(decoding: notice.json, as: UTF8.self)
    for word in ["9990000018", "CANARYNAME", "UBRN1", "RF1-6", "M1", "ods:RXQ"] {
      #expect(text.contains(word), "\(word)")
    }
    // No pseudonym of the bus: the organisation cannot tie its patients to other records.
    #expect(!text.contains(event.patientKey.description))
    #expect(Data(notice.protobuf).range(of: Data(event.patientKey.hash)) == nil)
    #expect("\(notice)" == "Notice(redacted)")
    let keyTexts = messages.map { String(decoding: $0.key ?? [], as: UTF8.self) }
    #expect(keyTexts[0] != keyTexts[1])
    #expect(!keyTexts.contains { event.patientKey.description.contains($0) })
    for message in messages {
      for bytes in [message.key, message.value].compactMap(\.self)
        + message.headers.compactMap(\.value)
      {
        for word in ["9990000018", "CANARYNAME", "UBRN1"] {
          #expect(Data(bytes).range(of: Data(word.utf8)) == nil)
        }
      }
    }
    // The same event told again is the same notice; another arrival of it is another.
    #expect(
      try WireCodec.sealedNotice(maker.messages(of: event, identity)[0].wire).noticeID == notice.id)
    event.receptionID = ReceptionID(rawValue: 9)
    #expect(
      try WireCodec.sealedNotice(maker.messages(of: event, identity)[0].wire).noticeID != notice.id)
  }

  @Test func `a verdict is told to sender and receiver, without who it is about`() throws {
    let (rth, keys) = try organisation("RTH")
    let (other, _) = try organisation("R1")
    let maker = NoticeMaker([rth, other], secrets: secrets)
    let verdicts = try OfflineReconcilerTests.verdicts(of: OfflineReconcilerTests.lines(seed: 2))
    var verdict = try #require(verdicts.first { $0.handoffID != nil })
    verdict.from = .ods(rth.code)
    verdict.to = nil
    let messages = maker.messages(of: verdict)
    #expect(messages.map(\.topic) == ["handoff.outbox.rth.v1"])
    let notice = try WireCodec.sealedNotice(messages[0].wire).notice(by: opening(rth, keys))
    let text = String(decoding: notice.json, as: UTF8.self)
    #expect(text.contains("\"verdict\""))
    #expect(text.contains("RULE_\(verdict.rule.rawValue)"))
    let key = try #require(verdict.patientKey)
    #expect(Data(notice.protobuf).range(of: Data(key.hash)) == nil)
    verdict.from = nil
    #expect(maker.messages(of: verdict).isEmpty)
  }

  @Test func `ingest tells the parties in the transaction of the event`() async throws {
    let bench = try InboxBench()
    try await bench.take(bench.record(Sample.request()))
    let notices = bench.publisher.committed.filter { $0.topic == "handoff.outbox.rth.v1" }
    #expect(notices.count == 1)
    let seal = BoundarySeal(
      .outbox, organisation: bench.scene.rthCode, own: bench.scene.rth,
      other: bench.scene.ingest.publicKeys)
    let notice = try WireCodec.sealedNotice(try #require(notices.first).wire).notice(by: seal)
    #expect(String(decoding: notice.json, as: UTF8.self).contains(Sample.nhsNumber))
    await bench.close()
  }

  @Test func `the sink writes whole files, keeps what does not open apart, and prints nobody`()
    throws
  {
    let folder = try TemporaryFolder()
    let lines = LogKeeper.Lines()
    let (rth, keys) = try organisation("RTH")
    let maker = NoticeMaker([rth], secrets: secrets)
    var event = try #require(try events(seed: 3, among: [rth.code]).first)
    event.to = Party(organisation: .ods(rth.code))
    let sink = NoticeSink(
      KafkaConfiguration(bootstrapServers: ["127.0.0.1:9"]), organisation: rth.code,
      seal: opening(rth, keys), folder: folder.path("notices"),
      logger: Logger(label: "test") { _ in LogKeeper(lines: lines) })
    func record(_ message: KafkaMessage, _ offset: Int64) -> KafkaRecord {
      KafkaRecord(
        topic: message.topic, partition: 1, offset: offset, timestampMilliseconds: 5,
        key: message.key, value: message.value, headers: message.headers)
    }
    let good = try #require(maker.messages(of: event, identity).first)
    var forged = good
    let last = (good.value?.count ?? 1) - 1
    forged.value?[last] ^= 1
    try sink.write([record(good, 4), record(forged, 5), record(good, 6)])
    try sink.write([record(good, 4), record(forged, 5), record(good, 6)])
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path("notices")).sorted()
    #expect(
      names == [
        "notices-1-0000000000000000004.ndjson", "notices-1-0000000000000000004.refused",
      ])
    let text = try String(
      contentsOfFile: folder.path("notices/\(names[0])"), encoding: .utf8)
    #expect(text.split(separator: "\n").count == 2)
    #expect(text.contains("CANARYNAME"))
    let told = lines.all.withLock { $0 }
    #expect(told.count == 2 && told.allSatisfy { $0.contains("outbox.not-authentic") })
    #expect(!told.contains { $0.contains("CANARYNAME") })
    let attributes = try FileManager.default.attributesOfItem(
      atPath: folder.path("notices/\(names[0])"))
    #expect(attributes[.posixPermissions] as? Int == 0o600)
    #expect(group(of: sink) == "baton-org-rth-notices")
  }

  private func group(of sink: NoticeSink) -> String { sink.group }
}
