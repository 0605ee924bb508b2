import ArgumentParser
import Foundation
import HandoffBus
import HandoffCore
import HandoffStores
import KafkaClient
import Logging

/// `baton audit`: what an auditor asks, and what proves the answer.
struct AuditCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit",
    abstract: "Ask the audit log, prove its answers, verify them without trusting us.",
    discussion: """
      Every record of the audited topics is a leaf of an RFC 6962 tree, one tree for each \
      partition, and a signed checkpoint (C2SP) stands for all of it. Whoever holds the public key \
      can check an answer, and whoever holds an older checkpoint can check that nothing before it \
      was changed.

        baton audit query --organisation RTH --type Rejected
        baton audit prove --person KEY --output proof.json
        baton audit verify --bundle proof.json --key checkpoint.pub
        baton audit verify --data .baton/data
        baton audit balance

      Every query and every proof is itself put on record before it is answered; what tells of \
      nobody (checkpoint, verify, balance) is not.
      """,
    subcommands: [
      AuditQueryCommand.self, AuditCheckpointCommand.self, AuditProveCommand.self,
      AuditVerifyCommand.self, AuditBalanceCommand.self, AuditKeygenCommand.self,
      AuditRunCommand.self,
    ]
  )
}

/// The log in the data folder, as the audit commands open it.
enum AuditLog {
  /// Opens a log that is there.
  static func open(_ files: DataFiles) throws -> AuditStore {
    do {
      return try AuditStore(existing: files.audit, describe: AuditDescription.ofWire)
    } catch {
      throw failure(error)
    }
  }

  /// What an error of the store means to the user.
  static func failure(_ error: AuditStoreError) -> CommandFailure {
    let what = "The audit log: \(error.description)."
    switch error {
    case .missing:
      return CommandFailure(
        .noInput, what,
        advice: "Name the data folder with --data, or start the log with `baton audit run`.")
    case .diskFull:
      return CommandFailure(.readWrite, what, advice: "Make room; nothing logged is lost.")
    case .notWritable:
      return CommandFailure(
        .noPermission, what, advice: "Give this user the right to it, or name another folder.")
    case .busy:
      return CommandFailure(.unavailable, what, advice: "Try again when the other one is done.")
    case .newerSchema: return CommandFailure(.badData, what, advice: "Use that version.")
    case .corrupt:
      return CommandFailure(
        .badData, what, advice: "`baton audit verify` names the place; keep the file as it is.")
    case .diverged:
      return CommandFailure(
        .found, what, advice: "Keep log and topic as they are: this is an incident.")
    case .failed: return CommandFailure(.readWrite, what)
    }
  }

  /// Opens the second count; where it cannot be used that is logged, and the log is kept without it.
  static func counts(_ files: DataFiles, _ logger: Logger) -> CountStore? {
    do {
      let counts = try CountStore(folder: files.audit)
      if counts.isBegunAnew {
        logger.warning("The second count could not be read back, and is begun anew")
      }
      return counts
    } catch {
      logger.error(
        "Books not counted a second time", metadata: ["reason": "\(error.description)"])
      return nil
    }
  }

  /// What an error of the second count means to the user.
  static func failure(_ error: CountStoreError) -> CommandFailure {
    let what = "The second count cannot be read: \(error.description)."
    switch error {
    case .missing:
      return CommandFailure(
        .noInput, what,
        advice: "`baton audit run` and `baton up` count; name their data folder with --data.")
    case .newerSchema: return CommandFailure(.badData, what, advice: "Use that version.")
    case .olderSchema:
      return CommandFailure(
        .badData, what, advice: "`baton audit run` of this version counts anew.")
    case .corrupt:
      return CommandFailure(
        .badData, what,
        advice: "It follows from the audit log: `baton audit run` throws it away and counts anew.")
    case .store(let error):
      switch error {
      case .notWritable: return CommandFailure(.noPermission, what)
      case .busy:
        return CommandFailure(.unavailable, what, advice: "Try again when the other one is done.")
      default: return CommandFailure(.readWrite, what)
      }
    }
  }

  /// What an error of a key file means to the user.
  static func failure(_ error: AuditKeyError) -> CommandFailure {
    let what = "The \(error.description)."
    switch error {
    case .missing:
      return CommandFailure(
        .noInput, what, advice: "Make a key with `baton audit keygen`, or name it with --key.")
    case .tooOpen(let path, _):
      return CommandFailure(.badConfiguration, what, advice: "chmod 600 \(path)")
    case .malformed: return CommandFailure(.badData, what)
    case .exists, .notWritable: return CommandFailure(.cannotCreate, what)
    case .invalidName: return CommandFailure(.usage, what)
    }
  }

  /// The public key at `path`, or the one beside the log.
  static func publicKey(at path: String?, _ files: DataFiles) throws -> NoteVerifier {
    do {
      return try AuditKeyFile.verifier(at: path ?? files.checkpointPublicKey)
    } catch {
      guard case .missing = error else { throw failure(error) }
      throw CommandFailure(
        .noInput, "The \(error.description).",
        advice: "Name the public key of whoever signs the log with --key: no other verifies it.")
    }
  }

  /// Puts an access on record; says on standard error where it is only here.
  static func record(
    _ action: String, _ question: some Encodable, reason: String?, _ store: AuditStore,
    _ configuration: BatonConfiguration
  ) async throws {
    let kafka = configuration.kafka.bootstrap.map { _ in
      KafkaConfiguration(configuration, client: "audit")
    }
    do {
      let publication = try await AccessRecorder(store: store, kafka: kafka).record(
        action: action, question: try Output.jsonText(question), reason: reason)
      switch publication {
      case .published: break
      case .localOnly:
        Progress.line("This access is on record in the audit database; no broker is configured.")
      case .failed(let why):
        Progress.line(
          "This access is on record in the audit database only; the access topic: \(why)")
      }
    } catch let error as AuditStoreError {
      throw failure(error)
    }
  }
}

/// One partition of one topic, as options name it.
struct AuditLogOptions: ParsableArguments {
  @Option(name: .long, help: ArgumentHelp("Topic of the log.", valueName: "name"))
  var topic: String?

  @Option(name: .long, help: ArgumentHelp("Partition of the topic.", valueName: "number"))
  var partition: Int32?

  /// The log that both name; `nil` where neither is given.
  func name() throws -> AuditLogName? {
    switch (topic, partition) {
    case (nil, nil): return nil
    case (let topic?, let partition?): return AuditLogName(topic: topic, partition: partition)
    default: throw CommandFailure(.usage, "--topic and --partition belong together.")
    }
  }
}
