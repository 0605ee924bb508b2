import ArgumentParser
import Foundation
import HandoffBus
import HandoffCore
import HandoffStores

/// `baton keys`: the keys that ingest holds.
struct KeysCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keys",
    abstract: "See, rotate and destroy the keys that identity hangs on.",
    discussion: """
      Each person's identity is sealed under a key of that person, wrapped by a key-encryption \
      key. Patient keys are keyed hashes, made in an epoch. All of it stands in the data folder \
      of ingest, beside which these commands may run. None of them ever prints a secret.

        baton keys status                       epochs, key-encryption keys, counts
        baton keys rotate-kek                   wrap everything with the current key
        baton keys rotate-epoch                 begin a new epoch of patient keys
        baton keys destroy --key KEY --by NAME  erase one person
      """,
    subcommands: [Status.self, RotateKek.self, RotateEpoch.self, Destroy.self])

  struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Show epochs, key-encryption keys and counts.",
      discussion: """
        Needs no key. With --check every stored key is opened too: exit code 1 where one was \
        altered.
        """)

    @OptionGroup var settings: SettingsOptions
    @OptionGroup var output: OutputOptions

    @Flag(name: .long, help: "Open every stored key, too.")
    var check = false

    private struct Report: Encodable {
      var status: KeyStoreStatus
      var opened: Int?
      var damaged: Int?
    }

    func run() async throws {
      let configuration = try settings.load()
      let status = try keyFailures { try KeyStore.status(path: configuration.files.keys) }
      guard let status else {
        throw CommandFailure(
          .noInput, "There is no key store in \(configuration.dataFolder) yet.",
          advice: "Ingest makes it at its first start; name the folder with --data.")
      }
      var report = Report(status: status)
      if check {
        let operations = try keyFailures { try KeyOperations(configuration) }
        defer { operations.close() }
        let counts = try await keyFailures { try await operations.store.checkAll() }
        (report.opened, report.damaged) = (counts.opened, counts.damaged)
      }
      let output = Output(output)
      try output.json(report)
      print(report, to: output)
      if let damaged = report.damaged, damaged > 0 {
        throw CommandFailure(
          .found, "\(damaged) stored keys were altered and cannot be opened.",
          advice: "Restore the key store from its copy; the identity under them is lost else.")
      }
    }

    private func print(_ report: Report, to output: Output) {
      output.table(
        ["EPOCH", "PEOPLE", "MOVED ON", "MERGED", "DESTROYED", "PSEUDONYM ONLY", "STATE"],
        report.status.epochs.map { epoch in
          let isLast = epoch.epoch == report.status.epochs.last?.epoch
          let state = !isLast ? "left" : epoch.movedAt == nil ? "people are moving here" : "current"
          return [
            "\(epoch.epoch)", "\(epoch.people)", "\(epoch.movedOn)", "\(epoch.merged)",
            "\(epoch.destroyed)", "\(epoch.unknown)", state,
          ]
        })
      output.line()
      output.table(
        ["KEY-ENCRYPTION KEY", "WRAPS"],
        report.status.keyEncryptionKeys.map { [$0.id, "\($0.count)"] })
      output.line()
      output.line(
        "Dead letters of \(report.status.deadLetterDays) days can be opened; "
          + "\(report.status.destructions) keys of people were destroyed so far.")
      if let opened = report.opened { output.line("\(opened) stored keys open.") }
    }
  }

  struct RotateKek: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "rotate-kek",
      abstract: "Wrap every stored key with the current key-encryption key.",
      discussion: """
        1. Name the new key beside the old one in the configuration, make it `current`, and \
        restart ingest: what is new is wrapped with it.
        2. Run this command; ingest goes on working. It may be cut off at any point and run again.
        3. Once it says so, the old key may go from the configuration.
        """)

    @OptionGroup var settings: SettingsOptions
    @OptionGroup var output: OutputOptions

    @Flag(name: .long, help: "Say how many keys would be wrapped anew, and change nothing.")
    var dryRun = false

    func run() async throws {
      let configuration = try settings.load()
      let operations = try keyFailures { try KeyOperations(configuration) }
      defer { operations.close() }
      let output = Output(output)
      if dryRun {
        let status = try keyFailures { try KeyStore.status(path: configuration.files.keys) }
        let current = configuration.keys?.current ?? KeyEncryptionKeys.ofSecretsFile
        let others = (status?.keyEncryptionKeys ?? []).filter { $0.id != current && $0.count > 0 }
        let count = others.reduce(0) { $0 + $1.count }
        try output.result(["wouldRewrap": count]) {
          "\(count) keys would be wrapped with \(current); nothing was changed."
        }
        return
      }
      let report = try await keyFailures {
        try await operations.store.rewrap { report in
          Progress.line("\(report.rewrapped) keys wrapped with \(report.current)")
        }
      }
      try output.result(report) {
        let retired = report.retired.map { "The key \($0) is needed no more.\n" }.joined()
        return retired + "\(report.rewrapped) keys are wrapped with \(report.current) now, "
          + "\(report.already) were before; all of them were opened once more."
      }
      if report.damaged > 0 {
        throw CommandFailure(
          .found, "\(report.damaged) stored keys were altered and stay as they are.",
          advice: "Keep the old key-encryption key; restore the key store from its copy.")
      }
    }
  }

  struct RotateEpoch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "rotate-epoch",
      abstract: "Begin a new epoch: everybody gets a new patient key.",
      discussion: """
        The new epoch has a secret of its own. Ingest sees it within a second, publishes for each \
        person where the old key leads, and takes its own tables along; messages go on all the \
        while, and a crash at any point loses and doubles nothing. `baton keys status` shows how \
        far it is. Where ingest does not run, it begins when ingest starts.
        """)

    @OptionGroup var settings: SettingsOptions
    @OptionGroup var output: OutputOptions

    @Flag(name: .long, help: "Say how many people would move, and change nothing.")
    var dryRun = false

    private struct Report: Encodable {
      var epoch: Int
      var people: Int
      var isDryRun: Bool
    }

    func run() async throws {
      let configuration = try settings.load()
      let operations = try keyFailures { try KeyOperations(configuration) }
      defer { operations.close() }
      let status = try keyFailures { try KeyStore.status(path: configuration.files.keys) }
      let people = (status?.epochs ?? []).reduce(0) {
        $0 + $1.people - $1.movedOn - $1.merged - $1.destroyed - $1.unknown
      }
      var report = Report(
        epoch: (status?.epochs.last?.epoch ?? 1) + 1, people: people, isDryRun: dryRun)
      if !dryRun {
        report.epoch = Int(
          try await keyFailures {
            try await operations.rotateEpoch(at: ConnectStack.systemTime())
          })
      }
      let result = report
      try Output(output).result(result) {
        result.isDryRun
          ? "\(result.people) people would move to epoch \(result.epoch); nothing was changed."
          : "Epoch \(result.epoch) has begun; \(result.people) people move to it as ingest runs."
      }
    }
  }
}

extension CommandFailure {
  /// What a fault of the key store means to an operator.
  init(_ error: KeyStoreError) {
    let text = "\(error)".prefix(1).uppercased() + "\(error)".dropFirst() + "."
    switch error {
    case .wrongKeyEncryptionKey, .missingKeyEncryptionKey:
      self.init(
        .badConfiguration, text,
        advice: "Name it under `keys.keks`, beside the current one, until rotate-kek is through.")
    case .epochMismatch:
      self.init(
        .badConfiguration, text,
        advice: "Restore the secrets file; `baton keys rotate-epoch` begins a new epoch.")
    case .epochUnfinished:
      self.init(.unavailable, text, advice: "`baton keys status` shows how far it is.")
    case .inUse, .destructionUnfinished:
      self.init(.unavailable, text, advice: "Run the same command again.")
    case .notWritable: self.init(.noPermission, text)
    case .corrupt, .newer, .diskFull, .failed: self.init(.readWrite, text)
    }
  }

  init(_ error: KeyEncryptionKeyError) {
    let text = "\(error)".prefix(1).uppercased() + "\(error)".dropFirst() + "."
    var status = ExitStatus.badConfiguration
    if case .file(_, let fault) = error { status = ExitStatus(fault) }
    self.init(
      status, text,
      advice: "See `keys` in the configuration; without its key nothing sealed can be opened.")
  }
}

/// Turns what can be wrong with keys into a sentence and an exit code.
func keyFailures<Value>(_ body: () throws -> Value) throws -> Value {
  do {
    return try body()
  } catch let error as KeyStoreError {
    throw CommandFailure(error)
  } catch let error as KeyEncryptionKeyError {
    throw CommandFailure(error)
  } catch let error as SecretsError {
    throw CommandFailure(
      ExitStatus(error), "\(error).", advice: "Name the data folder of ingest with --data.")
  }
}

/// The same for what waits.
func keyFailures<Value>(_ body: () async throws -> Value) async throws -> Value {
  do {
    return try await body()
  } catch let error as KeyStoreError {
    throw CommandFailure(error)
  }
}
