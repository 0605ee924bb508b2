internal import HandoffCodecs
package import HandoffCore
package import KafkaClient

/// Switches the bus to another policy, profile or register, by a record on every partition of the
/// events, and of the sources where there are any.
///
/// The bytes go to the config topic first, so that who reads the switch finds them. A switch that
/// reached some partitions only is made whole by doing it again: a partition that has it already
/// passes it over.
package struct PolicyActivation: Sendable {
  /// What is to change; the rest stays as it was activated last.
  package struct Request: Sendable {
    /// `nil` leaves the policy that was activated last, or the one that ships with Baton.
    package var policy: PolicySource?
    /// `nil` for none: without being named again a profile ends.
    package var profile: Code?
    /// `nil` leaves the register that was activated last.
    package var register: RegisterSource?
    package var endsRegister = false

    package init() {}
  }

  private let kafka: KafkaConfiguration

  /// `kafka` writes as the administrator, whose stamp readers ask for.
  package init(_ kafka: KafkaConfiguration) { self.kafka = kafka }

  /// What was done.
  package struct Outcome: Sendable {
    /// What is in force from here on.
    package var activation: RulesActivation
    /// On how many partitions of the events it was said.
    package var partitionCount: Int
    /// The profile that was activated last and is not any more.
    package var endedProfile: Code?
  }

  /// Puts it in force from here on.
  package func activate(_ request: Request) async throws -> Outcome {
    let partitions = try await TopicScan(kafka, topic: .events).partitions()
    guard !partitions.isEmpty else { throw PolicyActivationFault.noTopic }
    let sources = try await TopicScan(kafka, topic: .sources).partitions()
    let log = PolicyLog(kafka)
    let last = try await log.activated()
    let activation = try await activation(request, after: last, log)
    if let register = request.register { try await log.publish(register) }
    let record = WireCodec().encode(activation, at: Timestamp.now())
    let producer = try KafkaProducer(kafka)
    do throws(KafkaError) {
      _ = try await producer.send(
        partitions.map { KafkaMessage(topic: .events, partition: $0.partition, record) }
          + sources.map { KafkaMessage(topic: .sources, partition: $0.partition, record) })
    } catch {
      await producer.close()
      throw error
    }
    await producer.close()
    try await log.note(activation)
    let ended = last?.profile == activation.profile ? nil : last?.profile
    return Outcome(
      activation: activation, partitionCount: partitions.count, endedProfile: ended)
  }

  private func activation(
    _ request: Request, after last: RulesActivation?, _ log: PolicyLog
  ) async throws -> RulesActivation {
    let policy: Policy
    if let source = request.policy {
      _ = try await log.publish(source)
      policy = source.policy
    } else {
      let known = try await log.read().policies + [.default]
      let hash = last?.policyHash ?? Policy.default.hash
      guard let found = known.first(where: { $0.hash == hash }) else {
        throw PolicyActivationFault.unknownPolicy
      }
      policy = found
    }
    if let profile = request.profile, policy.under(profile) == nil {
      throw PolicyActivationFault.unknownProfile(known: policy.profiles.map(\.name))
    }
    let register =
      request.endsRegister ? nil : request.register?.register.hash ?? last?.registerHash
    return RulesActivation(
      rulesVersion: PersonReducer.rulesVersion, policyHash: policy.hash, profile: request.profile,
      registerHash: register, isCommanded: true)
  }
}

/// Why nothing was switched.
package enum PolicyActivationFault: Error, Hashable, Sendable {
  case noTopic
  case unknownPolicy
  case unknownProfile(known: [Code])
}
