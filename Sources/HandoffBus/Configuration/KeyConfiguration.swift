package import HandoffStores
import Yams

/// Which keys wrap the data keys, as the configuration says.
///
/// ```yaml
/// keys:
///   current: kek-2026-11             # wraps new keys; `baton keys rotate-kek` brings the rest
///   keks:
///     kek-2026-11: {command: [/usr/local/bin/kms-client, decrypt, baton]}
///     kek-2025: {file: /run/secrets/baton-kek-2025}
/// ```
///
/// Without it the key of the secrets file wraps them, under the id `secrets`.
package struct KeyConfiguration: Hashable, Sendable {
  /// The id of the current one.
  package var current: String
  /// Where each is read, by its id.
  package var sources: [String: KeyEncryptionKeySource] = [:]

  package init(current: String, sources: [String: KeyEncryptionKeySource]) {
    self.current = current
    self.sources = sources
  }
}

extension KeyConfiguration {
  /// One fault of the section: where, and what.
  typealias Fault = (setting: String, line: Int?, explanation: String)

  /// Reads the section; relative paths of files are made absolute by `resolve`.
  static func read(
    _ node: Node, resolve: (String) -> String
  ) -> (configuration: KeyConfiguration?, faults: [Fault]) {
    guard let mapping = node.mapping else {
      return (nil, [("keys", node.mark?.line, "must be a list of `setting: value`")])
    }
    var faults: [Fault] = []
    var current: String?
    var sources: [String: KeyEncryptionKeySource] = [:]
    for (key, value) in mapping {
      let line = value.mark?.line
      switch key.string {
      case "current":
        if let id = value.scalar?.string, isID(id) {
          current = id
        } else {
          faults.append(("keys.current", line, idRule))
        }
      case "keks":
        guard let keks = value.mapping else {
          faults.append(("keys.keks", line, "must be a list of `id: source`"))
          continue
        }
        for (id, source) in keks {
          let name = id.string ?? "?"
          guard isID(name) else {
            faults.append(("keys.keks.\(name.prefix(32))", source.mark?.line, idRule))
            continue
          }
          guard let source = self.source(source, resolve: resolve) else {
            faults.append(("keys.keks.\(name)", source.mark?.line, sourceRule))
            continue
          }
          sources[name] = source
        }
      default:
        faults.append(
          ("keys.\(key.string ?? "?")", line, "is not a setting; known are current, keks"))
      }
    }
    if let current, current != KeyEncryptionKeys.ofSecretsFile, sources[current] == nil,
      faults.isEmpty
    {
      faults.append(("keys.current", node.mark?.line, "must be one of keys.keks"))
    }
    guard let current, faults.isEmpty else {
      if faults.isEmpty { faults.append(("keys.current", node.mark?.line, idRule)) }
      return (nil, faults)
    }
    return (KeyConfiguration(current: current, sources: sources), [])
  }

  private static let idRule = "must be 1 to 32 of a-z, 0-9 and -"
  private static let sourceRule =
    "must be {file: PATH} or {command: [/absolute/path/of/program, argument, …]}"

  private static func isID(_ text: String) -> Bool {
    (1...32).contains(text.utf8.count)
      && text.utf8.allSatisfy {
        (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D
      }
  }

  private static func source(
    _ node: Node, resolve: (String) -> String
  ) -> KeyEncryptionKeySource? {
    guard let mapping = node.mapping, mapping.count == 1, let entry = mapping.first else {
      return nil
    }
    switch entry.key.string {
    case "file":
      guard let path = entry.value.scalar?.string, !path.isEmpty else { return nil }
      return .file(resolve(path))
    case "command":
      let nodes = entry.value.sequence.map { Array($0) } ?? []
      let words = nodes.compactMap { $0.scalar?.string }
      guard words.count == nodes.count, let program = words.first, program.hasPrefix("/") else {
        return nil
      }
      return .command(words)
    default: return nil
    }
  }
}
