/// One kind of record that a topic carries, as the AsyncAPI document and the pages describe it.
package struct TopicMessage: Hashable, Sendable {
  /// In what form its data is.
  package enum Data: Hashable, Sendable {
    /// A message of the contract, as Protobuf or proto3 JSON.
    case contract
    /// JSON of its own.
    case json
    /// Text, or bytes as they are, by media type.
    case other(contentType: String)
  }

  /// The message's name, as `ce_type` has it behind the package: `HandoffEvent`.
  package var name: String
  /// What the record's key is, in words or in its written form.
  package var key: String
  package var data: Data
  package var summary: String
  /// Whether it has the headers of a CloudEvent.
  package var isCloudEvent = true

  /// Headers beside those of CloudEvents, with what they hold.
  package var headers: [(name: String, description: String)] {
    switch name {
    case "DeadLetter": Self.deadLetterHeaders
    case "PartitionState": Self.stateHeaders
    default: []
    }
  }

  /// What a restart checks a changelog and a snapshot by.
  private static let stateHeaders = [
    (Changelog.lineageHeader, "Names one unbroken changelog; one begun anew has another."),
    (Changelog.personCountHeader, "How many people the partition remembers."),
  ]

  /// The dead letter headers of Kafka Connect (KIP-298), for tools that know those.
  private static let deadLetterHeaders = [
    ("__connect.errors.connector.name", "The connector's name."),
    ("__connect.errors.stage", "Where it failed: VALUE_CONVERTER."),
    ("__connect.errors.exception.class.name", "Why, as a code such as hl7.segment-missing."),
    ("__connect.errors.exception.message", "The code, and the field; never a value."),
  ]

  /// `handoff-event.schema.json`: the file of its JSON Schema, for a message of the contract.
  package var schemaFile: String? {
    guard data == .contract else { return nil }
    var file = ""
    for character in name {
      if character.isUppercase, !file.isEmpty { file += "-" }
      file += character.lowercased()
    }
    return file + ".schema.json"
  }

  /// What records of `topic` are; none where nothing of this version writes it.
  package static func messages(on topic: Topic) -> [TopicMessage] {
    switch topic {
    case .events: events
    case .alerts:
      [
        TopicMessage(
          name: "Verdict", key: "patient key, a source's code, or `baton`", data: .contract,
          summary: "What the reconciler says of one alert, at one revision.")
      ]
    case .sources:
      [
        TopicMessage(
          name: "SourceRecord", key: "the connector's name", data: .contract,
          summary: "What a connector says of itself: alive, an arrival, a refusal."),
        tick, rulesActivation,
      ]
    case .correlation:
      [
        TopicMessage(
          name: "CorrelationEntry", key: "the token: 32 hexadecimal digits", data: .contract,
          summary: "Whom an id belongs to.")
      ]
    case .deadLetters:
      [
        TopicMessage(
          name: "DeadLetter", key: "the connector's name", data: .contract,
          summary: "One arrival that gave no event, with its payload sealed.")
      ]
    case .reconcilerState:
      [
        TopicMessage(
          name: "PersonState", key: patientKey, data: .contract,
          summary: "What the reducer remembers of a person; null where nothing is left."),
        TopicMessage(
          name: "PartitionState", key: "`partition`", data: .contract,
          summary: "Time, books and policies of a partition."),
      ]
    case .sourceState: [sourceState]
    case .access:
      [
        TopicMessage(
          name: "Access", key: "the account that reads", data: .json,
          summary: "Who asked the audit log what, when and why; written before the answer.")
      ]
    case .checkpoints:
      [
        TopicMessage(
          name: "Checkpoint", key: "the log's origin",
          data: .other(contentType: "text/plain; charset=utf-8"),
          summary: "A signed tree head (C2SP tlog-checkpoint).")
      ]
    case .config:
      [
        TopicMessage(
          name: "Configuration", key: "SHA-256 of the value: 64 hexadecimal digits",
          data: .other(contentType: "application/yaml"),
          summary: "The bytes of a policy or register, as its owner wrote them.",
          isCloudEvent: false),
        TopicMessage(
          name: "Activated", key: "`activated`",
          data: .other(contentType: "application/protobuf"),
          summary: "The RulesActivation that a person made last.", isCloudEvent: false),
      ]
    case .commands: []
    }
  }

  private static let events =
    [
      TopicMessage(
        name: "HandoffEvent", key: patientKey, data: .contract,
        summary: "One thing that happened in the handoff of a person."),
      TopicMessage(
        name: "PersonTransfer", key: "the new key: `<epoch>.<64 hexadecimal digits>`",
        data: .contract,
        summary: "All that one key's reducer held of a person, for the key that a merge names."),
      tick,
      TopicMessage(
        name: "SourceState", key: "`source.<source>`", data: .contract,
        summary: "A source's change of state, on every partition."),
      rulesActivation,
    ]

  private static let sourceState = TopicMessage(
    name: "SourceReducerState",
    key: "`partition`, `source.<source>` or `messages.<source>.<number>`", data: .contract,
    summary: "What the source reducer remembers; null where nothing is left.")

  private static let tick = TopicMessage(
    name: "Tick", key: "`tick`", data: .contract,
    summary: "Carries nothing but the broker's timestamp; its value is empty, and not null.")

  private static let rulesActivation = TopicMessage(
    name: "RulesActivation", key: "`rules`", data: .contract,
    summary: "From here on these rules and this policy are in force, on every partition.")

  /// What an organisation's inbox carries.
  package static let inbox = [
    TopicMessage(
      name: "SealedFrame", key: "the connector's name", data: .contract,
      summary: "A frame of a connector outside the boundary, sealed to ingest.")
  ]

  /// What an organisation's outbox carries.
  package static let outbox = [
    TopicMessage(
      name: "SealedNotice", key: "a keyed hash of organisation and person: 32 hexadecimal digits",
      data: .contract,
      summary: "A notice to an organisation's own systems, sealed to that organisation.")
  ]

  private static let patientKey = "patient key: `<epoch>.<64 hexadecimal digits>`"
}
