import HandoffCore

/// How ids are spelled before they are hashed: one id, written by two systems, must be one token.
///
/// - Blanks, control characters and zero-width characters around an id are no part of it.
/// - Upper and lower case are kept: HL7 and FHIR ids are case-sensitive. A UUID is not (RFC 9562
///   §4), and is written in lower case, without `urn:uuid:`.
/// - A UBRN is twelve digits however they are grouped.
/// - A namespace is what the connector's `namespaces` call it; else that of ``systems``; else the
///   ODS code of an organisation whose name the connector knows; else as written, without
///   `urn:oid:`.
package struct IdentifierRules: Sendable {
  /// A namespace of national use, and how messages write it.
  package struct System: Sendable {
    package let name: String
    /// In lower case; compared without regard to case.
    package let spellings: [String]
    /// Whether blanks and hyphens inside a value are only there for the eye.
    package let isGrouped: Bool
  }

  package static let systems: [System] = [
    System(
      name: "https://fhir.nhs.uk/Id/UBRN",
      spellings: [
        "https://fhir.nhs.uk/id/ubrn", "http://fhir.nhs.uk/id/ubrn", "http://fhir.nhs.net/id/ubrn",
        "ubrn", "ers", "e-rs", "nhs e-rs", "nhs ers",
      ], isGrouped: true)
  ]

  private let context: MappingContext

  package init(_ context: MappingContext) {
    self.context = context
  }

  /// The id under the spellings by which it may be known, the best first; none where it is empty.
  ///
  /// There is a second where the first hangs on what only this connector knows: another connector
  /// may have taken the id in as it is written.
  package func spellings(_ reference: RawReference) -> [RawReference] {
    let isUBRN = reference.system.description == "UBRN" && reference.assigner == nil
    let (best, plain) = namespaces(isUBRN ? "UBRN" : reference.assigner)
    return spellings(reference.value, best, plain).map { value, assigner in
      RawReference(system: reference.system, value: value, assigner: assigner)
    }
  }

  /// The same for an id that an organisation gave a person.
  package func spellings(_ id: ClearPerson.LocalID) -> [ClearPerson.LocalID] {
    let (best, plain) = namespaces(id.assigner)
    return spellings(id.value, best, plain).map { value, assigner in
      ClearPerson.LocalID(value: value, assigner: assigner, type: id.type)
    }
  }

  /// What is wrong with an id of the message, in its sender's terms; `nil` where nothing is.
  ///
  /// Ids are never cut: two long ones with one beginning would become one.
  package func fault(in message: MappedMessage) -> MappingError? {
    for fact in message.facts {
      let needed = [fact.handoff, fact.answers]
      let others: [RawReference?] =
        [
          fact.conversation, fact.journey, fact.supersedes, fact.parentHandoff, fact.newHandoff,
        ] + fact.references.map { .some($0) }
      for reference in (needed + others).compactMap(\.self)
      where reference.value.utf8.count > context.limits.identifierMax {
        return tooLong(reference.system.description, in: message)
      }
      for reference in needed.compactMap(\.self) where spellings(reference).isEmpty {
        return error(
          "identifier.empty", reference.system.description, "the id holds nothing but blanks",
          in: message)
      }
      let people = [fact.person ?? message.person, fact.priorPerson].compactMap(\.self)
      for id in people.flatMap(\.localIDs) where id.value.utf8.count > context.limits.identifierMax
      {
        return tooLong(Self.personField(of: message), in: message)
      }
      if let answers = fact.answers, let own = message.reference,
        spellings(answers).first.map({ [$0.assigner, $0.value] })
          == spellings(own).first.map({ [$0.assigner, $0.value] })
      {
        return error(
          "correlation.loop", answers.system.description, "the message answers itself",
          in: message)
      }
    }
    return nil
  }

  /// Where a message has its person's ids, as its standard names it.
  package static func personField(of message: MappedMessage) -> String {
    message.messageType.contains("^") || message.messageType.count == 3
      ? "PID-3" : "Patient.identifier"
  }

  private func tooLong(_ field: String, in message: MappedMessage) -> MappingError {
    error(
      "identifier.too-long", field,
      "the id is longer than identifierMax (\(context.limits.identifierMax)) bytes", in: message)
  }

  private func error(
    _ reason: StaticString, _ field: String, _ explanation: String, in message: MappedMessage
  ) -> MappingError {
    MappingError(
      code(reason), field: field, explanation: explanation, messageID: message.messageID,
      messageType: message.messageType)
  }

  private func spellings(
    _ value: String, _ best: String?, _ plain: String?
  ) -> [(value: String, assigner: String?)] {
    let value = Self.trimmed(value)
    guard !value.isEmpty else { return [] }
    let isGrouped = Self.systems.contains { $0.isGrouped && $0.name == best }
    let own = isGrouped ? value.filter { !$0.isWhitespace && $0 != "-" } : Self.unwrapped(value)
    let first = (own, best)
    return best == plain ? [first] : [first, (Self.unwrapped(value), plain)]
  }

  /// The namespace as everybody knows it, and as it stands in the message.
  private func namespaces(_ assigner: String?) -> (best: String?, plain: String?) {
    guard let assigner else { return (nil, nil) }
    let trimmed = Self.trimmed(assigner)
    guard !trimmed.isEmpty else { return (nil, nil) }
    let plain = Self.national(Self.unwrapped(trimmed))
    if let named = context.namespaces[trimmed] { return (Self.national(named), plain) }
    // Before organisations: `ERS` has the shape of an ODS code.
    if Self.systems.contains(where: { $0.name == plain }) { return (plain, plain) }
    if let organisation = context.odsCode(trimmed) { return (organisation.description, plain) }
    return (plain, plain)
  }

  private static func national(_ name: String) -> String {
    let lowered = name.lowercased()
    return systems.first { $0.spellings.contains(lowered) }?.name ?? name
  }

  private static func trimmed(_ text: String) -> String {
    func isNothing(_ character: Character) -> Bool {
      character.isWhitespace
        || character.unicodeScalars.allSatisfy {
          switch $0.properties.generalCategory {
          case .control, .format: true
          default: false
          }
        }
    }
    let rest = text.drop(while: isNothing)
    guard let last = rest.lastIndex(where: { !isNothing($0) }) else { return "" }
    return String(rest[...last])
  }

  /// Without the prefix of a URN, and a UUID in lower case.
  private static func unwrapped(_ text: String) -> String {
    let lowered = text.lowercased()
    for prefix in ["urn:uuid:", "urn:oid:"] where lowered.hasPrefix(prefix) {
      return prefix == "urn:uuid:"
        ? String(lowered.dropFirst(prefix.count)) : String(text.dropFirst(prefix.count))
    }
    return isUUID(lowered) ? lowered : text
  }

  private static func isUUID(_ text: String) -> Bool {
    guard text.utf8.count == 36 else { return false }
    return text.utf8.enumerated().allSatisfy { place, byte in
      switch place {
      case 8, 13, 18, 23: byte == UInt8(ascii: "-")
      default:
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
          || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
      }
    }
  }
}
