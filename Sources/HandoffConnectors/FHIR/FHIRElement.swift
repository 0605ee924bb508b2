/// A piece of a FHIR resource that is written here, in JSON or in XML (R4 §2.6.2, §2.6.1).
///
/// Elements stand in the order of their standard: JSON does not mind, XML asks for it.
indirect enum FHIRElement: Sendable {
  case text(String)
  case flag(Bool)
  /// One element for each in XML, an array in JSON.
  case list([FHIRElement])
  case group([Member])
  case resource(String, [Member])

  /// An element by its name; without a value it is left out.
  struct Member: Sendable {
    var name: String
    var value: FHIRElement?

    init(_ name: String, _ value: FHIRElement?) {
      self.name = name
      self.value = value
    }

    init(_ name: String, _ text: String?) {
      self.init(name, text.map { FHIRElement.text($0) })
    }
  }

  /// The whole resource as it goes out.
  func bytes(_ format: FHIRFormat) -> [UInt8] {
    switch format {
    case .json: return Array(json.utf8)
    case .xml:
      let prolog = #"<?xml version="1.0" encoding="UTF-8"?>"#
      return Array((prolog + xml(namespace: #" xmlns="http://hl7.org/fhir""#)).utf8)
    }
  }

  // MARK: JSON

  private var json: String {
    switch self {
    case .text(let text): Self.quoted(text)
    case .flag(let flag): flag ? "true" : "false"
    case .list(let elements): "[" + elements.map(\.json).joined(separator: ",") + "]"
    case .group(let members): Self.object(members)
    case .resource(let type, let members): Self.object([Member("resourceType", type)] + members)
    }
  }

  private static func object(_ members: [Member]) -> String {
    let parts = members.compactMap { member in
      member.value.map { quoted(member.name) + ":" + $0.json }
    }
    return "{" + parts.joined(separator: ",") + "}"
  }

  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }

  // MARK: XML

  /// A resource as an element of its own.
  private func xml(namespace: String = "") -> String {
    guard case .resource(let type, let members) = self else { return "" }
    return "<\(type)\(namespace)>" + members.map(Self.xml).joined() + "</\(type)>"
  }

  private static func xml(_ member: Member) -> String {
    let name = member.name
    return switch member.value {
    case nil: ""
    case .text(let text)?: "<\(name) value=\"\(escaped(text))\"/>"
    case .flag(let flag)?: "<\(name) value=\"\(flag)\"/>"
    case .list(let elements)?: elements.map { xml(Member(name, $0)) }.joined()
    case .group(let members)?: "<\(name)>" + members.map(xml).joined() + "</\(name)>"
    case .resource?: "<\(name)>" + (member.value?.xml() ?? "") + "</\(name)>"
    }
  }

  private static func escaped(_ text: String) -> String {
    var escaped = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      case "\t", "\n", "\r": escaped += "&#\(scalar.value);"
      // XML 1.0 has no way to write these.
      case _ where scalar.value < 0x20 || scalar.value == 0xFFFE || scalar.value == 0xFFFF:
        escaped += "\u{FFFD}"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }
}
