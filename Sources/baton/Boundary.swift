import ArgumentParser
import Foundation
import HandoffBus
import HandoffStores

/// `baton boundary`: the keys that stand between the bus and organisations outside it.
struct BoundaryCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "boundary",
    abstract: "Make and rotate the keys of the trust boundary.",
    discussion: """
      Ingest and each organisation outside have a key pair. The private file stays where it was \
      made, with mode 600; the public file goes to the other side. What an organisation's \
      connectors send is sealed to ingest and proved to be that organisation's.

        baton boundary new-keys --private ingest.keys --public ingest.pub
        baton boundary rotate-keys --private ingest.keys --public ingest.pub

      Ingest, reconciler and audit also share record secrets, which connectors never have: every \
      record of the bus is stamped with them, so that a forged one moves nothing. To exchange \
      them, add one, give the file to every process, restart them, activate it, restart again.

        baton boundary record-secrets --new records.json
        baton boundary record-secrets --add records.json
        baton boundary record-secrets --activate k2 records.json
      """,
    subcommands: [NewKeys.self, RotateKeys.self, RecordSecretsFile.self]
  )

  /// The two files of a key pair.
  struct KeyFiles: ParsableArguments {
    @Option(
      name: .customLong("private"),
      help: ArgumentHelp("The private keys; mode 600.", valueName: "file"))
    var secret: String

    @Option(
      name: .customLong("public"),
      help: ArgumentHelp("The public keys, for the other side.", valueName: "file"))
    var open: String

    /// Writes both; the public file is replaced.
    func write(_ keys: BoundaryKeys, isReplacing: Bool) throws {
      try boundaryFailures { try keys.write(path: secret, isReplacing: isReplacing) }
      do {
        try Data(keys.publicKeys.text.utf8).write(to: URL(filePath: open), options: .atomic)
      } catch {
        throw CommandFailure.file(open, doing: "write", error)
      }
    }
  }

  /// What `--json` prints of a key pair.
  struct KeyReport: Encodable {
    var current: String
  }

  struct NewKeys: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make a key pair; never replaces a private file.")

    @OptionGroup var files: KeyFiles
    @OptionGroup var output: OutputOptions

    func run() throws {
      let keys = BoundaryKeys.generate()
      try files.write(keys, isReplacing: false)
      try Output(output).result(KeyReport(current: "\(keys.current)")) {
        "Made key \(keys.current). Keep \(files.secret); give \(files.open) to the other side."
      }
    }
  }

  struct RotateKeys: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Add a newer key; what was sealed to the older ones can still be read.")

    @OptionGroup var files: KeyFiles
    @OptionGroup var output: OutputOptions

    func run() throws {
      let keys = try boundaryFailures { try BoundaryKeys.load(path: files.secret) }.rotated()
      try files.write(keys, isReplacing: true)
      try Output(output).result(KeyReport(current: "\(keys.current)")) {
        "Key \(keys.current) seals from now on. Give \(files.open) to the other side before this "
          + "side is restarted."
      }
    }
  }

  struct RecordSecretsFile: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "record-secrets",
      abstract: "Make, show and exchange the secrets that records are stamped with.")

    @Argument(help: ArgumentHelp("The file; mode 600.", valueName: "file"))
    var file: String

    @Flag(name: .long, help: "Make the file; never replaces one.")
    var new = false

    @Flag(name: .long, help: "Add a secret that is checked with, and not written with yet.")
    var add = false

    @Option(name: .long, help: ArgumentHelp("Write with this secret.", valueName: "id"))
    var activate: String?

    @Option(
      name: .long,
      help: ArgumentHelp(
        "Forget this secret: what was stamped with it counts as forged.", valueName: "id"))
    var remove: String?

    @OptionGroup var output: OutputOptions

    func validate() throws {
      let count = [new, add, activate != nil, remove != nil].filter(\.self).count
      if count > 1 { throw ValidationError("Give one of --new, --add, --activate, --remove.") }
    }

    struct Report: Encodable {
      var current: String
      var ids: [String]
    }

    func run() throws {
      let secrets = try changed()
      let ids = secrets.secrets.keys.sorted()
      try Output(output).result(Report(current: secrets.current, ids: ids)) {
        "Known: \(ids.joined(separator: ", ")). Written with: \(secrets.current)."
      }
    }

    private func changed() throws -> RecordSecrets {
      try boundaryFailures {
        if new {
          let made = RecordSecrets.generate(unstampedBefore: ConnectStack.systemTime())
          try made.write(path: file)
          return made
        }
        var secrets = try RecordSecrets.load(path: file)
        if add { secrets.add() }
        if let activate, !secrets.activate(activate) {
          throw CommandFailure(.usage, "There is no secret of this id.")
        }
        if let remove, !secrets.remove(remove) {
          throw CommandFailure(
            .usage, "There is no secret of this id, or it is the one that is written with.")
        }
        if add || activate != nil || remove != nil { try secrets.replace(path: file) }
        return secrets
      }
    }
  }
}

/// Turns what can be wrong with keys of the boundary into a sentence and an exit code.
func boundaryFailures<Value>(_ body: () throws -> Value) throws -> Value {
  func sentence(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() + "." }
  do {
    return try body()
  } catch let error as BoundaryKeyError {
    if case .notWritable(let path) = error {
      throw CommandFailure(
        .cannotCreate, sentence("\(error)"),
        advice: FileManager.default.fileExists(atPath: path)
          ? "It holds keys, and is never replaced: `baton boundary rotate-keys` adds a newer one."
          : "See that its folder is there and can be written to.")
    }
    throw CommandFailure(
      ExitStatus(error), sentence("\(error)"),
      advice: "Make keys with `baton boundary new-keys`; private files need mode 600.")
  } catch let error as SecretsError {
    throw CommandFailure(ExitStatus(error), sentence("\(error)"))
  }
}
