import ArgumentParser
import Foundation
import HandoffBus
import HandoffConnectors

/// The command line of Baton: one binary for all who use the bus.
///
/// Every group of commands has a file of its own (`Topics.swift`, `Connect.swift` …) with one type
/// `<Name>Command`, listed in ``allCommands``. A command takes what it shares with others through
/// `@OptionGroup var settings: SettingsOptions` and `@OptionGroup var output: OutputOptions`,
/// prints through ``Output``, and ends other than well by throwing ``CommandFailure``, whose exit
/// code, one sentence and advice reach the user as they are.
@main
struct Baton: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "baton",
    abstract: "Carries the handoffs of care between services, and proves what became of them.",
    discussion: """
      Every handoff of a person between services is published on a bus; a reconciler knows which \
      were duplicated or dropped; a log proves it.

      FIRST STEPS
        baton up --messages DIR          feed a folder of real messages, all in one process
        baton alerts list                what is wrong now, why, and what to do
        baton audit prove | verify       an answer that can be checked without trusting us

      EXIT CODES
        0   well
        1   the check found something, or the verification failed
        64  wrong usage                     70  a fault of ours
        65  bad input data                  73  an output cannot be created
        66  a named file is missing         74  reading or writing failed
        69  a broker or service is away     77  permission missing
                                            78  bad configuration
      """,
    version: batonVersion,
    subcommands: allCommands
  )

  /// In the order of `baton --help`; one line a group.
  private static let allCommands: [any ParsableCommand.Type] = [
    UpCommand.self,
    TopicsCommand.self,
    ConnectCommand.self,
    BoundaryCommand.self,
    ReconcileCommand.self,
    PolicyCommand.self,
    MeasuresCommand.self,
    EventsCommand.self,
    AlertsCommand.self,
    DeadLetterCommand.self,
    AuditCommand.self,
    KeysCommand.self,
    DoctorCommand.self,
    SimulateCommand.self,
    BenchCommand.self,
  ]

  /// Parses, runs, and turns whatever was thrown into a sentence and an exit code.
  static func main() async {
    do {
      var command = try parseAsRoot()
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch let failure as CommandFailure {
      failure.printAndExit()
    } catch let faults as ConfigurationFaults {
      CommandFailure(
        faults.isMissing ? .noInput : .badConfiguration, faults.description
      ).printAndExit()
    } catch let failure as SourceFailure {
      // Of a connector that is told on its own: this is the page of health.
      CommandFailure(.unavailable, "Health cannot be told: \(failure.explanation).").printAndExit()
    } catch {
      exit(withError: error)
    }
  }
}

/// What `baton --version` says, and what bundles and metrics carry.
let batonVersion = "0.1.0"
