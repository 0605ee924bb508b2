package import HandoffCore
internal import Foundation
internal import Yams

/// The trust boundary as one process sees it: from inside, or from outside.
///
/// Inside, where ingest runs:
///
/// ```yaml
/// boundary:
///   keys: /run/secrets/ingest.keys # our private keys; older ones stay readable
///   organisations:
///     RTH:
///       keys: rth.pub              # its public keys
///       connectors: rth            # its connectors' files: what we hold them to
///       agent-for: [RXQ]           # for whom else it may speak
///       outbox: true               # whether it is told
/// ```
///
/// Outside, at an organisation:
///
/// ```yaml
/// boundary:
///   organisation: RTH
///   keys: /run/secrets/rth.keys    # its private keys
///   ingest-keys: ingest.pub        # the public keys of ingest
///   notices: notices               # folder for what the bus tells; default: nothing is read
/// ```
package struct BoundaryConfiguration: Sendable {
  /// An organisation outside, as ingest knows it.
  package struct Organisation: Sendable {
    package var code: ODSCode
    package var publicKeysFile: String
    /// A connector file or a folder of them.
    package var connectors: String?
    package var agentFor: Set<ODSCode> = []
    package var hasOutbox = false

    /// Whom its messages may come from.
    package var speaksFor: Set<ODSCode> { agentFor.union([code]) }
  }

  /// Inside: the organisations that have an inbox or an outbox.
  package var organisations: [Organisation] = []
  /// Outside: the organisation that this process stands in.
  package var organisation: ODSCode?
  package var privateKeysFile: String?
  /// Outside: the public keys of ingest.
  package var ingestKeysFile: String?
  /// Outside: where notices go.
  package var noticesFolder: String?

  package init() {}

  /// Whether this process stands outside the boundary.
  package var isOutside: Bool { organisation != nil }

  /// Reads the section; returns its faults.
  mutating func read(
    _ node: Node, relativeTo folder: String
  ) -> [ConfigurationFaults.Fault] {
    var reader = BoundaryReader(folder: folder)
    self = reader.read(node)
    return reader.faults
  }
}

private struct BoundaryReader {
  let folder: String
  var faults: [ConfigurationFaults.Fault] = []

  init(folder: String) { self.folder = folder }

  mutating func read(_ node: Node) -> BoundaryConfiguration {
    var boundary = BoundaryConfiguration()
    each(node, "boundary") { reader, name, value in
      switch name {
      case "keys": boundary.privateKeysFile = reader.path(value, "boundary.keys")
      case "ingest-keys": boundary.ingestKeysFile = reader.path(value, "boundary.ingest-keys")
      case "notices": boundary.noticesFolder = reader.path(value, "boundary.notices")
      case "organisation": boundary.organisation = reader.code(value, "boundary.organisation")
      case "organisations":
        reader.each(value, "boundary.organisations") { reader, name, value in
          if let organisation = reader.organisation(name, value) {
            boundary.organisations.append(organisation)
          }
        }
      default:
        reader.fault(
          "boundary.\(name)", value,
          "is not a setting; known are keys, organisations (inside), organisation, ingest-keys, "
            + "notices (outside)")
      }
    }
    check(boundary, node)
    boundary.organisations.sort { $0.code < $1.code }
    return boundary
  }

  private mutating func check(_ boundary: BoundaryConfiguration, _ node: Node) {
    guard faults.isEmpty else { return }
    if boundary.privateKeysFile == nil { fault("boundary.keys", node, "is missing") }
    if boundary.isOutside {
      if boundary.ingestKeysFile == nil { fault("boundary.ingest-keys", node, "is missing") }
      if !boundary.organisations.isEmpty {
        fault(
          "boundary.organisations", node,
          "is for ingest, inside; a process outside has an organisation alone")
      }
    } else if boundary.organisations.isEmpty {
      fault("boundary", node, "names neither organisations (inside) nor an organisation (outside)")
    } else if boundary.ingestKeysFile != nil || boundary.noticesFolder != nil {
      fault("boundary", node, "has ingest-keys or notices, which are for a process outside")
    }
    let codes = boundary.organisations.map(\.code)
    if Set(codes).count != codes.count {
      fault("boundary.organisations", node, "names an organisation twice")
    }
  }

  private mutating func organisation(
    _ name: String, _ node: Node
  ) -> BoundaryConfiguration.Organisation? {
    let place = "boundary.organisations.\(name)"
    guard let code = ODSCode(name) else {
      fault("boundary.organisations", node, "must be named by ODS codes")
      return nil
    }
    var organisation = BoundaryConfiguration.Organisation(code: code, publicKeysFile: "")
    each(node, place) { reader, name, value in
      switch name {
      case "keys": organisation.publicKeysFile = reader.path(value, "\(place).keys") ?? ""
      case "connectors": organisation.connectors = reader.path(value, "\(place).connectors")
      case "agent-for":
        guard let items = value.sequence else {
          return reader.fault("\(place).agent-for", value, "must be a list of ODS codes")
        }
        for item in items {
          if let code = reader.code(item, "\(place).agent-for") {
            organisation.agentFor.insert(code)
          }
        }
      case "outbox":
        guard let flag = value.scalar.flatMap({ Bool($0.string) }) else {
          return reader.fault("\(place).outbox", value, "must be true or false")
        }
        organisation.hasOutbox = flag
      default:
        reader.fault(
          "\(place).\(name)", value,
          "is not a setting; known are keys, connectors, agent-for, outbox")
      }
    }
    if organisation.publicKeysFile.isEmpty { fault("\(place).keys", node, "is missing") }
    return organisation
  }

  private mutating func path(_ node: Node, _ name: String) -> String? {
    guard let text = node.scalar?.string, !text.isEmpty else {
      fault(name, node, "must be a file or folder")
      return nil
    }
    if text.hasPrefix("/") { return text }
    return URL(filePath: folder, directoryHint: .isDirectory).appending(path: text)
      .path(percentEncoded: false)
  }

  private mutating func code(_ node: Node, _ name: String) -> ODSCode? {
    guard let code = node.scalar.flatMap({ ODSCode($0.string) }) else {
      fault(name, node, "must be an ODS code")
      return nil
    }
    return code
  }

  private mutating func each(
    _ node: Node, _ place: String, _ take: (inout BoundaryReader, String, Node) -> Void
  ) {
    guard let mapping = node.mapping else {
      return fault(place, node, "must be a list of `setting: value`")
    }
    for (key, value) in mapping { take(&self, key.string ?? "?", value) }
  }

  private mutating func fault(_ setting: String, _ node: Node, _ explanation: String) {
    faults.append(.init(setting: setting, line: node.mark?.line, explanation: explanation))
  }
}

extension AccessConfiguration {
  /// Reads the section `access`; returns its faults.
  mutating func read(_ node: Node) -> [ConfigurationFaults.Fault] {
    func fault(_ setting: String, _ node: Node, _ explanation: String) -> ConfigurationFaults.Fault
    {
      .init(setting: setting, line: node.mark?.line, explanation: explanation)
    }
    guard let mapping = node.mapping else {
      return [fault("access", node, "must be a list of `setting: value`")]
    }
    var faults: [ConfigurationFaults.Fault] = []
    for (key, value) in mapping {
      guard key.string == "principals", let names = value.mapping else {
        faults.append(fault("access", key, "has the one setting principals, a list of names"))
        continue
      }
      for (role, principal) in names {
        let name = role.string ?? "?"
        let parts = name.split(separator: "-", maxSplits: 1)
        let known = parts.first.flatMap { BusRole(rawValue: String($0)) }
        let isWhole = known.map { $0.isOfOneOrganisation == (parts.count == 2) } ?? false
        guard isWhole, parts.count == 1 || ODSCode(parts[1]) != nil else {
          faults.append(
            fault("access.principals", role, "must be named by a role, or connector-<ODS code>"))
          continue
        }
        guard let text = principal.scalar?.string, text.hasPrefix("User:"), text.count > 5 else {
          faults.append(fault("access.principals.\(name)", principal, "must be User:…"))
          continue
        }
        principals[name] = text
      }
    }
    return faults
  }
}
