import TestSupport
import Yams

/// A YAML file as JSON, by the core schema of YAML 1.2: what an editor validates.
enum YAMLTree {
  static func json(of text: String) throws -> JSONTree {
    guard let node = try Yams.compose(yaml: text) else { return .null }
    return json(of: node)
  }

  private static func json(of node: Node) -> JSONTree {
    switch node {
    case .mapping(let mapping):
      .object(mapping.map { JSONTree.Member($0.key.string ?? "", json(of: $0.value)) })
    case .sequence(let sequence): .array(sequence.map { json(of: $0) })
    case .scalar(let scalar): value(of: scalar)
    case .alias: .null
    }
  }

  private static func value(of scalar: Node.Scalar) -> JSONTree {
    guard scalar.style == .plain || scalar.style == .any else { return .string(scalar.string) }
    switch scalar.string {
    case "true": return .bool(true)
    case "false": return .bool(false)
    case "null", "~", "": return .null
    default:
      return Double(scalar.string) == nil ? .string(scalar.string) : .number(scalar.string)
    }
  }
}
