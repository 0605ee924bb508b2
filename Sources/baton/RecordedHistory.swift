import HandoffBus
import HandoffCodecs
import HandoffCore

/// A recorded stretch of events, judged by the policies and registers that a command is given.
struct RecordedHistory {
  private let input: String
  private let policies: [Policy]
  private let registers: [OrganisationRegister]
  private let partitions: Int32?
  private let stamp: RecordStamp?
  private var reconcilers: [OfflineReconciler]

  /// The policy in force at the start: the first that is named, or the configured one, or the one
  /// that ships with Baton.
  init(
    _ input: String, configuration: BatonConfiguration, policies files: [String],
    registers: [String], partitions: Int32?
  ) throws {
    self.input = input
    let files = files.isEmpty ? [configuration.policyFile].compactMap(\.self) : files
    let policies = try files.map { try PolicySource(file: $0).policy }
    self.policies = policies.isEmpty ? [.default] : policies
    self.registers = try registers.map { try RegisterSource(file: $0).register }
    self.partitions = partitions
    stamp = configuration.recordGuard?.stamp
    reconcilers = [
      OfflineReconciler(
        policies: self.policies, registers: self.registers, partitionCount: partitions,
        stamp: stamp)
    ]
  }

  /// The policy in force at the start.
  var policy: Policy { policies[0] }
  var register: OrganisationRegister? { registers.first }

  /// Judges a second time, as if `other` had been in force all along.
  mutating func judge(insteadBy other: Policy) {
    reconcilers.append(
      OfflineReconciler(
        policies: policies, registers: registers, instead: other, partitionCount: partitions,
        stamp: stamp))
  }

  /// Judging on by the rules that were in force before would say what nobody said.
  private static func failure(_ unknown: OfflineReconciler.UnknownRules) -> CommandFailure {
    let missing = [("policy", unknown.policyHash), ("register", unknown.registerHash)]
      .compactMap { option, hash in hash.map { (option, "\(option) \($0.description)") } }
    let options = missing.map { "--\($0.0)" }.joined(separator: " and ")
    return CommandFailure(
      .badData,
      "The records switch at \(RFC3339.text(unknown.at)) to "
        + missing.map(\.1).joined(separator: " and ") + ", not given.",
      advice: "Give \(options) once for each, the one at the start first; "
        + "`baton policy check FILE` prints a file's hash.")
  }

  /// Reads the input through once, or twice where it is a file: what reducers wrote counts where it
  /// stands, and not where its cause does.
  mutating func judged(
    until end: Timestamp?, forEach body: (NDJSONRecord) -> Void = { _ in }
  ) async throws -> (OfflineReconciler, other: OfflineReconciler?) {
    if input != "-" {
      try await NDJSONFile.read(input) { line, _ in reconcilers[0].expect(line) }
    }
    try await NDJSONFile.read(input) { line, number in
      body(line)
      for index in reconcilers.indices {
        do {
          try reconcilers[index].take(line)
        } catch {
          throw CommandFailure(
            .badData, "Line \(number) of \(NDJSONFile.name(input)) cannot be judged: \(error).",
            advice: "`baton events export` writes lines that can.")
        }
        if let unknown = reconcilers[index].unknownRules { throw Self.failure(unknown) }
      }
    }
    if let end {
      for index in reconcilers.indices { reconcilers[index].advance(to: end) }
    }
    return (reconcilers[0], reconcilers.count > 1 ? reconcilers[1] : nil)
  }
}
