import ArgumentParser
import Foundation
import HandoffBus
import HandoffConnectors
import HandoffCore

extension ConnectCommand {
  /// `baton connect check`: what samples would become, without publishing anything.
  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Check connector files, and show what sample messages become.",
      discussion: """
        Nothing is published and nothing is stored. Each connector takes the samples as one \
        conversation in the order given: an answer finds the request before it. For every event \
        it shows the field each value came from, and for every message what is lost on the way: \
        fields with content that no value came from, by name. What names a patient is not shown. \
        A sample is a file, of one message or a batch, or a folder, whose files are taken by name. \
        Exit code 1 where a message is refused.
        """)

    @Argument(
      help: ArgumentHelp("Connector files, or folders of them.", valueName: "file"))
    var files: [String]

    @Option(
      name: .long, parsing: .upToNextOption,
      help: ArgumentHelp("Files or folders of sample messages.", valueName: "path"))
    var sample: [String] = []

    @OptionGroup var output: OutputOptions

    func run() throws {
      let connectors = try connectFailures {
        try files.flatMap { try ConnectStack.connectors(at: $0) }
      }
      guard !connectors.isEmpty else {
        throw CommandFailure(.noInput, "The folder holds no connector file (.yaml or .yml).")
      }
      let paths = try sample.flatMap(Self.files)
      let output = Output(output)
      var report = Report(connectors: [])
      for connector in connectors {
        var check = ConnectorCheck(connector, now: ConnectStack.systemTime())
        var samples: [Sample] = []
        for path in paths {
          guard let data = FileManager.default.contents(atPath: path) else {
            throw CommandFailure(.noInput, "Cannot read the sample \(path).")
          }
          samples.append(Sample(file: path, messages: check.check(Array(data))))
        }
        report.connectors.append(
          Connector(
            connector: connector.name.description,
            remark: Self.remark(on: connector, samples.flatMap(\.messages)), samples: samples))
      }
      try output.result(report) { CheckText(style: output.style).text(of: report) }
      let refused = report.connectors.flatMap(\.samples).flatMap(\.messages)
        .filter { $0.outcome == .refused }.count
      if refused > 0 {
        throw CommandFailure(
          .found, "\(refused) of the sample messages would be refused.",
          advice: "The sender would hear so with the reason shown above.")
      }
    }

    /// What is well in the file, and may not be what was meant.
    private static func remark(
      on connector: ConnectorConfiguration, _ messages: [ConnectorCheck.Message]
    ) -> String? {
      var remarks: [String] = []
      if case .dropFolder(let folder) = connector.source,
        kind(of: folder.path) != .typeDirectory
      {
        remarks.append("its folder \(folder.path) does not exist here; where it runs it must")
      }
      let requests = messages.flatMap(\.events).filter {
        $0.type == EventType.handoffRequested.rawValue
      }
      let unnamed = requests.count { $0.kind ?? "" == HandoffKind.unspecified.description }
      if unnamed > 0 {
        remarks.append(
          "\(unnamed) of \(counted(requests.count, "request", "requests")) "
            + "\(unnamed == 1 ? "has" : "have") no kind, so the clocks are the policy's fallback; "
            + "write what the messages call it under `kinds`")
      }
      return remarks.isEmpty ? nil : remarks.joined(separator: "; ")
    }

    /// The file itself, or every file below the folder, in order of names.
    private static func files(at path: String) throws -> [String] {
      switch kind(of: path) {
      case nil: throw CommandFailure(.noInput, "There is no sample \(path).")
      case .typeDirectory?:
        let names = (FileManager.default.subpaths(atPath: path) ?? []).sorted()
        return names.filter { name in
          !name.split(separator: "/").contains { $0.hasPrefix(".") }
        }.map { path + "/" + $0 }.filter { kind(of: $0) == .typeRegular }
      default: return [path]
      }
    }

    private static func kind(of path: String) -> FileAttributeType? {
      (try? FileManager.default.attributesOfItem(atPath: path))?[.type] as? FileAttributeType
    }

    struct Report: Encodable {
      var connectors: [Connector]
    }

    struct Connector: Encodable {
      var connector: String
      var remark: String?
      var samples: [Sample]
    }

    struct Sample: Encodable {
      var file: String
      var messages: [ConnectorCheck.Message]
    }
  }
}

/// The report of `baton connect check` for people.
private struct CheckText {
  let style: Style

  /// Fields named of one message; JSON has all.
  private static let lostShownMax = 40

  func text(of report: ConnectCommand.Check.Report) -> String {
    var lines: [String] = []
    for connector in report.connectors {
      lines.append("Connector \(connector.connector): the file is good.")
      if let remark = connector.remark { lines.append("  note: \(remark)") }
      for sample in connector.samples {
        lines += ["", style.bold(sample.file)]
        for (index, message) in sample.messages.enumerated() {
          let number = sample.messages.count > 1 ? "\(index + 1). " : ""
          lines += describe(message).enumerated().map { "  " + ($0 == 0 ? number : "") + $1 }
        }
      }
    }
    return lines.joined(separator: "\n")
  }

  private func describe(_ message: ConnectorCheck.Message) -> [String] {
    let place = message.field.map { " at \($0)" } ?? ""
    var lines: [String] = []
    switch message.outcome {
    case .events:
      for event in message.events { lines += describe(event) }
    case .noHandoffFact:
      lines.append(style.dim("no handoff fact (\(message.reason ?? "")): accepted, kept aside"))
    case .waiting:
      lines.append(style.yellow("waits") + ": " + (message.explanation ?? ""))
    case .refused:
      lines.append(
        style.red("refused") + " \(message.reason ?? "")\(place): \(message.explanation ?? "")")
    }
    if !message.lost.isEmpty {
      // A Bundle of which nothing is used would fill pages.
      let shown = message.lost.prefix(Self.lostShownMax).joined(separator: ", ")
      let rest = message.lost.count - Self.lostShownMax
      lines.append("lost on the way: \(shown)" + (rest > 0 ? ", and \(rest) more (--json)" : ""))
    }
    lines.append("answer by \(message.answer.rail): \(message.answer.code)")
    return lines
  }

  private func describe(_ event: ConnectorCheck.Event) -> [String] {
    var parts = [style.green(event.type), "by the \(event.speaker)"]
    if let handoff = event.handoff { parts.append("handoff \(handoff)…") }
    if let from = event.from { parts.append("from \(short(from))") }
    if let to = event.to { parts.append("to \(short(to))") }
    if let kind = event.kind { parts.append("\(kind), \(event.priority ?? "no priority")") }
    if let reason = event.reason { parts.append("because \(reason)") }
    parts.append("at \(event.occurredAt)")
    let fields = Table(
      headers: ["property", "value", "read from"],
      rows: event.fields.map { [$0.property, short($0.value), $0.from] }
    ).lines.dropFirst()
    return [parts.joined(separator: "  ")] + fields.map { "    " + style.dim($0) }
  }

  /// An organisation that the connector's file does not know has a pseudonym, whose end says no more.
  private func short(_ value: String) -> String {
    value.hasPrefix("local:") ? String(value.prefix(14)) + "…" : value
  }
}
