import Foundation
import KafkaClient
import Logging
import Yams

extension BatonConfiguration {
  /// Reads the file where one is named (argument or `BATON_CONFIG`), then the environment over it.
  ///
  /// - Throws: ``ConfigurationFaults`` with every fault of both.
  package static func load(
    file named: String?, environment: [String: String]
  ) throws(ConfigurationFaults) -> BatonConfiguration {
    var reader = ConfigurationReader()
    // Set and empty is not set: so a unit file or a shell switches the file off.
    let file = named ?? environment["BATON_CONFIG"].flatMap { $0.isEmpty ? nil : $0 }
    if let file { reader.readFile(file) }
    reader.readEnvironment(environment)
    reader.checkSecurity(environment)
    guard reader.faults.isEmpty else {
      throw ConfigurationFaults(
        file: file, faults: reader.faults,
        isMissing: file.map { !FileManager.default.fileExists(atPath: $0) } ?? false)
    }
    return reader.configuration
  }

  /// The same from YAML text; relative paths are taken from `folder`.
  package static func parse(
    _ text: String, relativeTo folder: String = "."
  ) throws(ConfigurationFaults) -> BatonConfiguration {
    var reader = ConfigurationReader()
    reader.readText(text, folder: folder)
    reader.checkSecurity([:])
    guard reader.faults.isEmpty else {
      throw ConfigurationFaults(file: nil, faults: reader.faults)
    }
    return reader.configuration
  }
}

/// Collects settings and faults side by side.
struct ConfigurationReader {
  var configuration = BatonConfiguration()
  var faults: [ConfigurationFaults.Fault] = []
  /// Where settings of librdkafka and of security stand, for faults that show only later.
  var propertyLines: [String: Int] = [:]
  var securityLines: [String: Int] = [:]
  var folder = "."

  mutating func readFile(_ path: String) {
    guard let data = FileManager.default.contents(atPath: path) else {
      fault(path, nil, "cannot be read; check the name and the permission")
      return
    }
    readText(
      String(decoding: data, as: UTF8.self),
      folder: URL(filePath: path).deletingLastPathComponent().path(percentEncoded: false))
  }

  mutating func readText(_ text: String, folder: String) {
    self.folder = folder
    let root: Node?
    do {
      root = try Yams.compose(yaml: text)
    } catch {
      let line = (error as? YamlError).flatMap(Self.line)
      if case .duplicatedKeysInMapping? = error as? YamlError {
        fault("(file)", line, "writes a setting twice")
      } else {
        fault("(file)", line, "is not YAML")
      }
      return
    }
    guard let root else { return }  // An empty file configures nothing.
    eachSetting(of: root, "") { reader, name, node in
      switch name {
      case "data": reader.path(node, name) { $0.dataFolder = $1 }
      case "policy": reader.path(node, name) { $0.policyFile = $1 }
      case "connectors": reader.path(node, name) { $0.connectors = $1 }
      case "secrets": reader.path(node, name) { $0.secretsFile = $1 }
      case "record-secrets": reader.path(node, name) { $0.recordSecretsFile = $1 }
      case "boundary":
        reader.faults += reader.configuration.boundary.read(node, relativeTo: reader.folder)
      case "access":
        var access = AccessConfiguration()
        reader.faults += access.read(node)
        reader.configuration.access = access
      case "log": reader.text(node, name) { $0.setLogLevel($1, name, node.line) }
      case "keys": reader.readKeys(node)
      case "kafka": reader.readKafka(node)
      case "topics": reader.readTopics(node)
      case "correlation": reader.readCorrelation(node)
      case "snapshots": reader.readSnapshots(node)
      case "health": reader.readHealth(node)
      default:
        reader.fault(
          name, node.line,
          "is not a setting; known are data, policy, connectors, secrets, record-secrets, "
            + "boundary, access, keys, log, kafka, topics, correlation, snapshots, health")
      }
    }
  }

  private mutating func readKafka(_ node: Node) {
    eachSetting(of: node, "kafka.") { reader, name, value in
      switch name {
      case "kafka.bootstrap":
        reader.text(value, name) { $0.setBootstrap($1, name, value.line) }
      case "kafka.properties":
        reader.eachSetting(of: value, "kafka.properties.") { reader, property, value in
          let key = String(property.dropFirst("kafka.properties.".count))
          guard !KafkaSecurity.isSecret(key) else {
            return reader.fault(
              property, value.line,
              "is a secret, which does not stand in a configuration file; see kafka.security")
          }
          reader.propertyLines[key] = value.line
          reader.text(value, property) { $0.configuration.kafka.properties[key] = $1 }
        }
      case "kafka.security": reader.readSecurity(value)
      default:
        reader.fault(
          name, value.line, "is not a setting; known are bootstrap, properties, security")
      }
    }
  }

  private mutating func readKeys(_ node: Node) {
    let folder = URL(filePath: folder, directoryHint: .isDirectory)
    let (keys, faults) = KeyConfiguration.read(node) { path in
      path.hasPrefix("/") ? path : folder.appending(path: path).path(percentEncoded: false)
    }
    configuration.keys = keys
    for (setting, line, explanation) in faults { fault(setting, line, explanation) }
  }

  private mutating func readTopics(_ node: Node) {
    eachSetting(of: node, "topics.") { reader, name, value in
      switch name {
      case "topics.partitions":
        reader.text(value, name) { $0.setPartitions($1, name, value.line) }
      case "topics.replication":
        reader.text(value, name) { $0.setReplication($1, name, value.line) }
      default:
        reader.fault(name, value.line, "is not a setting; known are partitions, replication")
      }
    }
  }

  private mutating func readCorrelation(_ node: Node) {
    let least = Int(CorrelationLimits.daysLeast)
    eachSetting(of: node, "correlation.") { reader, name, value in
      switch name {
      case "correlation.entries-max":
        reader.number(value, name, 1_000...100_000_000) {
          $0.configuration.correlation.entryCountMax = $1
        }
      case "correlation.days":
        reader.number(value, name, least...3_650) {
          $0.configuration.correlation.days = UInt16(clamping: $1)
        }
      case "correlation.person-days":
        reader.number(value, name, least...36_500) {
          $0.configuration.correlation.personDays = UInt16(clamping: $1)
        }
      default:
        reader.fault(
          name, value.line, "is not a setting; known are entries-max, days, person-days")
      }
    }
  }

  private mutating func readSnapshots(_ node: Node) {
    eachSetting(of: node, "snapshots.") { reader, name, value in
      switch name {
      case "snapshots.seconds":
        reader.number(value, name, 0...86_400) { $0.configuration.snapshotSeconds = $1 }
      default: reader.fault(name, value.line, "is not a setting; known is seconds")
      }
    }
  }

  private mutating func readHealth(_ node: Node) {
    eachSetting(of: node, "health.") { reader, name, value in
      switch name {
      case "health.listen":
        reader.text(value, name) { reader, text in
          guard let address = HealthAddress(text) else {
            return reader.fault(
              name, value.line, "must be 127.0.0.1, [::1] or localhost, a colon and a port")
          }
          reader.configuration.health = address
        }
      default: reader.fault(name, value.line, "is not a setting; known is listen")
      }
    }
  }

  mutating func readEnvironment(_ environment: [String: String]) {
    for (name, value) in environment.sorted(by: { $0.key < $1.key }) where !value.isEmpty {
      switch name {
      case "BATON_BOOTSTRAP": setBootstrap(value, name, nil)
      case "BATON_DATA": configuration.dataFolder = value
      case "BATON_POLICY": configuration.policyFile = value
      case "BATON_CONNECTORS": configuration.connectors = value
      case "BATON_SECRETS": configuration.secretsFile = value
      case "BATON_RECORD_SECRETS": configuration.recordSecretsFile = value
      case "BATON_LOG": setLogLevel(value, name, nil)
      case "BATON_PARTITIONS": setPartitions(value, name, nil)
      case "BATON_REPLICATION": setReplication(value, name, nil)
      case _ where name.hasPrefix("BATON_KAFKA_"):
        let property = name.dropFirst("BATON_KAFKA_".count).lowercased()
          .replacing("_", with: ".")
        configuration.kafka.properties[property] = value
      default: break
      }
    }
  }
}

// MARK: - Single settings

extension ConfigurationReader {
  private mutating func setBootstrap(_ text: String, _ name: String, _ line: Int?) {
    let isValid = text.split(separator: ",", omittingEmptySubsequences: false).allSatisfy {
      let parts = $0.split(separator: ":", omittingEmptySubsequences: false)
      guard let port = parts.last.flatMap({ UInt16($0) }), parts.count >= 2 else { return false }
      return port > 0 && !parts[0].isEmpty
    }
    guard isValid else {
      return fault(name, line, "must be host:port, several with commas and no spaces")
    }
    configuration.kafka.bootstrap = text
  }

  private mutating func setLogLevel(_ text: String, _ name: String, _ line: Int?) {
    guard let level = Logger.Level(rawValue: text) else {
      let known = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
      return fault(name, line, "must be one of \(known)")
    }
    configuration.logLevel = level
  }

  private mutating func setPartitions(_ text: String, _ name: String, _ line: Int?) {
    guard let count = Int(text), (1...1000).contains(count) else {
      return fault(name, line, "must be a whole number from 1 to 1000")
    }
    configuration.topics.partitions = count
  }

  private mutating func setReplication(_ text: String, _ name: String, _ line: Int?) {
    guard let count = Int(text), (1...9).contains(count) else {
      return fault(name, line, "must be a whole number from 1 to 9")
    }
    configuration.topics.replication = count
  }

  private mutating func number(
    _ node: Node, _ name: String, _ range: ClosedRange<Int>,
    _ set: (inout ConfigurationReader, Int) -> Void
  ) {
    text(node, name) { reader, text in
      guard let number = Int(text), range.contains(number) else {
        return reader.fault(
          name, node.line,
          "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
      }
      set(&reader, number)
    }
  }

  private mutating func path(
    _ node: Node, _ name: String, _ set: (inout BatonConfiguration, String) -> Void
  ) {
    text(node, name) { reader, text in
      let isAbsolute = text.hasPrefix("/")
      set(
        &reader.configuration,
        isAbsolute
          ? text
          : URL(filePath: reader.folder, directoryHint: .isDirectory).appending(path: text)
            .path(percentEncoded: false))
    }
  }

  /// Takes a scalar as the text it is written as, whatever YAML would make of it.
  mutating func text(
    _ node: Node, _ name: String, _ set: (inout ConfigurationReader, String) -> Void
  ) {
    guard let scalar = node.scalar, !scalar.string.isEmpty else {
      return fault(name, node.line, "must be one value, not empty, not a list")
    }
    set(&self, scalar.string)
  }

  mutating func eachSetting(
    of node: Node, _ prefix: String,
    _ take: (inout ConfigurationReader, String, Node) -> Void
  ) {
    guard let mapping = node.mapping else {
      let name = prefix.isEmpty ? "(file)" : String(prefix.dropLast())
      return fault(name, node.line, "must be a list of `setting: value`")
    }
    for (key, value) in mapping { take(&self, prefix + (key.string ?? "?"), value) }
  }

  mutating func fault(_ setting: String, _ line: Int?, _ explanation: String) {
    faults.append(
      ConfigurationFaults.Fault(setting: setting, line: line, explanation: explanation))
  }

  private static func line(_ error: YamlError) -> Int? {
    switch error {
    case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _):
      mark.line
    default: nil
    }
  }
}

extension Node {
  /// 1-based.
  var line: Int? { mark?.line }
}
