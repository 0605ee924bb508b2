import Foundation
import HandoffConnectors
import KafkaClient
import Yams

extension ConfigurationReader {
  private static let known = [
    "protocol", "ca", "certificate", "key", "key-password", "sasl", "components",
  ]
  private static let knownOfIdentity = ["certificate", "key", "key-password", "sasl"]
  private static let knownOfSASL = [
    "mechanism", "username", "password", "token", "token-endpoint", "client-id", "client-secret",
    "scope",
  ]

  /// The group `kafka.security`.
  mutating func readSecurity(_ node: Node) {
    var settings = KafkaSecuritySettings(transport: .saslTLS)
    var hasProtocol = false
    eachSetting(of: node, "kafka.security.") { reader, name, value in
      reader.securityLines[name] = value.line
      switch name {
      case "kafka.security.protocol":
        hasProtocol = true
        settings.transport = reader.word(value, name) ?? .saslTLS
      case "kafka.security.ca": settings.ca = reader.file(value, name)
      case "kafka.security.components":
        reader.eachSetting(of: value, "\(name).") { reader, name, value in
          let component = String(name.split(separator: ".").last ?? "")
          guard KafkaSecuritySettings.componentNames.contains(component) else {
            return reader.fault(
              name, value.line,
              "is no part of the bus; known are "
                + KafkaSecuritySettings.componentNames.joined(separator: ", "))
          }
          settings.components[component] = reader.readIdentity(value, name)
        }
      default: reader.identitySetting(name, value, of: &settings.identity, Self.known)
      }
    }
    if !hasProtocol {
      fault("kafka.security.protocol", node.line, "is missing; it is PLAINTEXT, SSL or SASL_SSL")
    }
    checkIdentity(settings.identity, "kafka.security", node.line, settings)
    for (name, identity) in settings.components.sorted(by: { $0.key < $1.key }) {
      let setting = "kafka.security.components.\(name)"
      checkIdentity(identity, setting, securityLines[setting], settings)
    }
    securityLines["kafka.security"] = node.line
    configuration.kafka.security = settings
  }

  private mutating func readIdentity(
    _ node: Node, _ prefix: String
  ) -> KafkaSecuritySettings.Identity {
    var identity = KafkaSecuritySettings.Identity()
    securityLines[prefix] = node.line
    eachSetting(of: node, "\(prefix).") { reader, name, value in
      reader.securityLines[name] = value.line
      reader.identitySetting(name, value, of: &identity, Self.knownOfIdentity)
    }
    return identity
  }

  private mutating func identitySetting(
    _ name: String, _ value: Node, of identity: inout KafkaSecuritySettings.Identity,
    _ known: [String]
  ) {
    switch name.split(separator: ".").last {
    case "certificate"?: identity.certificate = file(value, name)
    case "key"?: identity.key = file(value, name)
    case "key-password"?: identity.keyPassword = secret(value, name)
    case "sasl"?: identity.sasl = readSASL(value, name)
    default:
      fault(
        name, value.line, "is not a setting; known are " + known.joined(separator: ", "))
    }
  }

  private mutating func readSASL(
    _ node: Node, _ prefix: String
  ) -> KafkaSecuritySettings.SASL? {
    var sasl = KafkaSecuritySettings.SASL(mechanism: .plain)
    var hasMechanism = false
    eachSetting(of: node, "\(prefix).") { reader, name, value in
      reader.securityLines[name] = value.line
      switch name.split(separator: ".").last {
      case "mechanism"?:
        hasMechanism = true
        sasl.mechanism = reader.word(value, name) ?? .plain
      case "username"?: reader.text(value, name) { sasl.username = $1 }
      case "password"?: sasl.password = reader.secret(value, name)
      case "token"?: sasl.token = reader.token(value, name)
      case "token-endpoint"?: sasl.tokenEndpoint = reader.endpoint(value, name)
      case "client-id"?: reader.text(value, name) { sasl.clientID = $1 }
      case "client-secret"?: sasl.clientSecret = reader.secret(value, name)
      case "scope"?: reader.text(value, name) { sasl.scope = $1 }
      default:
        reader.fault(
          name, value.line,
          "is not a setting; known are " + Self.knownOfSASL.joined(separator: ", "))
      }
    }
    if !hasMechanism {
      fault(
        "\(prefix).mechanism", node.line,
        "is missing; it is \(Self.words(of: KafkaSecuritySettings.Mechanism.self))")
    }
    return sasl
  }

  /// What is wrong with the parts of an identity taken together.
  private mutating func checkIdentity(
    _ identity: KafkaSecuritySettings.Identity, _ name: String, _ line: Int?,
    _ settings: KafkaSecuritySettings
  ) {
    if (identity.certificate == nil) != (identity.key == nil) {
      let missing = identity.key == nil ? "key" : "certificate"
      fault("\(name).\(missing)", line, "is missing: certificate and key go together")
    }
    if identity.certificate != nil, !settings.transport.isEncrypted {
      fault(
        "\(name).certificate", line,
        "is of no use with the protocol \(settings.transport.rawValue)")
    }
    if identity.sasl != nil, !settings.transport.hasSASL {
      fault("\(name).sasl", line, "is of no use with the protocol \(settings.transport.rawValue)")
    }
  }

  /// What shows only when everything is read: properties beside security, secrets, the brokers.
  mutating func checkSecurity(_ environment: [String: String]) {
    let kafka = configuration.kafka
    guard let security = kafka.security else { return }
    for name in kafka.properties.keys.sorted() where KafkaSecurity.owns(name) {
      fault(
        "kafka.properties.\(name)", propertyLines[name],
        "is decided by kafka.security: it may not be set beside it")
    }
    let servers = kafka.bootstrap?.split(separator: ",").map(String.init) ?? []
    if security.transport == .saslPlaintext, !servers.allSatisfy(KafkaSecurity.isLoopback) {
      fault(
        "kafka.security.protocol", securityLines["kafka.security.protocol"],
        "SASL_PLAINTEXT sends credentials in clear: use SASL_SSL beyond this machine")
    }
    // Where every part has a login of its own, there need be none in common.
    guard
      !security.transport.hasSASL || security.identity.sasl != nil || security.components.isEmpty
    else { return }
    do throws(KafkaSecurityFaults) {
      _ = try security.resolve(nil, environment: environment)
    } catch {
      for found in error.faults {
        let name = "kafka.security.\(found.setting)"
        // What could not be read is told already, in its own words.
        guard !faults.contains(where: { $0.setting.hasPrefix(name) }) else { continue }
        fault(name, securityLines[name] ?? securityLines["kafka.security"], found.explanation)
      }
    }
  }
}

// MARK: - Single values

extension ConfigurationReader {
  private static func words<Word: RawRepresentable & CaseIterable>(
    of: Word.Type
  ) -> String where Word.RawValue == String {
    Word.allCases.map(\.rawValue).joined(separator: ", ")
  }

  private mutating func word<Word: RawRepresentable & CaseIterable>(
    _ node: Node, _ name: String
  ) -> Word? where Word.RawValue == String {
    guard let text = node.scalar?.string, let word = Word(rawValue: text) else {
      fault(name, node.line, "must be one of \(Self.words(of: Word.self))")
      return nil
    }
    return word
  }

  private mutating func file(_ node: Node, _ name: String) -> String? {
    guard let text = node.scalar?.string, !text.isEmpty else {
      fault(name, node.line, "must be a file")
      return nil
    }
    return path(text)
  }

  private func path(_ text: String) -> String {
    text.hasPrefix("/") ? text : folder + "/" + text
  }

  private mutating func secret(_ node: Node, _ name: String) -> SecretSource? {
    guard let source = SecretSource(node, relativeTo: folder) else {
      fault(name, node.line, SecretSource.rule)
      return nil
    }
    return source
  }

  private mutating func token(
    _ node: Node, _ name: String
  ) -> KafkaSecuritySettings.TokenSource? {
    if let mapping = node.mapping, mapping.count == 1, let (key, value) = mapping.first,
      key.string == "command"
    {
      let words = value.sequence?.compactMap { $0.scalar?.string } ?? []
      guard let command = words.first, command.hasPrefix("/"),
        words.count == value.sequence?.count
      else {
        fault(
          name, node.line,
          "command must be a list: the path of a program from / on, and its arguments")
        return nil
      }
      return .command(words)
    }
    switch SecretSource(node, relativeTo: folder) {
    case .file(let path)?: return .file(path)
    case .environment(let variable)?: return .environment(variable)
    case nil:
      fault(name, node.line, "must be {file: path}, {command: [path, argument]} or {env: NAME}")
      return nil
    }
  }

  /// A token must not travel in clear either.
  private mutating func endpoint(_ node: Node, _ name: String) -> String? {
    guard let text = node.scalar?.string, let url = URL(string: text), let host = url.host,
      url.user == nil, url.password == nil,
      url.scheme == "https" || (url.scheme == "http" && KafkaSecurity.isLoopback(host))
    else {
      fault(name, node.line, "must be a URL that begins with https://, without a user in it")
      return nil
    }
    return text
  }
}
