internal import HandoffCodecs
package import HandoffCore
package import KafkaClient

/// Switches the bus to another policy or profile, by a record on every partition of the events.
///
/// The bytes go to the config topic first, so that who reads the switch finds them. A switch that
/// reached some partitions only is made whole by doing it again: a partition that has it already
/// passes it over.
package struct PolicyActivation: Sendable {
  /// What was written.
  package struct Done: Hashable, Sendable {
    package var hash: RecordHash
    package var profile: Code?
    package var partitionCount: Int
  }

  private let kafka: KafkaConfiguration

  /// `kafka` writes as the administrator, whose stamp readers ask for.
  package init(_ kafka: KafkaConfiguration) { self.kafka = kafka }

  /// Puts `source` in force from here on, under a profile that it has or under none.
  package func activate(_ source: PolicySource, profile: Code?) async throws -> Done {
    let hash = source.policy.hash
    let partitions = try await TopicScan(kafka, topic: .events).partitions()
    guard !partitions.isEmpty else { throw PolicyActivationFault.noTopic }
    if let profile, source.policy.under(profile) == nil {
      throw PolicyActivationFault.unknownProfile(profile)
    }
    _ = try await PolicyLog(kafka).publish(source)
    let activation = RulesActivation(
      rulesVersion: PersonReducer.rulesVersion, policyHash: hash, profile: profile,
      isCommanded: true)
    let record = WireCodec().encode(activation, at: Timestamp.now())
    let producer = try KafkaProducer(kafka)
    do throws(KafkaError) {
      _ = try await producer.send(
        partitions.map { KafkaMessage(topic: .events, partition: $0.partition, record) })
    } catch {
      await producer.close()
      throw error
    }
    await producer.close()
    return Done(hash: hash, profile: profile, partitionCount: partitions.count)
  }
}

/// Why nothing was switched.
package enum PolicyActivationFault: Error, Hashable, Sendable {
  case noTopic
  case unknownProfile(Code)
}
