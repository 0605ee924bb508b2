import HandoffCore

/// A value of a FHIR document and its place in it, as FHIRPath writes it.
///
/// A member that the standard lets occur once may stand in an array and one that may repeat alone:
/// XML does not tell, and senders mix them up. So members are asked for one by one or all, never
/// by the shape they happen to have.
struct FHIRNode: Sendable {
  let value: JSONValue
  /// Such as `Bundle.entry[2].resource.status`.
  let path: String

  /// A member; the first where there are several.
  subscript(_ name: String) -> FHIRNode? {
    guard let member = value[name] else { return nil }
    guard case .array(let elements) = member else {
      return FHIRNode(value: member, path: "\(path).\(name)")
    }
    guard let index = elements.firstIndex(where: { $0 != .null }) else { return nil }
    return FHIRNode(value: elements[index], path: "\(path).\(name)[\(index)]")
  }

  /// All values of a member; a `null` holds the place of one that has only extensions.
  func all(_ name: String) -> [FHIRNode] {
    switch value[name] {
    case nil: []
    case .array(let elements)?:
      elements.enumerated().compactMap { index, element in
        element == .null ? nil : FHIRNode(value: element, path: "\(path).\(name)[\(index)]")
      }
    case let single?: [FHIRNode(value: single, path: "\(path).\(name)")]
    }
  }

  var text: String? { value.text }
  /// A boolean, which XML writes as text.
  var isTrue: Bool { value == .bool(true) || value == .string("true") }

  /// The text and where it stands.
  var found: Found<String>? { text.map { Found($0, path) } }

  /// The codings of this CodeableConcept; itself where it is a Coding.
  var codings: [FHIRNode] {
    let codings = all("coding")
    return codings.isEmpty && value["code"] != nil ? [self] : codings
  }

  /// The codings of all concepts of a member.
  func codings(_ name: String) -> [FHIRNode] { all(name).flatMap(\.codings) }

  /// The code of the first coding of a member that has one.
  func code(_ name: String) -> Found<String>? {
    codings(name).lazy.compactMap { $0["code"]?.found }.first
  }

  /// The code of the first coding of that system; systems are compared by how they end, since the
  /// national ones are spelt in several ways (`rejected-reasons-bars`, `rejection-reason-bars`).
  func code(_ name: String, systemEnding endings: [String]) -> Found<String>? {
    codings(name).first { coding in
      let system = coding["system"]?.text?.lowercased() ?? ""
      return endings.contains { system.hasSuffix($0) }
    }?["code"]?.found
  }

  /// The extension whose URL ends so, whatever the base and the version it is published under.
  func extending(_ ending: String) -> FHIRNode? {
    all("extension").first { $0["url"]?.text?.hasSuffix(ending) ?? false }
  }
}

/// A value and the field it was read from.
struct Found<Value: Sendable>: Sendable {
  var value: Value
  var path: String

  init(_ value: Value, _ path: String) {
    self.value = value
    self.path = path
  }

  func map<Other: Sendable>(_ transform: (Value) -> Other?) -> Found<Other>? {
    transform(value).map { Found<Other>($0, path) }
  }
}

extension MappedFact {
  /// Sets a property and says where it came from; leaves both alone where nothing was found.
  mutating func take<Value>(
    _ property: WritableKeyPath<MappedFact, Value?>, _ name: String, _ found: Found<Value>?
  ) {
    guard let found else { return }
    self[keyPath: property] = found.value
    provenance[name] = found.path
  }

  /// Adds ids of the message; the handoff's own and those longer than `limit` bytes are left out.
  mutating func refer(_ found: [Found<RawReference>?], limit: Int = .max) {
    for reference in found.compactMap(\.self) {
      guard reference.value != handoff, !references.contains(reference.value),
        reference.value.value.utf8.count <= limit
      else { continue }
      references.append(reference.value)
      provenance.append(reference.path, to: "references")
    }
  }
}

extension MappedMessage {
  /// As ``MappedFact/take(_:_:_:)``.
  mutating func take<Value>(
    _ property: WritableKeyPath<MappedMessage, Value?>, _ name: String, _ found: Found<Value>?
  ) {
    guard let found else { return }
    self[keyPath: property] = found.value
    provenance[name] = found.path
  }
}

extension [String: String] {
  /// One more field that a property was read from.
  mutating func append(_ path: String, to name: String) {
    self[name] = self[name].map { "\($0), \(path)" } ?? path
  }
}
