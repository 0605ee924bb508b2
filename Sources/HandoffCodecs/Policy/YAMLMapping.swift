import Yams

/// A YAML mapping whose keys are read once each, so that what is left over is a fault.
struct YAMLMapping {
  /// A key's value and where it stands.
  struct Entry {
    var node: Node
    var line: Int
    /// From the top: `clocks[3].accept`.
    var path: String
  }

  private var entries: [(key: String, entry: Entry)] = []
  let line: Int
  let path: String

  /// The one document of a file, which must be text of so many bytes at most and a mapping.
  static func root(
    of bytes: [UInt8], bytesMax: Int
  ) throws(PolicyDocument.Faults) -> YAMLMapping {
    func fault(_ problem: String) -> PolicyDocument.Faults {
      PolicyDocument.Faults(faults: [PolicyDocument.Fault(line: 0, key: "", problem: problem)])
    }
    guard bytes.count <= bytesMax else { throw fault("larger than \(bytesMax) bytes") }
    guard let text = String(validating: bytes, as: UTF8.self) else { throw fault("not UTF-8") }
    return try root(of: text)
  }

  private static func root(of text: String) throws(PolicyDocument.Faults) -> YAMLMapping {
    func fault(_ line: Int, _ problem: String) -> PolicyDocument.Faults {
      PolicyDocument.Faults(
        faults: [PolicyDocument.Fault(line: line, key: "", problem: problem)])
    }
    let node: Node?
    do {
      node = try Yams.compose(yaml: text)
    } catch YamlError.scanner(_, let problem, let mark, _) {
      throw fault(mark.line, "no YAML: \(problem)")
    } catch YamlError.parser(_, let problem, let mark, _) {
      throw fault(mark.line, "no YAML: \(problem)")
    } catch YamlError.composer(_, let problem, let mark, _) {
      throw fault(mark.line, "no YAML: \(problem)")
    } catch YamlError.duplicatedKeysInMapping(_, let context) {
      throw fault(context.mark.line, "a key twice in one mapping")
    } catch {
      throw fault(0, "no YAML")
    }
    guard let node, let mapping = YAMLMapping(node, path: "") else {
      throw fault(1, "not a mapping of keys to values")
    }
    return mapping
  }

  /// `nil` where `node` is no mapping.
  init?(_ node: Node, path: String) {
    guard let mapping = node.mapping else { return nil }
    line = node.mark?.line ?? 0
    self.path = path
    for (key, value) in mapping {
      let name = key.scalar?.string ?? "?"
      entries.append(
        (
          name,
          Entry(
            node: value, line: key.mark?.line ?? line,
            path: path.isEmpty ? name : "\(path).\(name)")
        ))
    }
  }

  /// Takes a key out; `nil` where it is not there.
  mutating func take(_ key: String) -> Entry? {
    guard let index = entries.firstIndex(where: { $0.key == key }) else { return nil }
    return entries.remove(at: index).entry
  }

  /// The keys that nobody took.
  var rest: [Entry] { entries.map(\.entry) }
}
