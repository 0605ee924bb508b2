import ArgumentParser
import Foundation
import HandoffBus

/// `baton doctor`: what safety rests on, looked at before somebody relies on it.
struct DoctorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Check this machine, the configuration and the cluster; say what to do.",
    discussion: """
      Each line is ok, warn or fail. A warning is something that is well for looking around and \
      not for patients; a failure is something that could lose or alter a handoff, or keeps the \
      bus from running. Exit code 0 where nothing fails, 1 otherwise, 69 where no broker answers.

      Where the events topic exists, one tick is written to measure the broker's clock: a tick \
      carries nothing but its time and changes no verdict.
      """)

  @OptionGroup var settings: SettingsOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    let configuration = try settings.load()
    var findings = MachineDoctor(configuration: configuration).findings()
    findings += SecurityDoctor(configuration: configuration).findings()
    var isBrokerAway = false
    if configuration.kafka.bootstrap == nil {
      findings.append(
        .warn("broker", "none is configured", "Give --bootstrap or set BATON_BOOTSTRAP."))
    } else {
      let cluster = await ClusterDoctor(configuration: configuration).findings()
      isBrokerAway = cluster.contains { $0.check == "broker" && $0.level == .fail }
      findings += cluster
    }
    try report(findings, Output(output))
    let failures = findings.filter { $0.level == .fail }.count
    guard failures > 0 else { return }
    throw CommandFailure(
      isBrokerAway ? .unavailable : .found,
      "\(failures) check\(failures == 1 ? "" : "s") failed.")
  }

  private func report(_ findings: [Finding], _ output: Output) throws {
    try output.json(findings)
    for finding in findings {
      let mark =
        switch finding.level {
        case .ok: output.style.green("ok  ")
        case .warn: output.style.yellow("warn")
        case .fail: output.style.red("FAIL")
        }
      output.line("\(mark)  \(finding.check): \(finding.says)")
      if let advice = finding.advice { output.line("      → \(advice)") }
    }
  }
}

/// What one check found.
struct Finding: Encodable, Sendable {
  enum Level: String, Encodable {
    case ok, warn, fail
  }

  let check: String
  let level: Level
  /// What was seen, in words.
  let says: String
  /// What to do; absent where all is well.
  let advice: String?

  static func ok(_ check: String, _ says: String) -> Finding {
    Finding(check: check, level: .ok, says: says, advice: nil)
  }

  static func warn(_ check: String, _ says: String, _ advice: String) -> Finding {
    Finding(check: check, level: .warn, says: says, advice: advice)
  }

  static func fail(_ check: String, _ says: String, _ advice: String) -> Finding {
    Finding(check: check, level: .fail, says: says, advice: advice)
  }
}
