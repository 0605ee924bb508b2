import ArgumentParser
import HandoffBus
import HandoffCore
import KafkaClient

extension PolicyCommand {
  struct Activate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Put a policy, a profile or a register in force, by a record on every partition.",
      discussion: """
        Handoffs that are open stay under the policy by which they were requested; what is \
        requested from then on is judged by this one. The files' bytes go to handoff.config.v1 and \
        stay there. What was activated stays in force whatever policy a reconciler is configured \
        with, until it is activated again. Without FILE the policy stays, without --register the \
        register; a profile ends unless it is named again.

        A switch that failed half-way is made whole by running the command again. It needs the \
        principal of the administrator.
        """)

    @OptionGroup var settings: SettingsOptions
    @OptionGroup var output: OutputOptions

    @Argument(
      help: ArgumentHelp(
        "The policy (YAML), or `default` for the one that ships.", valueName: "file")
    )
    var file: String?

    @Option(
      name: .long,
      help: ArgumentHelp("The profile to switch on, such as winter.", valueName: "name"))
    var profile: String?

    @Option(
      name: .long, help: ArgumentHelp("The organisation register (YAML).", valueName: "file"))
    var register: String?

    @Flag(name: .long, help: "End the register: no code is unknown or closed from then on.")
    var noRegister = false

    func validate() throws {
      if noRegister, register != nil {
        throw ValidationError("--register and --no-register exclude each other.")
      }
      if let profile, Code(profile) == nil {
        throw ValidationError("--profile must be a code such as winter.")
      }
    }

    func run() async throws {
      let (configuration, bootstrap) = try settings.loadWithBroker()
      var request = PolicyActivation.Request()
      request.policy = try file.map { try $0 == "default" ? .standard : PolicySource(file: $0) }
      request.profile = profile.flatMap { Code($0) }
      request.register = try register.map { try RegisterSource(file: $0) }
      request.endsRegister = noRegister
      let kafka = KafkaConfiguration(configuration, client: "policy", as: .administrator)
      try await reachingKafka(bootstrap) {
        do {
          let done = try await PolicyActivation(kafka).activate(request)
          try Output(output).result(Report(done)) {
            let profile = done.activation.profile.map { " under profile \($0)" } ?? ""
            let register =
              done.activation.registerHash.map { ", register \($0.description.prefix(12))" } ?? ""
            let ended = done.endedProfile.map { " Profile \($0) has ended." } ?? ""
            let partitions = counted(done.partitionCount, "partition", "partitions")
            return
              "Policy \(done.activation.policyHash.description.prefix(12))\(profile)\(register) "
              + "is in force from here on, on \(partitions).\(ended)"
          }
        } catch let fault as PolicyActivationFault {
          throw failure(fault)
        }
      }
    }

    private func failure(_ fault: PolicyActivationFault) -> CommandFailure {
      switch fault {
      case .noTopic:
        CommandFailure(
          .unavailable, "There is no topic \(Topic.events.name).",
          advice: "Create the topics with `baton topics apply`.")
      case .unknownPolicy:
        CommandFailure(
          .badData, "The policy that was activated last is not in \(Topic.config.name).",
          advice: "Name the policy file.")
      case .unknownProfile(let known):
        CommandFailure(
          .usage, "The policy has no profile of that name.",
          advice: known.isEmpty
            ? "It has none at all." : "It has: \(known.map(\.description).joined(separator: ", "))."
        )
      }
    }

    private struct Report: Encodable {
      var policyHash: String
      var profile: String?
      var registerHash: String?
      var endedProfile: String?
      var partitions: Int

      init(_ done: PolicyActivation.Outcome) {
        policyHash = "\(done.activation.policyHash)"
        profile = done.activation.profile.map { "\($0)" }
        registerHash = done.activation.registerHash.map { "\($0)" }
        endedProfile = done.endedProfile.map { "\($0)" }
        partitions = done.partitionCount
      }
    }
  }
}
