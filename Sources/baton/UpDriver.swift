import Foundation
import HandoffBus
import HandoffCodecs
import HandoffConnectors
import HandoffCore
import HandoffStores
import ServiceLifecycle
import Synchronization

/// What `baton up` does beside serving: feeds messages or plays the demo, counts, and ends.
final class UpDriver: Service {
  private let stages: UpStages
  private let alerts: AlertPrinter
  private let feed: MessageFeed?
  private let isDemo: Bool
  private let endsWhenIdle: Bool
  private let dropFolder: String
  private let output: Output
  private let outcome = Mutex<CommandFailure?>(nil)

  init(
    stages: UpStages, alerts: AlertPrinter, feed: MessageFeed?, isDemo: Bool, endsWhenIdle: Bool,
    dropFolder: String, output: Output
  ) {
    self.stages = stages
    self.alerts = alerts
    self.feed = feed
    self.isDemo = isDemo
    self.endsWhenIdle = endsWhenIdle
    self.dropFolder = dropFolder
    self.output = output
  }

  /// What was found wrong, told when everything has been stopped in order.
  var failure: CommandFailure? { outcome.withLock { $0 } }

  func run() async throws {
    try await untilShutdown { [self] in
      do {
        try await drive()
      } catch let failure as CommandFailure {
        outcome.withLock { $0 = failure }
      }
    }
  }

  private func drive() async throws {
    let start = ConnectStack.systemTime()
    try await waitUntilListening()
    try await stages.waitUntilReady()
    announce()
    var fed: [MessageFeed.Fed] = []
    if let feed {
      fed = try await feedAll(feed)
    } else if isDemo {
      try await play()
    }
    let isFedOrDemo = feed != nil || isDemo
    if isFedOrDemo || endsWhenIdle {
      try await stages.waitUntilThrough { [feed, dropFolder] in
        feed?.isTaken ?? MessageFeed.isEmpty(dropFolder)
      }
      feed?.removeCopies()
      let book = try await alerts.catchUp(since: start)
      try await report(fed, since: start, book)
    }
    if endsWhenIdle { return }
    output.line("\nEverything is running. Ctrl-C ends it in order.")
    try await gracefulShutdown()
  }

  // MARK: - Connectors

  /// The drop folder that is there where no connectors are configured.
  private static let dropName = Code("up.file")

  /// An MLLP listener on a free port, and a drop folder, for whoever sends.
  static func ownConnectors(dropFolder: String) -> [ConnectorConfiguration] {
    guard let mllpName = Code("up.mllp"), let dropName else { return [] }
    var mllp = MLLPSettings()
    mllp.port = 0
    var drop = DropFolderSettings()
    drop.path = dropFolder
    drop.scanInterval = .milliseconds(100)
    var listener = ConnectorConfiguration(name: mllpName, source: .mllp(mllp))
    // The SNOMED CT code that the demo's referrals carry.
    listener.mapping.kinds["306185001"] = HandoffKind("gp-hospital")
    var folder = ConnectorConfiguration(name: dropName, source: .dropFolder(drop))
    // For whoever sends, and whatever for: samples are often marked as training.
    listener.mapping.processing = .any
    folder.mapping.processing = .any
    return [listener, folder]
  }

  private func waitUntilListening() async throws {
    while true {
      let statuses = stages.stack.board.all
      if let failed = statuses.first(where: { $0.state == .failed }) {
        throw CommandFailure(
          .badConfiguration,
          "Connector \(failed.name) cannot run: \(failed.trace ?? "no reason given").",
          advice: "Mend what its file names, such as its folder, port or certificate.")
      }
      let isMissing = { (status: ConnectorStatus) in
        status.state != .running
          || (status.name.description.hasSuffix(".mllp") && status.port == nil)
      }
      if !statuses.contains(where: isMissing) { return }
      try await ContinuousClock().sleep(for: .milliseconds(20))
    }
  }

  private func announce() {
    guard feed == nil else { return }
    for status in stages.stack.board.all {
      if let port = status.port {
        output.line("Connector \(status.name) takes HL7 v2 by MLLP at 127.0.0.1:\(port)")
      } else {
        output.line("Connector \(status.name) takes files")
      }
    }
    if !isDemo, let own = Self.dropName, stages.stack.board[own] != nil {
      output.line("Drop folder of \(own): \(dropFolder)")
    }
  }

  private func port(of name: Code) -> Int { stages.stack.board[name]?.port ?? 0 }

  // MARK: - Feeding

  private func feedAll(_ feed: MessageFeed) async throws -> [MessageFeed.Fed] {
    var fed: [MessageFeed.Fed] = []
    for folder in feed.folders {
      Progress.line("Feeding \(folder.name): \(folder.files.count) files")
      do {
        fed.append(try await feed.feed(folder, port: port(of: folder.mllp)))
      } catch let error as MLLPSenderError {
        throw CommandFailure(.unavailable, "Feeding \(folder.name) failed: \(error.description).")
      }
    }
    return fed
  }

  /// Plays the morning at its pace.
  private func play() async throws {
    let clock = ContinuousClock()
    let began = clock.now
    let start = Date()
    let run = String(Int(start.timeIntervalSince1970), radix: 36).uppercased()
    let morning = DemoMorning(start: start, run: run)
    guard let mllpName = Code("up.mllp") else { return }
    for step in morning.steps {
      try await clock.sleep(until: began.advanced(by: .seconds(step.second)))
      output.line(output.style.dim("\(Self.clockText(step.second))  \(step.story)"))
      switch step.rail {
      case .file(let name):
        try MessageFeed.drop(Data(step.bytes), into: dropFolder, as: name)
      case .mllp:
        let answers = try await MLLPSender(port: port(of: mllpName)).send([step.bytes])
        if let answer = answers.first??.acknowledgement, answer != "AA" {
          output.line(output.style.dim("       its sender hears \(answer): not taken, and why"))
        }
      }
    }
    try await clock.sleep(until: began.advanced(by: .seconds(DemoMorning.length)))
  }

  private static func clockText(_ second: Double) -> String {
    let text = second.formatted(.number.precision(.fractionLength(1)))
    return String(repeating: " ", count: max(0, 5 - text.count)) + text + "s"
  }

  // MARK: - Counting

  private func report(
    _ fed: [MessageFeed.Fed], since start: Timestamp, _ book: AlertBook
  ) async throws {
    let waiting = try await stages.waiting()
    let bus = try await BusCount(stages.kafka, since: start)
    let counts = fed.map { bus.count(of: $0, waiting: waiting) }
    if !fed.isEmpty {
      try UpReport(counts: counts).print(output)
    }
    let open = book.alerts.filter(\.isOpen).count
    output.line("\nAlerts: \(book.alerts.count), of which \(open) open.")
    if let wrong = counts.first(where: { !$0.addsUp }) {
      throw CommandFailure(
        .found, "The messages of \(wrong.folder) do not add up.",
        advice: "This is a fault of Baton: please report it with the counts above.")
    }
  }
}
