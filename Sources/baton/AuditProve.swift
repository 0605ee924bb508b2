import ArgumentParser
import Foundation
import HandoffBus
import HandoffCore
import HandoffStores

/// `baton audit prove`: records and the proofs that they are in the log, in one file.
struct AuditProveCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prove",
    abstract: "Write records and their proofs into one file that can be verified anywhere.",
    discussion: """
      The bundle holds the records as they were stored, the proof of each, and the signed \
      checkpoint they lead to. With --since, an older checkpoint that somebody kept, it also \
      proves that nothing before that one was changed.

        baton audit prove --person KEY --output proof.json
        baton audit prove --topic handoff.events.v1 --partition 3 --offset 17 --output proof.json
      """)

  @OptionGroup var settings: SettingsOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var log: AuditLogOptions

  @Option(name: .long, help: ArgumentHelp("Offset of one record.", valueName: "number"))
  var offset: Int64?

  @Option(
    name: .long,
    help: ArgumentHelp("All records of one person, by patient key.", valueName: "key"))
  var person: String?

  @Option(name: .customLong("output"), help: ArgumentHelp("File to write.", valueName: "file"))
  var file: String

  @Option(
    name: .long, help: ArgumentHelp("An older signed checkpoint of the log.", valueName: "file"))
  var since: String?

  @Option(
    name: .long, help: ArgumentHelp("Why it is asked; stays on record.", valueName: "text"))
  var reason: String?

  private struct Question: Encodable {
    var person, topic: String?
    var partition: Int32?
    var offset: Int64?
  }

  private struct Made: Encodable {
    var file: String
    var records: Int
    var logs: [String]
  }

  func run() async throws {
    let subject = try subject()
    let configuration = try settings.load()
    let store = try AuditLog.open(configuration.files)
    let old = try since.map(checkpoint(at:))
    let question = Question(
      person: person, topic: log.topic, partition: log.partition, offset: offset)
    try await AuditLog.record("prove", question, reason: reason, store, configuration)
    let bundle: ProofBundle
    do {
      bundle = try await store.prove(subject, since: old)
    } catch {
      throw failure(error)
    }
    do {
      try Data(bundle.bytes).write(to: URL(filePath: file), options: .atomic)
    } catch {
      throw CommandFailure.file(file, doing: "write", error)
    }
    let records = bundle.logs.reduce(0) { $0 + $1.records.count }
    let made = Made(file: file, records: records, logs: bundle.logs.map { "\($0.name)" })
    try Output(output).result(made) {
      "\(file): \(records) record\(records == 1 ? "" : "s") proved, of \(made.logs.joined(separator: ", "))\n"
        + "Verify: baton audit verify --bundle \(file) --key "
        + "\(configuration.files.checkpointPublicKey)"
    }
  }

  private func subject() throws -> AuditStore.ProofSubject {
    switch (person, try log.name(), offset) {
    case (let person?, nil, nil): return .key(try auditPersonKey(person))
    case (nil, let name?, let offset?): return .record(log: name, offset: offset)
    default:
      throw CommandFailure(
        .usage, "What is to be proved is not clear.",
        advice: "Give --person, or --topic, --partition and --offset.")
    }
  }

  private func checkpoint(at path: String) throws -> String {
    do {
      return String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
    } catch {
      throw CommandFailure.file(path, doing: "read", error)
    }
  }

  private func failure(_ error: ProofError) -> CommandFailure {
    let what = "No proof: \(error.description)."
    switch error {
    case .noSuchRecord, .foreignCheckpoint: return CommandFailure(.noInput, what)
    case .notCovered:
      return CommandFailure(
        .unavailable, what, advice: "Wait for it, or sign one with `baton audit checkpoint --sign`."
      )
    case .tooMany: return CommandFailure(.usage, what)
    case .checkpointAhead:
      return CommandFailure(
        .found, what, advice: "If this is the newest copy, signed records were taken away.")
    case .store(let error): return AuditLog.failure(error)
    }
  }
}
