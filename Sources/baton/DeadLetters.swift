import ArgumentParser
import HandoffBus
import HandoffCodecs
import HandoffCore
import KafkaClient

/// `baton deadletter`: what was taken in and became no event, and why.
struct DeadLetterCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "deadletter",
    abstract: "List messages that became no event, with the reason and the field at fault.",
    discussion: """
      A dead letter names why and where, never a value; the message itself is sealed in it. What \
      is listed was kept safe: once the cause is mended its sender has to send it again. Messages \
      that say nothing about a handoff are listed with --all.

        baton deadletter list --source rth-pas
      """,
    subcommands: [List.self], defaultSubcommand: List.self)

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List the dead letters of the topic, by source and the time of their arrival.")

    @OptionGroup var settings: SettingsOptions
    @OptionGroup var output: OutputOptions

    @Option(name: .long, help: ArgumentHelp("Only this connector.", valueName: "name"))
    var source: String?

    @Option(
      name: .long, help: ArgumentHelp("Only this reason, as A27 gives it.", valueName: "code"))
    var reason: String?

    @Flag(name: .long, help: "Also messages that say nothing about a handoff.")
    var all = false

    func run() async throws {
      let (configuration, bootstrap) = try settings.loadWithBroker()
      let output = Output(output)
      let scan = TopicScan(
        KafkaConfiguration(configuration, client: "alerts"),
        topic: .deadLetters)
      try await reachingKafka(bootstrap) {
        // By reception: what was published again after a crash is one letter.
        var letters: [ReceptionID: DeadLetter] = [:]
        var unreadable = 0
        try await scan.readToEnd { record in
          guard let letter = try? WireCodec.deadLetter(record.wire) else {
            unreadable += 1
            return
          }
          if accepts(letter) { letters[letter.receptionID] = letter }
        }
        if letters.isEmpty, try await scan.partitions().isEmpty {
          throw CommandFailure.noTopic(.deadLetters, on: bootstrap, so: "nothing is taken in")
        }
        if unreadable > 0 {
          Progress.line("warning: \(counted(unreadable, "record", "records")) cannot be read here")
        }
        try print(
          letters.values.sorted {
            ($0.source, $0.at, $0.receptionID.rawValue)
              < ($1.source, $1.at, $1.receptionID.rawValue)
          }, output)
      }
    }

    private func accepts(_ letter: DeadLetter) -> Bool {
      (all || letter.disposition == .refused)
        && source.map { "\(letter.source)" == $0 } ?? true
        && reason.map { "\(letter.reason)" == $0 } ?? true
    }

    private func print(_ letters: [DeadLetter], _ output: Output) throws {
      let rows = letters.map(Row.init)
      for row in rows { try output.json(row) }
      guard !rows.isEmpty else { return output.line("No dead letters.") }
      output.table(
        ["ARRIVED", "SOURCE", "RAIL", "TYPE", "REASON", "FIELD", "RECEPTION"],
        rows.map {
          [
            $0.arrived, $0.source, $0.rail, $0.messageType ?? "-", $0.reason, $0.field ?? "-",
            $0.reception,
          ]
        })
      output.line("\(counted(rows.count, "dead letter", "dead letters")).")
    }

    /// One letter as `--json` prints it.
    private struct Row: Encodable {
      var reception, arrived, source, rail, disposition, reason: String
      var field, messageType: String?
      var payloadBytes: UInt64

      init(_ letter: DeadLetter) {
        reception = "\(letter.receptionID)"
        arrived = RFC3339.text(letter.at)
        source = "\(letter.source)"
        rail = "\(letter.rail)"
        disposition = letter.disposition.rawValue
        reason = "\(letter.reason)"
        field = letter.field
        messageType = letter.messageType.map { "\($0)" }
        payloadBytes = letter.payloadBytes
      }
    }
  }
}
