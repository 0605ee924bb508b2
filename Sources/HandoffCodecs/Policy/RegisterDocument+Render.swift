package import HandoffCore

extension RegisterDocument {
  /// `register` as a file that reads back as the same register, but for its hash.
  package static func render(_ register: OrganisationRegister) -> String {
    var lines = [
      "format: \(format)", "version: \(register.version)", "complete: \(register.isComplete)",
      "organisations:",
    ]
    for (id, entry) in register.organisations.sorted(by: { $0.key < $1.key }) {
      lines.append("  - code: \(quoted("\(id)"))")
      if let day = entry.validFrom { lines.append("    from: \(quoted("\(day)"))") }
      if let day = entry.validTo { lines.append("    to: \(quoted("\(day)"))") }
      lines += list("successors", entry.successors.map(\.description))
      lines += list("roles", entry.roles.map(\.rawValue).sorted())
      lines += list("agents", entry.agents.map(\.description).sorted())
      if let network = entry.network { lines.append("    network: \(quoted("\(network)"))") }
      if let place = entry.place { lines.append("    place: \(quoted("\(place)"))") }
      lines += list("catchment", entry.catchment.map(\.description).sorted())
    }
    lines.append(register.parts.isEmpty ? "parts: []" : "parts:")
    for (kind, parts) in register.parts.sorted(by: { $0.key < $1.key }) {
      lines.append("  - kind: \(quoted("\(kind)"))")
      lines += list("senders", parts.senders.map(\.rawValue).sorted())
      lines += list("receivers", parts.receivers.map(\.rawValue).sorted())
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func list(_ key: String, _ values: [String]) -> [String] {
    values.isEmpty ? [] : ["    \(key): [\(values.map(quoted).joined(separator: ", "))]"]
  }

  private static func quoted(_ text: String) -> String { PolicyDocument.quoted(text) }
}
