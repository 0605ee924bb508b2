/// The AsyncAPI 3 document of every topic: made from ``TopicTable``, so that it says what the
/// cluster is made to do.
package struct AsyncAPI: Sendable {
  private let sizes: TopicSizes
  /// Rows of the table, each with what it carries.
  private let channels: [Channel]

  private struct Channel {
    var name: String
    var definition: TopicDefinition
    var messages: [TopicMessage]
    var isOfOneOrganisation = false
  }

  package init(sizes: TopicSizes = TopicSizes()) {
    self.sizes = sizes
    let shared = Topic.allCases.map { topic in
      Channel(
        name: "\(topic)", definition: TopicTable.definition(of: topic),
        messages: TopicMessage.messages(on: topic))
    }
    let own = [
      Channel(
        name: "inbox", definition: TopicTable.inbox(organisation: "{organisation}"),
        messages: TopicMessage.inbox, isOfOneOrganisation: true),
      Channel(
        name: "outbox", definition: TopicTable.outbox(organisation: "{organisation}"),
        messages: TopicMessage.outbox, isOfOneOrganisation: true),
    ]
    channels = shared + own
  }

  /// The document as YAML; the same on every machine.
  package var yaml: String {
    var page = YAMLPage()
    page.comment("Made by `baton topics asyncapi` from the topic table: change that, not this.")
    page.value("asyncapi", "3.0.0")
    page.map("info") { page in
      page.value("title", "Baton: handoffs of care on Kafka")
      page.value("version", "1.0.0")
      page.value(
        "description",
        "Every record is a CloudEvent 1.0 in Kafka's binary mode unless it says otherwise. Data is "
          + "Protobuf (baton/handoff/v1/*.proto) or proto3 JSON; every reader takes both. A record "
          + "that a reader cannot read is counted and told, and never a reason to stop. The fixed "
          + "number of partitions and the copies are the defaults of a new cluster.")
    }
    page.value("defaultContentType", "application/protobuf")
    page.map("channels") { page in for channel in channels { write(channel, to: &page) } }
    page.map("operations") { page in for channel in channels { operations(channel, to: &page) } }
    page.map("components") { page in
      page.map("messages") { page in
        for message in distinctMessages { write(message, to: &page) }
      }
      page.map("schemas") { page in
        Self.headers("CloudEvent", Self.attributes, to: &page)
        for message in distinctMessages where !message.headers.isEmpty {
          let own = message.headers.map { ($0.name, $0.description, true) }
          Self.headers(message.name, Self.attributes + own, to: &page)
        }
        Self.access(to: &page)
      }
    }
    return page.text
  }

  private func write(_ channel: Channel, to page: inout YAMLPage) {
    let definition = channel.definition
    page.map(channel.name) { page in
      page.value("address", definition.name)
      page.value("description", sentence(definition.holds))
      if channel.isOfOneOrganisation {
        page.map("parameters") { page in
          page.map("organisation") { page in
            page.value("description", "ODS code of the organisation, in lower case.")
          }
        }
      }
      page.map("messages") { page in
        for message in channel.messages {
          page.reference(message.name, "#/components/messages/\(message.name)")
        }
      }
      page.map("bindings") { page in
        page.map("kafka") { page in
          page.value("topic", definition.name)
          page.value("partitions", Int(sizes.partitions(of: definition)))
          page.value("replicas", Int(sizes.replication))
          page.map("topicConfiguration") { page in
            switch definition.cleanUp {
            case .compact: page.list("cleanup.policy", ["compact"])
            case .delete(let days):
              page.list("cleanup.policy", ["delete"])
              page.value("retention.ms", days.map { $0 * 86_400_000 } ?? -1)
              page.value("retention.bytes", -1)
            }
          }
          page.value("bindingVersion", "0.5.0")
        }
      }
      page.map("x-baton") { page in
        page.value("key", definition.key)
        page.list("writers", definition.writers.map(\.rawValue))
        page.list("readers", definition.readers.map(\.rawValue))
        page.value("stampedByWriter", definition.isStamped)
        page.value("retention", retention(definition.cleanUp))
        page.value("stampedByBroker", definition.isStampedByBroker)
        page.value("audited", definition.isAudited)
        page.map("settings") { page in
          for setting in definition.config(replication: sizes.replication).sorted(by: <) {
            page.value(setting.key, setting.value)
          }
        }
      }
    }
  }

  private func operations(_ channel: Channel, to page: inout YAMLPage) {
    func operation(_ role: BusRole, _ verb: String, _ action: String) {
      page.map("\(role.rawValue)-\(verb)s-\(channel.name)") { page in
        page.value("action", action)
        page.reference("channel", "#/channels/\(channel.name)")
        page.value("summary", "The \(role.rawValue) may \(verb) \(channel.definition.name).")
      }
    }
    for role in channel.definition.writers { operation(role, "write", "send") }
    for role in channel.definition.readers { operation(role, "read", "receive") }
  }

  /// Each message once, also where two topics carry it.
  private var distinctMessages: [TopicMessage] {
    var names: Set<String> = []
    return channels.flatMap(\.messages).filter { names.insert($0.name).inserted }
  }

  private func write(_ message: TopicMessage, to page: inout YAMLPage) {
    page.map(message.name) { page in
      page.value("name", "baton.handoff.v1.\(message.name)")
      page.value("title", message.name)
      page.value("summary", message.summary)
      switch message.data {
      case .contract: page.value("contentType", "application/protobuf")
      case .json: page.value("contentType", "application/json")
      case .other(let type): page.value("contentType", type)
      }
      if message.isCloudEvent {
        let schema = message.headers.isEmpty ? "CloudEvent" : message.name
        page.reference("headers", "#/components/schemas/\(schema)Headers")
      }
      page.map("payload") { page in
        if let file = message.schemaFile {
          page.value("schemaFormat", "application/schema+json;version=draft-2020-12")
          page.map("schema") { page in page.value("$ref", "./json/\(file)") }
        } else if message.data == .json {
          page.value("$ref", "#/components/schemas/\(message.name)")
        } else {
          page.value("type", "string")
        }
      }
      page.map("bindings") { page in
        page.map("kafka") { page in
          page.map("key") { page in
            page.value("type", "string")
            page.value("description", sentence(message.key))
          }
          page.value("bindingVersion", "0.5.0")
        }
      }
    }
  }

  private static let attributes: [(name: String, description: String, isMandatory: Bool)] = [
    ("ce_specversion", "Version of CloudEvents: 1.0.", true),
    ("ce_id", "The event's id; with ce_source it is unique.", true),
    ("ce_source", "Who made the record: /sources/ and a connector's name, or /baton.", true),
    ("ce_type", "The message's full name, such as baton.handoff.v1.HandoffEvent.", true),
    ("ce_time", "When it happened (RFC 3339).", false),
    ("ce_subject", "The handoff it is about: 32 hexadecimal digits.", false),
    ("content-type", "application/protobuf or application/json.", true),
    (RecordStamp.header, "Who of ours wrote it, where the topic is stampedByWriter.", false),
  ]

  private static func headers(
    _ name: String, _ attributes: [(name: String, description: String, isMandatory: Bool)],
    to page: inout YAMLPage
  ) {
    page.map("\(name)Headers") { page in
      page.value("description", "Headers of a CloudEvent in Kafka's binary mode, in this order.")
      page.value("type", "object")
      page.list("required", attributes.filter(\.isMandatory).map(\.name))
      page.map("properties") { page in
        for attribute in attributes {
          page.map(attribute.name) { page in
            page.value("type", "string")
            page.value("description", attribute.description)
          }
        }
      }
    }
  }

  private static let accessMembers = [
    ("at", "When (RFC 3339)."), ("reader", "The account that the command ran under."),
    ("action", "What was done, such as query or prove."),
    ("question", "The conditions asked for, as JSON: pseudonyms and codes only."),
    ("reason", "Why, in the reader's words; absent where none was given."),
  ]

  private static func access(to page: inout YAMLPage) {
    page.map("Access") { page in
      page.value("description", "A reading of the audit log.")
      page.value("type", "object")
      page.list("required", accessMembers.dropLast().map(\.0))
      page.map("properties") { page in
        for (name, description) in accessMembers {
          page.map(name) { page in
            page.value("type", "string")
            page.value("description", description)
          }
        }
      }
    }
  }

  private func sentence(_ text: String) -> String {
    text.prefix(1).uppercased() + text.dropFirst() + "."
  }

  /// How long records are kept, in words.
  package static func retention(_ cleanUp: TopicDefinition.CleanUp) -> String {
    switch cleanUp {
    case .compact: "the newest record of each key, for ever"
    case .delete(nil): "for ever"
    case .delete(let days?): "\(days) days"
    }
  }

  private func retention(_ cleanUp: TopicDefinition.CleanUp) -> String { Self.retention(cleanUp) }
}

/// A YAML document of maps, lists and scalars, written line by line.
private struct YAMLPage {
  private(set) var text = ""
  private var indent = ""

  mutating func comment(_ comment: String) { text += "# \(comment)\n" }

  mutating func value(_ name: String, _ value: String) {
    text += "\(indent)\(scalar(name)): \(quoted(value))\n"
  }

  mutating func value(_ name: String, _ value: Int) {
    text += "\(indent)\(scalar(name)): \(value)\n"
  }

  mutating func value(_ name: String, _ value: Bool) {
    text += "\(indent)\(scalar(name)): \(value)\n"
  }

  mutating func list(_ name: String, _ values: [String]) {
    text += "\(indent)\(scalar(name)): [\(values.map(quoted).joined(separator: ", "))]\n"
  }

  mutating func reference(_ name: String, _ target: String) {
    map(name) { page in page.value("$ref", target) }
  }

  mutating func map(_ name: String, _ body: (inout YAMLPage) -> Void) {
    let before = text.utf8.count
    text += "\(indent)\(scalar(name)):\n"
    let start = text.utf8.count
    indent += "  "
    body(&self)
    indent.removeLast(2)
    guard text.utf8.count == start else { return }
    text.removeLast(text.utf8.count - before)
    text += "\(indent)\(scalar(name)): {}\n"
  }

  /// Names are plain where YAML reads them as text.
  private func scalar(_ name: String) -> String { name.hasPrefix("$") ? "\"\(name)\"" : name }

  private func quoted(_ text: String) -> String {
    "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
  }
}
