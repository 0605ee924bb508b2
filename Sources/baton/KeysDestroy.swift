import ArgumentParser
import Foundation
import HandoffBus
import HandoffCore
import HandoffStores

extension KeysCommand {
  /// `baton keys destroy`: erase one person.
  struct Destroy: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Destroy one person's key: what was sealed under it can never be opened again.",
      discussion: """
        The person is named by patient key, or by an NHS number from a file or standard input (-): \
        never as an argument, which the list of processes shows to everybody. Keys that a merge, \
        a link or a new epoch gave the same person go too. The pseudonymous skeleton stays on the \
        bus until its retention ends; what comes in about the person later is sealed under a new \
        key. Copies of the key store made before still hold the key: they must go as well. This \
        cannot be undone.
        """)

    @OptionGroup var settings: SettingsOptions
    @OptionGroup var output: OutputOptions

    @Option(
      name: .long,
      help: ArgumentHelp(
        "Patient key: 64 hexadecimal digits, or EPOCH.DIGITS.", valueName: "key"))
    var key: String?

    @Option(
      name: .long,
      help: ArgumentHelp("File that holds the NHS number; - is standard input.", valueName: "file"))
    var nhsNumberFile: String?

    @Option(
      name: .long,
      help: ArgumentHelp("Who orders it; kept beside the time.", valueName: "name"))
    var by: String

    @Option(
      name: .long,
      help: ArgumentHelp(
        "Why, as a code such as gdpr-art-17 or a ticket's number; never free text.",
        valueName: "code"))
    var reason: String?

    @Flag(name: .long, help: "Say how many keys would be destroyed, and change nothing.")
    var dryRun = false

    func validate() throws {
      guard (key == nil) != (nhsNumberFile == nil) else {
        throw ValidationError("Name the person by --key or by --nhs-number-file, one of them.")
      }
      guard !by.isEmpty, by.utf8.count <= 64 else {
        throw ValidationError("--by must have 1 to 64 characters.")
      }
      if let reason, Code(reason) == nil {
        throw ValidationError("--reason must be a code: 1 to 64 letters, digits, . _ : / -")
      }
    }

    private struct Plan: Encodable {
      var keys: [String]
      var isDryRun = true
    }

    func run() async throws {
      let configuration = try settings.load()
      let operations = try keyFailures { try KeyOperations(configuration) }
      defer { operations.close() }
      let named = try await named(operations)
      let reach = try await keyFailures { try await operations.store.reach(of: named) }
      guard !reach.isEmpty else {
        throw CommandFailure(
          .noInput, "The key store knows no such person.",
          advice: "Nothing was ever sealed for them here, or it is another data folder.")
      }
      let output = Output(output)
      if dryRun {
        let plan = Plan(keys: reach.map(\.description))
        try output.result(plan) {
          "\(reach.count) patient keys of this person would lose their data keys:\n"
            + plan.keys.map { "  \($0)" }.joined(separator: "\n")
        }
        return
      }
      let destruction = try await keyFailures {
        try await operations.store.destroy(
          Set(reach), by: by, reason: reason.flatMap { Code($0) }, at: ConnectStack.systemTime())
      }
      try output.result(destruction) {
        "\(destruction.destroyed) data keys of \(destruction.keys.count) patient keys are "
          + "destroyed, and stand nowhere in the key store any more."
      }
    }

    private func named(_ operations: KeyOperations) async throws -> Set<PatientKey> {
      if let key {
        let keys = try await keyFailures { try await operations.patientKeys(written: key) }
        guard let keys else {
          throw CommandFailure(
            .usage, "That is no patient key.",
            advice: "It has 64 hexadecimal digits; alerts and audit show it.")
        }
        return keys
      }
      let path = nhsNumberFile ?? "-"
      let data =
        path == "-"
        ? FileHandle.standardInput.readData(ofLength: 256)
        : FileManager.default.contents(atPath: path)
      guard let data else { throw CommandFailure(.noInput, "Cannot read \(path).") }
      let digits = String(decoding: data.prefix(256), as: UTF8.self).filter {
        !$0.isWhitespace && $0 != "-"
      }
      guard let number = try? NHSNumber(digits) else {
        throw CommandFailure(.badData, "\(path) holds no valid NHS number.")
      }
      return try await keyFailures { try await operations.patientKeys(of: number) }
    }
  }
}
