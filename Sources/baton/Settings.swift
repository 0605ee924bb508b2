import ArgumentParser
import Foundation
import HandoffBus
import HandoffStores
import Logging
import Telemetry

/// Where a command finds the bus: a configuration file, the environment, or arguments.
///
/// An argument wins over the environment, the environment over the file. Secrets are never
/// arguments: the list of processes shows those to everybody.
struct SettingsOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp("Configuration file (YAML); also BATON_CONFIG.", valueName: "file"))
  var config: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Kafka brokers, host:port with commas; also BATON_BOOTSTRAP.", valueName: "brokers"))
  var bootstrap: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Folder for outboxes, keys and the audit log; also BATON_DATA.", valueName: "folder"))
  var data: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Least level that is logged: trace, debug, info, notice, warning, error, critical.",
      valueName: "level"),
    transform: logLevel(named:))
  var logLevel: Logger.Level?

  /// Reads file and environment, lets the arguments win, and starts the log.
  ///
  /// A service tells what it does, and outlives whoever reads it; a command that ends soon says
  /// what matters itself.
  func load(isService: Bool = false) throws -> BatonConfiguration {
    var configuration = try BatonConfiguration.load(
      file: config, environment: ProcessInfo.processInfo.environment)
    if let bootstrap { configuration.kafka.bootstrap = bootstrap }
    if let data { configuration.dataFolder = data }
    if let logLevel { configuration.logLevel = logLevel }
    if isService { StandardStream.outliveReaders() }
    Telemetry.bootstrap(level: configuration.logLevel ?? (isService ? .notice : .critical))
    configuration.recordGuard = try recordGuards { try RecordGuard.load(configuration) }
    return configuration
  }

  /// What ``load()`` gives where the command cannot do without a broker.
  func loadWithBroker(
    isService: Bool = false
  ) throws -> (configuration: BatonConfiguration, bootstrap: String) {
    let configuration = try load(isService: isService)
    guard let bootstrap = configuration.kafka.bootstrap else {
      throw CommandFailure(
        .badConfiguration, "No Kafka broker is named.",
        advice: "Give --bootstrap host:port, set BATON_BOOTSTRAP, or name it in --config.")
    }
    return (configuration, bootstrap)
  }
}

/// Turns what can be wrong with record secrets into a sentence and an exit code.
func recordGuards(_ body: () throws -> RecordGuard?) throws -> RecordGuard? {
  do {
    return try body()
  } catch let error as SecretsError {
    throw CommandFailure(
      ExitStatus(error), "The record secrets cannot be used: \(error).",
      advice: "Restore the file: without it our own records are not told from forged ones.")
  }
}

private func logLevel(named text: String) throws -> Logger.Level {
  guard let level = Logger.Level(rawValue: text) else {
    let known = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
    throw ValidationError("Not a log level; known are \(known).")
  }
  return level
}
