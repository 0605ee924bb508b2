/// What is asked for, by method and path.
enum FHIRRoute: Hashable, Sendable {
  /// `GET /metadata`: what this end can do.
  case metadata
  /// `POST /$process-message` with a Bundle.
  case processMessage
  /// `POST /Task` or `POST /ServiceRequest`.
  case create(String)
  /// `PUT /Task/{id}` or `PUT /ServiceRequest/{id}`.
  case update(String, id: String)

  /// Why there is none.
  enum Miss: Error, Hashable, Sendable {
    case notFound
    /// The path is there, for these methods.
    case notAllowed([String])
  }

  /// The resource types that are taken by themselves.
  static let resourceTypes = ["ServiceRequest", "Task"]

  init(method: String, path: String) throws(Miss) {
    // A query says nothing of that: what is asked for stands in path and body.
    let plain = path.prefix { $0 != "?" && $0 != "#" }
    let parts = plain.split(separator: "/", omittingEmptySubsequences: true).map(String.init)
    switch parts.count {
    case 1 where parts[0] == "metadata":
      guard method == "GET" else { throw .notAllowed(["GET"]) }
      self = .metadata
    // Some clients write the dollar sign as what it is in a URL, and some encode it.
    case 1 where ["$process-message", "%24process-message"].contains(parts[0]):
      guard method == "POST" else { throw .notAllowed(["POST"]) }
      self = .processMessage
    case 1 where Self.resourceTypes.contains(parts[0]):
      guard method == "POST" else { throw .notAllowed(["POST"]) }
      self = .create(parts[0])
    case 2 where Self.resourceTypes.contains(parts[0]) && Self.isID(parts[1]):
      guard method == "PUT" else { throw .notAllowed(["PUT"]) }
      self = .update(parts[0], id: parts[1])
    default: throw .notFound
    }
  }

  /// The id rule of FHIR R4: letters, digits, hyphens and dots, at most 64.
  static func isID(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count)
      && text.utf8.allSatisfy {
        switch $0 {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."):
          true
        default: false
        }
      }
  }

  /// What the body must be.
  var resourceType: String? {
    switch self {
    case .metadata: nil
    case .processMessage: "Bundle"
    case .create(let type), .update(let type, _): type
    }
  }

  /// What tells two requests of one id apart beside their bodies.
  var target: String {
    switch self {
    case .metadata: "GET metadata"
    case .processMessage: "POST $process-message"
    case .create(let type): "POST \(type)"
    case .update(let type, let id): "PUT \(type)/\(id)"
    }
  }
}
