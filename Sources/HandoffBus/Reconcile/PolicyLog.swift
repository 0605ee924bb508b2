internal import HandoffCodecs
internal import HandoffCore
internal import KafkaClient

/// The config topic: the bytes of every policy ever in force, by their hash.
struct PolicyLog {
  private let kafka: KafkaConfiguration

  init(_ kafka: KafkaConfiguration) { self.kafka = kafka }

  /// Every policy that the topic holds and that can still be read.
  ///
  /// Other kinds of configuration lie in the same topic and are passed over.
  func read() async throws -> [Policy] {
    var policies: [Policy] = []
    try await TopicScan(kafka, topic: .config).readToEnd { record in
      guard let value = record.value, let document = try? PolicyDocument(value) else {
        return
      }
      policies.append(document.policy)
    }
    return policies
  }

  /// Writes the bytes of `source` where the topic lacks them, and returns every policy there is,
  /// `source` and the one that ships with Baton included.
  func publish(_ source: PolicySource) async throws -> [Policy] {
    var policies = try await read()
    if !policies.contains(where: { $0.hash == source.policy.hash }) {
      if let bytes = source.bytes { try await write(bytes, hash: source.policy.hash) }
      policies.append(source.policy)
    }
    return policies + [.default]
  }

  private func write(_ bytes: [UInt8], hash: RecordHash) async throws(KafkaError) {
    let producer = try KafkaProducer(kafka)
    let message = KafkaMessage(
      topic: Topic.config.name, key: Array(hash.description.utf8), value: bytes,
      headers: [KafkaHeader("content-type", "application/yaml")])
    do throws(KafkaError) {
      _ = try await producer.send([message])
    } catch {
      await producer.close()
      throw error
    }
    await producer.close()
  }
}
