import Foundation
import HandoffCore
package import Yams

extension ConnectorReader {
  static let tlsSettings = [
    "certificate", "key", "key-password", "client-ca", "clients", "handshake-seconds",
  ]

  /// The `tls` group; relative files are relative to the connector file.
  mutating func readTLS(_ name: String, _ node: Node) -> TLSSettings? {
    var settings = TLSSettings(certificate: "", key: "")
    each(name, node) { reader, key, value in
      let setting = "\(name).\(key)"
      switch key {
      case "certificate": settings.certificate = reader.file(setting, value) ?? ""
      case "key": settings.key = reader.file(setting, value) ?? ""
      case "key-password": settings.keyPassword = reader.secret(setting, value)
      case "client-ca": settings.clientCA = reader.file(setting, value)
      case "clients":
        reader.each(setting, value) { reader, client, code in
          settings.clients[client] = reader.checked(
            "\(setting).\(client)", code, "must be an ODS code"
          ) { ODSCode($0) }
        }
      case "handshake-seconds":
        settings.handshakeTimeout =
          reader.seconds(setting, value, 0.1...300) ?? settings.handshakeTimeout
      default:
        reader.fault(
          setting, value.line,
          "is not a setting; known are " + Self.tlsSettings.joined(separator: ", "))
      }
    }
    for (part, value) in [("certificate", settings.certificate), ("key", settings.key)]
    where value.isEmpty && !faults.contains(where: { $0.setting == "\(name).\(part)" }) {
      fault("\(name).\(part)", node.line, "is missing")
    }
    if settings.clientCA == nil, !settings.clients.isEmpty {
      fault(
        "\(name).clients", node.line, "needs client-ca: without it no client shows a certificate")
    }
    return settings
  }

  private mutating func file(_ name: String, _ node: Node) -> String? {
    checked(name, node, "must be a file") { [folder] text in
      text.isEmpty ? nil : text.hasPrefix("/") ? text : folder + "/" + text
    }
  }

  /// `{file: path}` or `{env: NAME}`; never the secret itself.
  private mutating func secret(_ name: String, _ node: Node) -> SecretSource? {
    guard let source = SecretSource(node, relativeTo: folder) else {
      fault(name, node.line, SecretSource.rule)
      return nil
    }
    return source
  }
}

extension SecretSource {
  /// What a setting that holds a secret must be, for whoever wrote it otherwise.
  package static let rule =
    "must be {file: path} or {env: NAME}: a secret does not stand in a configuration file"

  /// Reads `{file: path}` or `{env: NAME}`; `nil` for anything else.
  package init?(_ node: Node, relativeTo folder: String) {
    guard let mapping = node.mapping, mapping.count == 1, let (key, value) = mapping.first,
      let text = value.scalar?.string, !text.isEmpty
    else { return nil }
    switch key.string {
    case "file": self = .file(text.hasPrefix("/") ? text : folder + "/" + text)
    case "env": self = .environment(text)
    default: return nil
    }
  }
}
