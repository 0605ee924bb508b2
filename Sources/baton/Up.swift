import ArgumentParser
import Foundation
import HandoffBus
import HandoffCore
import KafkaClient
import Logging

/// `baton up`: the whole bus in one process.
struct UpCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "up",
    abstract: "Run everything in one process: connectors, ingest, reconciler, audit.",
    discussion: """
      Creates the topics that are missing and the secrets of the data folder at first start, runs \
      the configured connectors (or an MLLP listener and a drop folder where there are none), and \
      prints alerts in words as they are raised. Ctrl-C ends it in order: nothing is lost.

      With --messages DIR the files of a folder are fed through real connectors over loopback, HL7 \
      by MLLP and the rest as a drop folder, and what became of them is counted folder by folder: \
      every message is an event, says nothing about a handoff, waits for its request, or is a dead \
      letter with its reason.

      Without a broker (--bootstrap, BATON_BOOTSTRAP or the configuration) librdkafka's mock \
      cluster serves in this process: in memory only, and without real transactions.
      """)

  @OptionGroup var settings: SettingsOptions
  @OptionGroup var output: OutputOptions

  @Option(
    name: .long,
    help: ArgumentHelp("Feed the files below this folder.", valueName: "folder"))
  var messages: String?

  @Flag(name: .long, help: "Play a morning of invented handoffs, some lost and some doubled.")
  var demo = false

  @Flag(
    name: .long,
    help: "End when all that was fed is through every stage and a checkpoint is signed.")
  var exitWhenIdle = false

  @Option(
    name: .long,
    help: ArgumentHelp("Policy file (YAML); also BATON_POLICY.", valueName: "file"))
  var policy: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Partitions of topics that are not there yet; those that are keep theirs. Default: "
        + "topics.partitions of the configuration, or BATON_PARTITIONS, or 4.",
      valueName: "count"))
  var partitions: Int?

  /// Enough for a look around on one machine.
  private static let partitionsDefault = 4

  func validate() throws {
    guard (1...1000).contains(partitions ?? 1) else {
      throw ValidationError("--partitions must be a whole number from 1 to 1000.")
    }
    if demo, messages != nil {
      throw ValidationError("Give --demo or --messages, not both.")
    }
  }

  func run() async throws {
    var configuration = try settings.load(isService: true)
    if let policy { configuration.policyFile = policy }
    let run = UpRun(
      configuration: configuration, messages: messages, isDemo: demo, endsWhenIdle: exitWhenIdle,
      partitions: partitions ?? configuration.topics.partitions ?? Self.partitionsDefault,
      output: Output(output, isService: true))
    try await run.run()
  }
}
