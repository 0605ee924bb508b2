import ArgumentParser

/// `baton simulate`: a region's handoffs with known faults, and how well they are found.
struct SimulateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate",
    abstract: "Simulate a region's handoffs with known faults; score what was found of them.",
    discussion: """
      A region of the shape of Buckinghamshire, Oxfordshire and Berkshire West: invented people, \
      and journeys of every kind that the policy knows, at the hours at which they happen. Every \
      fault that is injected, and everything that only looks like one, stands in a truth file. The \
      same seed gives the same bytes on every machine. Nobody in it is real: NHS numbers are of \
      the range for tests, and only their keyed hashes are written.

        baton simulate --seed 1 --days 7 --output training
        baton simulate score training --explain
        baton reconcile --input training/events.ndjson --policy training/policy.yaml \\
          --register training/register.yaml --output alerts.ndjson
        baton simulate score --truth training/truth.ndjson --alerts alerts.ndjson
      """,
    subcommands: [SimulateRunCommand.self, SimulateScoreCommand.self, SimulateFaultsCommand.self],
    defaultSubcommand: SimulateRunCommand.self
  )
}

/// Names of the files in a folder that a run wrote.
enum SimulationFiles {
  static let events = "events.ndjson"
  static let alerts = "alerts.ndjson"
  static let sources = "sources.ndjson"
  static let truth = "truth.ndjson"
  static let summary = "summary.json"
  static let policy = "policy.yaml"
  static let register = "register.yaml"
}
