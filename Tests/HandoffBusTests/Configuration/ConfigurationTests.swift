import Foundation
import Logging
import TestSupport
import Testing

@testable import HandoffBus

@Suite struct `The configuration` {
  @Test func `an empty file leaves every default`() throws {
    let configuration = try BatonConfiguration.parse("")
    #expect(configuration.dataFolder == ".baton/data")
    #expect(configuration.kafka.bootstrap == nil)
    #expect(configuration.topics.partitions == nil)
    #expect(configuration.topics.replication == 3)
    #expect(configuration.logLevel == nil)
  }

  @Test func `every setting is taken, and paths are relative to the file`() throws {
    let text = """
      data: data
      policy: /etc/policy.yaml
      connectors: connectors
      secrets: keys/secrets.json
      log: debug
      kafka:
        bootstrap: one:9092,two:9092
        properties:
          security.protocol: SASL_SSL
          linger.ms: 5
      topics:
        partitions: 12
        replication: 2
      """
    let configuration = try BatonConfiguration.parse(text, relativeTo: "/srv/baton")
    #expect(configuration.dataFolder == "/srv/baton/data")
    #expect(configuration.policyFile == "/etc/policy.yaml")
    #expect(configuration.connectors == "/srv/baton/connectors")
    #expect(configuration.secretsFile == "/srv/baton/keys/secrets.json")
    #expect(configuration.logLevel == .debug)
    #expect(configuration.kafka.bootstrap == "one:9092,two:9092")
    #expect(
      configuration.kafka.properties == ["security.protocol": "SASL_SSL", "linger.ms": "5"])
    #expect(configuration.topics.partitions == 12)
    #expect(configuration.topics.replication == 2)
  }

  @Test func `every fault is told at once, by line and never by value`() throws {
    let text = """
      data: [a, b]
      colour: blue
      log: loud
      kafka:
        bootstrap: no-port-canary
      topics:
        partitions: 0
        replication: many
        copies: 3
      """
    let faults = try #require(throws: ConfigurationFaults.self) {
      try BatonConfiguration.parse(text)
    }
    #expect(
      faults.faults.map(\.setting) == [
        "data", "colour", "log", "kafka.bootstrap", "topics.partitions",
        "topics.replication",
        "topics.copies",
      ])
    #expect(faults.faults.map(\.line) == [1, 2, 3, 5, 7, 8, 9])
    #expect(!faults.description.contains("canary"))
  }

  @Test(arguments: ["{", "a: b: c", "- list", "\"text\"", "a: &x *x", "log: info\nlog: debug"])
  func `what is not a list of settings is refused`(text: String) {
    #expect(throws: ConfigurationFaults.self) { try BatonConfiguration.parse(text) }
  }

  @Test func `the environment wins over the file`() throws {
    let folder = try TemporaryFolder()
    try Data("data: from-file\nlog: info\n".utf8).write(to: folder.url.appending(path: "b.yaml"))
    let configuration = try BatonConfiguration.load(
      file: nil,
      environment: [
        "BATON_CONFIG": folder.path("b.yaml"), "BATON_BOOTSTRAP": "broker:1", "BATON_LOG": "error",
        "BATON_PARTITIONS": "3", "BATON_KAFKA_SASL_PASSWORD": "kept-quiet", "HOME": "/nowhere",
      ])
    #expect(configuration.dataFolder == folder.path("from-file"))
    #expect(configuration.kafka.bootstrap == "broker:1")
    #expect(configuration.logLevel == .error)
    #expect(configuration.topics.partitions == 3)
    #expect(configuration.kafka.properties == ["sasl.password": "kept-quiet"])
  }

  @Test func `a variable that is set to nothing names no file`() throws {
    let configuration = try BatonConfiguration.load(
      file: nil, environment: ["BATON_CONFIG": ""])
    #expect(configuration.dataFolder == ".baton/data")
  }

  @Test func `faults of the environment are told too`() throws {
    let faults = try #require(throws: ConfigurationFaults.self) {
      try BatonConfiguration.load(
        file: "/nowhere/at/all.yaml",
        environment: ["BATON_BOOTSTRAP": "x", "BATON_PARTITIONS": "-1", "BATON_REPLICATION": "ten"])
    }
    #expect(
      faults.faults.map(\.setting) == [
        "/nowhere/at/all.yaml", "BATON_BOOTSTRAP", "BATON_PARTITIONS", "BATON_REPLICATION",
      ])
  }

  @Test func `the data folder belongs to its owner alone`() throws {
    let folder = try TemporaryFolder()
    var configuration = BatonConfiguration()
    configuration.dataFolder = folder.path("deep/data")
    try configuration.files.makeFolder()
    let attributes = try FileManager.default.attributesOfItem(atPath: configuration.dataFolder)
    #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o700)
    #expect(configuration.files.secrets == folder.path("deep/data/secrets.json"))
  }
}
