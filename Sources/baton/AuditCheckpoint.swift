import ArgumentParser
import Foundation
import HandoffBus
import HandoffCore
import HandoffStores

/// `baton audit checkpoint`: the signed heads of the logs, to be kept by a witness.
struct AuditCheckpointCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "checkpoint",
    abstract: "Show the newest signed checkpoint of each log, or print one to keep.",
    discussion: """
      With --topic and --partition the signed note itself is printed. Keep it outside of this \
      system: `baton audit prove --since FILE` then proves that nothing before it was changed.
      """)

  @OptionGroup var settings: SettingsOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var log: AuditLogOptions

  @Flag(name: .long, help: "Sign what grew since, with the private key in the data folder.")
  var sign = false

  private struct LogRow: Encodable {
    var topic: String
    var partition: Int32
    var size: UInt64
    var covered: UInt64
    var root: String?
    var note: String?
  }

  func run() async throws {
    let name = try log.name()
    let configuration = try settings.load()
    let store = try AuditLog.open(configuration.files)
    let output = Output(output)
    do {
      if sign {
        _ = try await store.publish(by: AuditKeyFile.signer(at: configuration.files.checkpointKey))
      }
      if let name {
        try await printNote(of: name, store, output)
      } else {
        try await printAll(store, output)
      }
    } catch let error as AuditStoreError {
      throw AuditLog.failure(error)
    } catch let error as AuditKeyError {
      throw AuditLog.failure(error)
    }
  }

  private func printNote(
    of name: AuditLogName, _ store: AuditStore, _ output: Output
  ) async throws {
    guard let state = try await store.log(name) else {
      throw CommandFailure(.noInput, "Nothing is logged of \(name).")
    }
    guard let note = state.checkpoint else {
      throw CommandFailure(
        .noInput, "No checkpoint of \(name) is signed yet.",
        advice: "The audit service signs one at its interval; --sign does it now.")
    }
    try output.json(row(state))
    if !output.isJSON { output.write(note) }
  }

  private func printAll(_ store: AuditStore, _ output: Output) async throws {
    let states = try await store.logs()
    for state in states { try output.json(row(state)) }
    output.table(
      ["LOG", "RECORDS", "SIGNED", "ROOT"],
      states.map { state in
        [
          "\(state.name)", "\(state.size)", "\(state.checkpointSize)",
          state.checkpointed.map { Base64.encode($0.root.bytes) } ?? "not signed yet",
        ]
      })
  }

  private func row(_ state: AuditLogState) -> LogRow {
    LogRow(
      topic: state.name.topic, partition: state.name.partition, size: state.size,
      covered: state.checkpointSize,
      root: state.checkpointed.map { Base64.encode($0.root.bytes) },
      note: state.checkpoint)
  }
}

/// `baton audit keygen`: the key that signs checkpoints.
struct AuditKeygenCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keygen",
    abstract: "Make the key that signs checkpoints: a private file, and a public one to give away.",
    discussion: """
      The private key (mode 600) stays with the signer; a log keeps its key for life. The public \
      one verifies, and is in the form of Go's sumdb/note: name+hash+key.
      """)

  @OptionGroup var settings: SettingsOptions
  @OptionGroup var output: OutputOptions

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Who signs, as it stands on every checkpoint: a URL without scheme, such as "
        + "baton.example.nhs.uk/log.", valueName: "name"))
  var name: String

  @Option(
    name: .long,
    help: ArgumentHelp("Private key file; default in the data folder.", valueName: "file"))
  var secret: String?

  @Option(
    name: .customLong("public"),
    help: ArgumentHelp("Public key file; default in the data folder.", valueName: "file"))
  var publicKey: String?

  private struct Made: Encodable {
    var secret, publicKey, verifier: String
  }

  func run() async throws {
    let files = try settings.load().files
    let secret = secret ?? files.checkpointKey
    let publicKey = publicKey ?? files.checkpointPublicKey
    do {
      try files.makeFolder()
      let signer = try AuditKeyFile.generate(name: name, secret: secret, public: publicKey)
      let verifier = signer.verifier.description
      try Output(output).result(
        Made(secret: secret, publicKey: publicKey, verifier: verifier)
      ) {
        "Private key: \(secret)\nPublic key:  \(publicKey)\n\(verifier)"
      }
    } catch let error as AuditKeyError {
      throw AuditLog.failure(error)
    }
  }
}
