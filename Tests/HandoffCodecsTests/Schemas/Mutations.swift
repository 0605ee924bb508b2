import TestSupport

/// A document with one thing wrong, at each of its places.
struct Mutations {
  /// What was done, for a test's failure: place and kind of change, no values.
  struct Mutated {
    var what: String
    var document: JSONTree
  }

  /// Changes that no reader and no schema may differ about.
  ///
  /// Left out is what proto3 JSON lets a writer spell otherwise: null and empty for absent, numbers
  /// in quotes, enumerations by number, base64 without padding.
  static func all(of document: JSONTree) -> [Mutated] {
    var all: [Mutated] = []
    change(document, "$") { all.append(Mutated(what: $0, document: $1)) }
    return all
  }

  private static func change(
    _ value: JSONTree, _ place: String, _ found: (String, JSONTree) -> Void
  ) {
    for (kind, other) in others(value) { found("\(place) \(kind)", other) }
    switch value {
    case .object(let members):
      for member in members {
        found("\(place).\(member.name) is missing", value.without(member.name))
        change(member.value, "\(place).\(member.name)") { what, changed in
          var whole = value
          whole[member.name] = changed
          found(what, whole)
        }
      }
    case .array(let elements):
      if let first = elements.first {
        found("\(place) has 65", .array(Array(repeating: first, count: 65)))
        change(first, "\(place)[0]") { what, changed in
          found(what, .array([changed] + elements.dropFirst()))
        }
      }
    default: break
    }
  }

  private static func others(_ value: JSONTree) -> [(String, JSONTree)] {
    var others: [(String, JSONTree)] = []
    switch value {
    case .string:
      others = [
        ("is blank text", "free text with blanks"), ("is an NHS number", "9434765919"),
        ("is hyphenated", "943-476-5919"), ("is a number", .number("1.5")), ("is a list", []),
        ("is an object", [:]), ("is 15 bytes", "AAAAAAAAAAAAAAAAAAAA"),
        ("is of the future", "SOMETHING_ELSE"), ("is long", .string(long)),
        ("is a day that is none", "2026-13-45T00:00:00Z"),
      ]
    case .number:
      others = [
        ("is negative", .number("-1")), ("is a fraction", .number("1.5")),
        ("is large", .number("99999999999")), ("is text", "many"), ("is an object", [:]),
        ("is 70000", 70_000),
      ]
    case .bool: others = [("is text", "yes"), ("is 7", 7), ("is a list", [])]
    case .array: others = [("is text", "none"), ("is an object", [:]), ("is true", true)]
    case .object: others = [("is text", "none"), ("is a list", []), ("is empty", [:])]
    case .null: break
    }
    return others
  }

  private static let long = String(repeating: "k", count: 2000)
}
