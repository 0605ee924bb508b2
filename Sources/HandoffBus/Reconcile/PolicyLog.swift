internal import HandoffCodecs
internal import HandoffCore
internal import KafkaClient

/// The config topic: the bytes of every policy and register ever in force, by their hash.
struct PolicyLog {
  private let kafka: KafkaConfiguration

  init(_ kafka: KafkaConfiguration) { self.kafka = kafka }

  /// Every policy and register that the topic holds and that can still be read.
  ///
  /// Other kinds of configuration lie in the same topic and are passed over.
  func read() async throws -> RulesOnLog {
    var rules = RulesOnLog()
    try await TopicScan(kafka, topic: .config).readToEnd { record in
      guard let value = record.value else { return }
      if RegisterDocument.isRegister(value) {
        if let document = try? RegisterDocument(value) { rules.registers.append(document.register) }
      } else if let document = try? PolicyDocument(value) {
        rules.policies.append(document.policy)
      }
    }
    return rules
  }

  /// Writes the bytes of `source` where the topic lacks them, and returns everything there is,
  /// `source` and the policy that ships with Baton included.
  func publish(_ source: PolicySource) async throws -> RulesOnLog {
    var rules = try await read()
    if !rules.policies.contains(where: { $0.hash == source.policy.hash }) {
      if let bytes = source.bytes { try await write(bytes, key: source.policy.hash.description) }
      rules.policies.append(source.policy)
    }
    rules.policies.append(.default)
    return rules
  }

  /// Writes the bytes of `source` where the topic lacks them.
  func publish(_ source: RegisterSource) async throws {
    let rules = try await read()
    guard !rules.registers.contains(where: { $0.hash == source.register.hash }) else { return }
    try await write(source.bytes, key: source.register.hash.description)
  }

  /// What a person activated last, so that a switch of one part keeps the other; `nil` before
  /// anybody did.
  func activated() async throws -> RulesActivation? {
    var activated: RulesActivation?
    let key = Array(RulesActivation.lastKey.utf8)
    try await TopicScan(kafka, topic: .config).readToEnd { record in
      guard record.key == key, let value = record.value else { return }
      activated = try? RulesActivation(protobuf: value)
    }
    return activated
  }

  /// Keeps in mind what was activated.
  func note(_ activation: RulesActivation) async throws(KafkaError) {
    try await write(
      activation.protobuf, key: RulesActivation.lastKey, contentType: "application/protobuf")
  }

  private func write(
    _ bytes: [UInt8], key: String, contentType: String = "application/yaml"
  ) async throws(KafkaError) {
    let producer = try KafkaProducer(kafka)
    let message = KafkaMessage(
      topic: Topic.config.name, key: Array(key.utf8), value: bytes,
      headers: [KafkaHeader("content-type", contentType)])
    do throws(KafkaError) {
      _ = try await producer.send([message])
    } catch {
      await producer.close()
      throw error
    }
    await producer.close()
  }
}
