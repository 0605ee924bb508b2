import ArgumentParser
import Foundation
import HandoffBus
import HandoffCodecs
import HandoffCore
import KafkaClient

/// `baton policy`: what is promised by when, checked before it is in force and switched by a record.
struct PolicyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "policy",
    abstract: "Check, show, compare and activate what is promised by when.",
    discussion: """
      A policy is one YAML file: the clocks of each kind of handoff, the windows of the rules, the \
      calendars of receiving services, and named profiles such as winter. A bad file is refused \
      whole, with every fault and its line.

        baton policy show --yaml > policy.yaml     begin with the one that ships
        baton policy check policy.yaml
        baton policy diff current.yaml policy.yaml
        baton reconcile --input events.ndjson --what-if policy.yaml
        baton policy activate policy.yaml --profile winter
      """,
    subcommands: [Check.self, Show.self, Diff.self, Activate.self])
}

extension PolicyCommand {
  struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Say everything that is wrong with a policy or a register. Exit code 1 if refused.")

    @OptionGroup var output: OutputOptions

    @Argument(help: ArgumentHelp("The file (YAML).", valueName: "file"))
    var file: String

    func run() async throws {
      let bytes = try PolicySource.bytes(of: file)
      let output = Output(output)
      if RegisterDocument.isRegister(bytes) { return try checkRegister(bytes, output) }
      let policy: Policy
      do throws(PolicyDocument.Faults) {
        policy = try PolicyDocument(bytes).policy
      } catch {
        throw try refusal(error, output)
      }
      try output.result(Report(policy)) {
        "\(file) is good: version \(policy.version), "
          + "\(counted(policy.rows.count, "row", "rows")) of clocks, "
          + "\(counted(policy.profiles.count, "profile", "profiles")), SHA-256 \(policy.hash)."
      }
    }

    private func checkRegister(_ bytes: [UInt8], _ output: Output) throws {
      let register: OrganisationRegister
      do throws(PolicyDocument.Faults) {
        register = try RegisterDocument(bytes).register
      } catch {
        throw try refusal(error, output)
      }
      try output.result(Report(register)) {
        let closed = register.organisations.values.count { $0.validTo != nil }
        let all = counted(register.organisations.count, "organisation", "organisations")
        return "\(file) is good: a register, version \(register.version), \(all), "
          + "\(closed) with a day on which they close, SHA-256 \(register.hash)."
      }
    }

    /// Lists every fault.
    private func refusal(_ error: PolicyDocument.Faults, _ output: Output) throws -> CommandFailure
    {
      try output.json(Report(error))
      for fault in error.faults { output.line(fault.description) }
      let faults = counted(error.faults.count, "fault", "faults")
      return CommandFailure(
        .found, "\(file) is refused: \(faults).",
        advice: "Mend every fault listed; nothing of a bad file is taken.")
    }

    private struct Report: Encodable {
      struct Fault: Encodable {
        var line: Int
        var key: String
        var problem: String
      }

      var good: Bool
      var version: UInt32?
      var hash: String?
      var profiles: [String]?
      var faults: [Fault]

      init(_ policy: Policy) {
        good = true
        version = policy.version
        hash = "\(policy.hash)"
        profiles = policy.profiles.map { "\($0.name)" }
        faults = []
      }

      init(_ register: OrganisationRegister) {
        good = true
        version = register.version
        hash = "\(register.hash)"
        faults = []
      }

      init(_ faults: PolicyDocument.Faults) {
        good = false
        self.faults = faults.faults.map { Fault(line: $0.line, key: $0.key, problem: $0.problem) }
      }
    }
  }

  struct Diff: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "What changes from one policy to another. Exit code 1 where something loosens.",
      discussion: """
        Tighter means that a deadline falls earlier from whatever hour it starts, looser that it \
        falls later; mixed is both, as with 5d beside 3wd. The word default stands for the policy \
        that ships with Baton.
        """)

    @OptionGroup var output: OutputOptions

    @Argument(help: ArgumentHelp("The policy before, or `default`.", valueName: "file"))
    var before: String

    @Argument(help: ArgumentHelp("The policy after, or `default`.", valueName: "file"))
    var after: String

    @Option(
      name: .long, help: ArgumentHelp("Compare both under this profile.", valueName: "name"))
    var profile: String?

    func run() async throws {
      let old = try policy(before)
      let new = try policy(after)
      let difference = PolicyDifference(from: old, to: new)
      let output = Output(output)
      try output.json(difference.changes.map(ChangeRow.init))
      output.table(
        ["WHAT", "BEFORE", "AFTER", "IS"],
        difference.changes.map {
          [$0.subject, $0.before ?? "-", $0.after ?? "-", $0.tightness?.rawValue ?? "changed"]
        })
      let loosenings = difference.loosenings.count
      guard loosenings > 0 else {
        return output.line(difference.isEmpty ? "Nothing changes." : "Nothing is loosened.")
      }
      throw CommandFailure(
        .found, "\(loosenings) of \(difference.changes.count) changes loosen what was promised.",
        advice: "See that each of them is meant.")
    }

    private func policy(_ file: String) throws -> Policy {
      let policy = try file == "default" ? .default : PolicySource(file: file).policy
      return try profile.map { try policy.under(named: $0, of: file) } ?? policy
    }

    private struct ChangeRow: Encodable {
      var subject: String
      var before: String?
      var after: String?
      var tightness: String?

      init(_ change: PolicyDifference.Change) {
        subject = change.subject
        before = change.before
        after = change.after
        tightness = change.tightness?.rawValue
      }
    }
  }
}

extension Policy {
  /// The policy under a profile of `file` that a user named.
  func under(named name: String, of file: String) throws -> Policy {
    if let policy = Code(name).flatMap(under) { return policy }
    let known = profiles.map { "\($0.name)" }.joined(separator: ", ")
    throw CommandFailure(
      .usage, "The policy \(file) has no profile of that name.",
      advice: known.isEmpty ? "It has none at all." : "It has: \(known).")
  }
}

extension PolicyDocument.Faults {
  /// Each fault on a line of its own.
  fileprivate var list: String { faults.map { "\n  \($0)" }.joined() }
}

extension PolicySource {
  /// Reads a policy file; a bad one is refused whole, with every fault listed.
  init(file: String) throws {
    let bytes = try Self.bytes(of: file)
    do {
      self.init(policy: try PolicyDocument(bytes).policy, bytes: bytes)
    } catch {
      throw CommandFailure(
        .badConfiguration, "The policy \(file) is refused:\(error.list)",
        advice: "Mend every fault listed; nothing of a bad policy is taken.")
    }
  }

  static func bytes(of file: String) throws -> [UInt8] {
    do {
      return Array(try Data(contentsOf: URL(filePath: file)))
    } catch {
      throw CommandFailure.file(file, doing: "read", error)
    }
  }
}

extension RegisterSource {
  /// Reads a register file; a bad one is refused whole, with every fault listed.
  init(file: String) throws {
    let bytes = try PolicySource.bytes(of: file)
    do {
      self.init(register: try RegisterDocument(bytes).register, bytes: bytes)
    } catch {
      throw CommandFailure(
        .badConfiguration, "The register \(file) is refused:\(error.list)",
        advice: "Mend every fault listed; nothing of a bad register is taken.")
    }
  }
}
