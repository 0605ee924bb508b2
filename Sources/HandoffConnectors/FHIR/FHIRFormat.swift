import Foundation
import HTTPTypes

/// In which of its forms a FHIR resource is written (R4 §3.1.0.1.11).
enum FHIRFormat: String, CaseIterable, Hashable, Sendable {
  case json
  case xml

  /// The media type that answers have.
  var mediaType: String {
    switch self {
    case .json: "application/fhir+json"
    case .xml: "application/fhir+xml"
    }
  }

  /// What is taken for it, the generic types included.
  private var mediaTypes: Set<String> {
    switch self {
    case .json: [mediaType, "application/json", "text/json"]
    case .xml: [mediaType, "application/xml", "text/xml"]
    }
  }

  /// The form of a body; `nil` for other types, and for another encoding than UTF-8.
  init?(contentType: String?) {
    guard let contentType else { return nil }
    let parts = contentType.lowercased().split(separator: ";").map(Self.trim)
    guard let type = parts.first,
      let format = Self.allCases.first(where: { $0.mediaTypes.contains(type) })
    else { return nil }
    let isReadable = parts.dropFirst().allSatisfy { parameter in
      guard parameter.hasPrefix("charset=") else { return true }
      let charset = parameter.dropFirst("charset=".count).trimmingPrefix("\"")
      return charset.hasPrefix("utf-8") || charset.hasPrefix("us-ascii")
    }
    guard isReadable else { return nil }
    self = format
  }

  /// The form in which a request wants its answer; `nil` where it wants none that there is.
  ///
  /// `_format` in the path goes before `Accept`, by which browsers say other things. Without a wish
  /// it is the form of the body.
  static func wanted(_ fields: HTTPFields, path: String) -> FHIRFormat? {
    let own = FHIRFormat(contentType: fields[.contentType]) ?? .json
    if let name = parameter("_format", of: path) {
      return allCases.first { $0.rawValue == name || $0.mediaTypes.contains(name) }
    }
    let ranges = fields[values: .accept].flatMap { $0.lowercased().split(separator: ",") }
    guard !ranges.isEmpty else { return own }
    let rest = allCases.filter { $0 != own }
    let weighed = ([own] + rest).map { ($0, $0.weight(in: ranges)) }
    let best = weighed.map(\.1).max() ?? 0
    return best > 0 ? weighed.first { $0.1 == best }?.0 : nil
  }

  /// How much it is wanted, from 0 to 1: the most exact range that speaks of it decides.
  private func weight(in ranges: [Substring]) -> Double {
    var found: (exactness: Int, weight: Double) = (0, 0)
    for range in ranges {
      let parts = range.split(separator: ";").map(Self.trim)
      let exactness =
        switch parts.first {
        case "*/*"?: 1
        case "application/*"?: 2
        case let type? where mediaTypes.contains(type): 3
        default: 0
        }
      guard exactness > 0 else { continue }
      let quality = parts.dropFirst().first { $0.hasPrefix("q=") }
      let weight = quality.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
      if exactness > found.exactness || exactness == found.exactness && weight > found.weight {
        found = (exactness, weight)
      }
    }
    return found.weight
  }

  private static func parameter(_ name: String, of path: String) -> String? {
    guard let query = path.split(separator: "?", maxSplits: 1).dropFirst().first else { return nil }
    for pair in query.split(separator: "&") {
      let parts = pair.split(separator: "=", maxSplits: 1)
      guard parts.count == 2, parts[0] == name else { continue }
      // A form writes a blank as a plus, and FHIR's own types hold a plus.
      return parts[1].removingPercentEncoding?.lowercased().replacing(" ", with: "+")
    }
    return nil
  }

  private static func trim(_ text: Substring) -> String {
    text.trimmingCharacters(in: .whitespaces)
  }
}
