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
}
