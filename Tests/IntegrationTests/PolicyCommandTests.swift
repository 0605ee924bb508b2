import Foundation
import HandoffCodecs
import HandoffCore
import TestSupport
import Testing

@Suite struct `The command baton policy` {
  private func write(_ text: String, _ folder: TemporaryFolder, _ name: String) throws -> String {
    try Data(text.utf8).write(to: folder.url.appending(path: name))
    return folder.path(name)
  }

  @Test func `shows the policy that ships as a file that it takes back`() async throws {
    let folder = try TemporaryFolder()
    let shown = try await BatonExecutable.run(["policy", "show", "--yaml"])
    #expect(shown.status == 0)
    let file = try write(shown.output, folder, "p.yaml")
    let checked = try await BatonExecutable.run(["policy", "check", file])
    #expect(checked.status == 0, "\(checked.output)")
    let same = try await BatonExecutable.run(["policy", "diff", "default", file])
    #expect(same.status == 0)
    #expect(same.output.contains("Nothing changes."))
    let changed = shown.output.replacingOccurrences(of: "accept: 15min", with: "accept: 20min")
    let looser = try await BatonExecutable.run([
      "policy", "diff", file, try write(changed, folder, "q.yaml"),
    ])
    #expect(looser.status == 1)
    #expect(looser.output.contains("ambulance-ed: accept"))
    #expect(looser.output.contains("looser"))
  }

  @Test func `shows every clock with its source, as text and as JSON`() async throws {
    let text = try await BatonExecutable.run(["policy", "show", "--kind", "home-care"])
    #expect(text.status == 0)
    #expect(text.output.contains("ready+48h"))
    #expect(text.output.contains("aspiration of 2 days"))
    let json = try await BatonExecutable.run(["policy", "show", "--json"])
    struct Shown: Decodable {
      struct Row: Decodable {
        var kind: String?
        var clocks: [String: String]
        var source: String
      }
      var rows: [Row]
    }
    let shown = try JSONDecoder().decode(Shown.self, from: Data(json.output.utf8))
    #expect(shown.rows.count > 20)
    #expect(shown.rows.allSatisfy { !$0.source.isEmpty })
    let none = try await BatonExecutable.run(["policy", "show", "--kind", "dentist"])
    #expect(none.status == 64)
  }

  @Test func `refuses a bad file whole, with every fault and its line`() async throws {
    let folder = try TemporaryFolder()
    let file = try write("format: baton.policy.v1\nversion: 0\ncolour: blue\n", folder, "p.yaml")
    let text = try await BatonExecutable.run(["policy", "check", file])
    #expect(text.status == 1)
    for fault in ["line 1: clocks: missing", "line 2: version", "line 3: colour: unknown key"] {
      #expect(text.output.contains(fault), "\(text.output)")
    }
    let json = try await BatonExecutable.run(["policy", "check", file, "--json"])
    struct Report: Decodable {
      var good: Bool
      var faults: [Fault]
      struct Fault: Decodable { var line: Int }
    }
    let report = try JSONDecoder().decode(Report.self, from: Data(json.output.utf8))
    #expect(!report.good)
    #expect(report.faults.map(\.line) == [1, 2, 3])
  }

  @Test func `checks a register too`() async throws {
    let file = PackageRoot.url.appending(path: "deploy/examples/register.yaml").path
    let run = try await BatonExecutable.run(["policy", "check", file])
    #expect(run.status == 0)
    #expect(run.output.contains("11 organisations"))
  }
}

@Suite struct `Recorded history` {
  private let events = PackageRoot.url.appending(
    path: "Schemas/journeys/hospital-council-late.ndjson"
  ).path

  @Test func `under the same policy is the same, and under a tighter one is otherwise`()
    async throws
  {
    let folder = try TemporaryFolder()
    let policy = PackageRoot.url.appending(path: "Schemas/journeys/policy.yaml").path
    let same = try await BatonExecutable.run([
      "reconcile", "--input", events, "--policy", policy, "--what-if", policy, "--until",
      "2026-11-30T00:00:00Z",
    ])
    #expect(same.status == 0, "\(same.errors)")
    #expect(same.output.contains("Nothing would be otherwise"))
    let text = try String(contentsOfFile: policy, encoding: .utf8)
      .replacingOccurrences(of: "accept: 24h", with: "accept: 12h")
    let file = folder.url.appending(path: "tighter.yaml")
    try Data(text.utf8).write(to: file)
    let tighter = try await BatonExecutable.run([
      "reconcile", "--input", events, "--policy", policy, "--what-if", file.path, "--json",
      "--until", "2026-11-30T00:00:00Z",
    ])
    struct Report: Decodable {
      struct Alert: Decodable { var change, rule: String }
      var unchanged: Int
      var alerts: [Alert]
    }
    let report = try JSONDecoder().decode(Report.self, from: Data(tighter.output.utf8))
    #expect(report.alerts.map(\.change) == ["moves"])
    #expect(report.alerts.map(\.rule) == ["A08"])
    #expect(report.unchanged > 0)
  }

  @Test func `that switches to a policy not given is not judged by another`() async throws {
    let folder = try TemporaryFolder()
    let text = """
      format: baton.policy.v1
      version: 7
      clocks:
        - {kind: gp-hospital, acknowledge: 4h, accept: 48h, start: 72h, complete: 18wk, feedback: 7d}

      """
    let policy = try PolicyDocument(Array(text.utf8)).policy
    try Data(text.utf8).write(to: folder.url.appending(path: "p.yaml"))
    let line = StoredRecord(
      record: WireCodec().encode(
        RulesActivation(rulesVersion: 1, policyHash: policy.hash, isCommanded: true),
        at: JourneyGenerator.start),
      coordinates: RecordCoordinates(topic: "handoff.events.v1", partition: 0, offset: 0),
      brokerAt: JourneyGenerator.start)
    try Data(NDJSON.line(line)).write(to: folder.url.appending(path: "e.ndjson"))
    let first = PackageRoot.url.appending(path: "deploy/examples/policy.yaml").path
    let (file, input) = (folder.path("p.yaml"), ["--input", folder.path("e.ndjson")])
    for command in [["reconcile"], ["reconcile", "--what-if", file], ["measures"]] {
      let unknown = try await BatonExecutable.run(command + input)
      #expect(unknown.status == 65, "\(command)")
      #expect(
        unknown.errors.contains(
          "switch at \(RFC3339.text(JourneyGenerator.start)) to policy \(policy.hash)"))
      let known = try await BatonExecutable.run(
        command + input + ["--policy", first, "--policy", file])
      #expect(known.status == 0, "\(command): \(known.errors)")
    }
  }

  @Test func `is measured, with small numbers suppressed, as text, JSON and CSV`() async throws {
    let run = try await BatonExecutable.run(["measures", "--input", events, "--csv"])
    #expect(run.status == 0, "\(run.errors)")
    let lines = run.output.split(separator: "\n")
    #expect(lines.first?.hasPrefix("measure,principle,week,group,suppressed") == true)
    // One handoff: nothing of it may be shown.
    #expect(lines.dropFirst().allSatisfy { $0.contains(",yes,") })
    #expect(lines.count > 3)
    let json = try await BatonExecutable.run(["measures", "--input", events, "--json"])
    struct Row: Decodable {
      var metric: String
      var suppressed: Bool
    }
    let rows = try JSONDecoder().decode([Row].self, from: Data(json.output.utf8))
    #expect(rows.count == lines.count - 1)
    #expect(rows.allSatisfy { $0.metric.hasPrefix("baton_measure_") })
    let wrong = try await BatonExecutable.run([
      "measures", "--input", events, "--by", "quintile",
    ])
    #expect(wrong.status == 64)
  }

  @Test func `is measured as Prometheus reads it, with the value that the text shows`() async throws
  {
    let folder = try TemporaryFolder()
    var journeys = JourneyGenerator(seed: 31)
    let codec = WireCodec()
    var lines: [UInt8] = []
    for record in journeys.records(count: 400) {
      guard let event = record.content.event else { continue }
      lines += NDJSON.line(
        StoredRecord(
          record: codec.encode(event), coordinates: record.coordinates, brokerAt: record.brokerAt))
      lines.append(UInt8(ascii: "\n"))
    }
    try Data(lines).write(to: folder.url.appending(path: "events.ndjson"))
    let file = folder.path("events.ndjson")
    let run = try await BatonExecutable.run([
      "measures", "--input", file, "--partitions", "1", "--by", "kind", "--metrics",
    ])
    #expect(run.status == 0, "\(run.errors)")
    let metrics = try PrometheusText(run.output)
    #expect(Set(metrics.types.keys).isSubset(of: Set(Measure.allCases.map(\.metricName))))
    #expect(metrics.types.values.allSatisfy { $0 == "gauge" })
    #expect(
      metrics.values.keys.allSatisfy { Set($0.labels.keys).isSubset(of: ["kind", "quantile"]) })
    let json = try await BatonExecutable.run([
      "measures", "--input", file, "--partitions", "1", "--by", "kind", "--json",
    ])
    struct Row: Decodable {
      var metric: String
      var group: String?
      var p50Seconds: Int64?
      var part: Int?
      var whole: Int?
    }
    let rows = try JSONDecoder().decode([Row].self, from: Data(json.output.utf8))
    var shown = 0
    for row in rows {
      let labels = row.group.map { ["kind": $0] } ?? [:]
      let samples = metrics.values.filter { series, _ in
        series.name == row.metric && series.labels["kind"] == labels["kind"]
          && series.labels["quantile"] != "0.9"
      }.map(\.value)
      if let median = row.p50Seconds {
        #expect(samples == [Double(median)])
        shown += 1
      } else if let part = row.part, let whole = row.whole {
        let factor: Double = row.metric.hasSuffix("_per_thousand") ? 1000 : 1
        #expect(samples == [factor * Double(part) / Double(whole)])
        shown += 1
      } else {
        #expect(samples == [])
      }
    }
    #expect(shown > 4)
  }
}
