import Foundation
import HandoffBus
import TestSupport
import Testing
import Yams

@Suite struct `The AsyncAPI document` {
  @Test func `is what the topic table makes of it`() throws {
    let yaml = AsyncAPI().yaml
    let text = try GoldenFile.text("Schemas/asyncapi.yaml", madeAs: yaml)
    #expect(text == yaml, "\(GoldenFile.advice)")
  }

  private func document() throws -> [String: Any] {
    try #require(try Yams.load(yaml: AsyncAPI().yaml) as? [String: Any])
  }

  @Test func `has every topic, with its key, its settings and who may write it`() throws {
    let channels = try #require(try document()["channels"] as? [String: [String: Any]])
    let tables =
      TopicTable.shared + [
        TopicTable.inbox(organisation: "{organisation}"),
        TopicTable.outbox(organisation: "{organisation}"),
      ]
    #expect(Set(channels.values.map { $0["address"] as? String }) == Set(tables.map(\.name)))
    for definition in tables {
      let channel = try #require(
        channels.values.first { $0["address"] as? String == definition.name })
      let own = try #require(channel["x-baton"] as? [String: Any])
      #expect(own["key"] as? String == definition.key)
      #expect(own["writers"] as? [String] == definition.writers.map(\.rawValue))
      #expect(own["readers"] as? [String] == definition.readers.map(\.rawValue))
      #expect(own["settings"] as? [String: String] == definition.config(replication: 3))
    }
  }

  @Test func `refers to nothing that is not there`() throws {
    let document = try document()
    var count = 0
    func check(_ value: Any) throws {
      if let map = value as? [String: Any] {
        if let reference = map["$ref"] as? String {
          count += 1
          if reference.hasPrefix("#/") {
            var target: Any? = document
            for step in reference.dropFirst(2).split(separator: "/") {
              target = (target as? [String: Any])?[String(step)]
            }
            #expect(target != nil, "\(reference)")
          } else {
            _ = try GoldenFile.read("Schemas/\(reference.dropFirst(2))")
          }
        }
        for value in map.values { try check(value) }
      } else if let list = value as? [Any] {
        for value in list { try check(value) }
      }
    }
    try check(document)
    #expect(count > 30)
  }

  @Test func `knows each message of the contract that is a record of a topic`() throws {
    let messages =
      Topic.allCases.flatMap { TopicMessage.messages(on: $0) } + TopicMessage.inbox
      + TopicMessage.outbox
    let known = Set(messages.filter { $0.data == .contract }.map(\.name))
    let source = try ProtoSource.contract()
    let held = Set(source.messages.flatMap(\.fields).map(\.type))
    for message in source.messages
    where !held.contains(message.name)
      && !["HandoffSubmission", "FrameContent", "Notice"].contains(message.name)
    {
      #expect(known.contains(message.name), "no topic carries \(message.name)")
    }
  }

  private func tree(_ document: [String: Any]) throws -> JSONTree {
    try JSONTree(Array(JSONSerialization.data(withJSONObject: document)))
  }

  private func faults(_ document: JSONTree) throws -> [JSONSchema.Fault] {
    try JSONSchema("asyncapi", documents: ["asyncapi": AsyncAPIRules.schema]).faults(in: document)
  }

  @Test func `keeps the rules of AsyncAPI 3 and of its Kafka bindings`() throws {
    #expect(try faults(tree(try document())) == [])
  }

  /// Where something is changed, and into what.
  @Test(arguments: [
    (["asyncapi"], "\"2.6.0\""), (["info", "title"], "1"), (["chanels"], "{}"),
    (["channels", "events", "adress"], "\"a\""),
    (["channels", "events", "bindings", "kafka", "partitions"], "0"),
    (
      ["channels", "events", "bindings", "kafka", "topicConfiguration", "cleanup.policy"],
      "\"delete\""
    ),
    (["channels", "events", "bindings", "kafka", "bindingVersion"], "\"9\""),
    (["operations", "ingest-writes-events", "action"], "\"publish\""),
    (["operations", "ingest-writes-events", "channel"], "\"events\""),
    (["components", "messages", "Tick", "payload"], "{\"schemaFormat\":\"x\"}"),
    (["components", "messages", "Tick", "bindings", "kafka", "topic"], "\"a\""),
    (["channels", "two words"], "{}"),
  ])
  func `would break them with one member changed`(path: [String], value: String) throws {
    var text = try tree(try document())
    text = Self.changed(text, path[...], try JSONTree(Array("[\(value)]".utf8)).elements[0])
    #expect(try !faults(text).isEmpty)
  }

  private static func changed(
    _ tree: JSONTree, _ path: ArraySlice<String>, _ value: JSONTree
  ) -> JSONTree {
    guard let first = path.first else { return value }
    var tree = tree
    tree[first] = changed(tree[first], path.dropFirst(), value)
    return tree
  }

  @Test func `lets every operation use messages of its channel only, and every channel one`()
    throws
  {
    let document = try document()
    let channels = try #require(document["channels"] as? [String: [String: Any]])
    let operations = try #require(document["operations"] as? [String: [String: Any]])
    for (name, operation) in operations {
      let reference = (operation["channel"] as? [String: String])?["$ref"] ?? ""
      #expect(channels[String(reference.dropFirst("#/channels/".count))] != nil, "\(name)")
      for message in operation["messages"] as? [[String: String]] ?? [] {
        #expect(message["$ref"]?.hasPrefix(reference + "/messages/") == true, "\(name)")
      }
    }
    for (name, channel) in channels {
      let address = try #require(channel["address"] as? String)
      let used = operations.values.filter {
        ($0["channel"] as? [String: String])?["$ref"] == "#/channels/\(name)"
      }
      #expect(!used.isEmpty, "\(name)")
      // Every parameter of an address is declared, and no other is.
      let parts = address.split(separator: "{").dropFirst().map { String($0.prefix { $0 != "}" }) }
      let declared = (channel["parameters"] as? [String: Any])?.keys.sorted() ?? []
      #expect(parts.sorted() == declared, "\(name)")
    }
  }
}
