import Foundation
import HandoffCodecs
import HandoffCore
import HandoffStores
import TestSupport
import Testing

@Suite struct AuditExportTests {
  private func sample() async throws -> (AuditSample, AuditReport) {
    let sample = try AuditSample()
    try await sample.store.append(AuditSample.records(30))
    _ = try await sample.store.publish(by: sample.signer)
    try await sample.store.append([AuditSample.record(90)])
    return (sample, try await sample.verify())
  }

  private func verify(
    _ lines: [[UInt8]], _ sample: (AuditSample, AuditReport)
  ) async throws -> AuditExportVerifier.Result {
    try await AuditExportVerifier(store: sample.0.store, report: sample.1).verify(
      lines.enumerated().map { AuditExportVerifier.Line(number: $0.offset + 1, bytes: $0.element) })
  }

  @Test(arguments: NDJSON.Form.allCases)
  func `exported lines are found to be what was logged`(form: NDJSON.Form) async throws {
    let sample = try await sample()
    let records = try AuditSample.records(30) + [AuditSample.record(90)]
    let lines = records.map { NDJSON.line($0.stored, form: form) }
    let result = try await verify(lines, sample)
    #expect(result.findings.isEmpty, "\(result.findings)")
    #expect(result.covered == 30)
    #expect(result.uncovered == 1)
  }

  @Test(arguments: NDJSON.Form.allCases)
  func `any one byte changed in an exported line is found, and the line is named`(
    form: NDJSON.Form
  ) async throws {
    let sample = try await sample()
    let line = NDJSON.line(try AuditSample.record(6).stored, form: form)
    var changed: [[UInt8]] = []
    for place in line.indices {
      var bytes = line
      bytes[place] ^= 1 << UInt8(place % 8)
      changed.append(bytes)
    }
    let result = try await verify(changed, sample)
    #expect(result.covered == 0)
    #expect(result.findings.count == line.count)
    #expect(zip(1..., result.findings).allSatisfy { $1.place.hasPrefix("line \($0)") })
  }

  @Test func `a changed value, a moved record and one from elsewhere are named`() async throws {
    let sample = try await sample()
    var record = try AuditSample.record(6)
    record.value = [1]
    var moved = try AuditSample.record(7)
    moved.offset = 9
    let elsewhere = try AuditSample.record(
      3, of: AuditLogName(topic: "handoff.alerts.v1", partition: 0))
    let lines =
      [record, moved, elsewhere].map { NDJSON.line($0.stored) } + [Array("{".utf8)]
    let places = try await verify(lines, sample).findings.map(\.place)
    #expect(places.count == 4)
    #expect(places[0] == "line 1 (handoff.events.v1/3 offset 6), member data_base64")
    #expect(places[1].hasPrefix("line 2 (handoff.events.v1/3 offset 9), member"))
    #expect(places[2] == "line 3 (handoff.alerts.v1/0 offset 3)")
    #expect(places[3] == "line 4")
  }
}
