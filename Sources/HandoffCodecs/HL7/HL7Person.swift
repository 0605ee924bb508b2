import HandoffCore

/// Reads who a message is about from PID or MRG.
struct HL7PersonReader: Sendable {
  let context: MappingContext
  /// Assigner of ids whose field names none: the sender.
  let defaultAssigner: String?

  /// PID-3, and PID-2 and PID-4, which older versions used, where it is empty.
  func person(from pid: HL7Segment) throws(MappingError) -> ClearPerson {
    var person = ClearPerson()
    var field = 3
    for candidate in [3, 2, 4] where !pid.repetitions(candidate).isEmpty {
      field = candidate
      break
    }
    try read(pid.repetitions(field), into: &person, field: "PID-\(field)")
    guard person.isIdentified else {
      throw MappingError(
        code("identity.patient-missing"), field: "PID-3",
        explanation: "the patient has no identifier")
    }
    if person.nhsNumberStatus == .present {
      switch pid.value(32) {
      case "01"?: person.nhsNumberStatus = .verified
      case "02"?, "03"?, "04"?, "05"?, "06"?, "07"?, "08"?: person.nhsNumberStatus = .untraced
      default: break
      }
    }
    person.familyName = pid.value(5, 1)
    person.givenName = pid.value(5, 2)
    person.birthDate = pid.value(7).flatMap(Self.date)
    person.postcode = pid.value(11, 5)
    return person
  }

  /// MRG-1: the identity that is given up; `nil` where it is empty.
  func priorPerson(from mrg: HL7Segment) throws(MappingError) -> ClearPerson? {
    var person = ClearPerson()
    try read(mrg.repetitions(1), into: &person, field: "MRG-1")
    guard person.isIdentified else { return nil }
    person.familyName = mrg.value(7, 1)
    person.givenName = mrg.value(7, 2)
    return person
  }

  private func read(
    _ identifiers: [HL7Repetition], into person: inout ClearPerson, field: String
  ) throws(MappingError) {
    for identifier in identifiers {
      guard let value = identifier.value(1) else { continue }
      guard value.utf8.count <= context.limits.identifierMax else {
        throw MappingError(
          code("hl7.field-too-long"), field: field,
          explanation: "the identifier is longer than identifierMax"
            + " (\(context.limits.identifierMax)) bytes")
      }
      if Self.isNHSNumber(identifier) {
        let reader = NHSNumberReader(
          context: context, field: field, assigner: defaultAssigner)
        try reader.read(value, into: &person)
      } else {
        let assigner = identifier.value(4, 1) ?? identifier.value(4, 2) ?? identifier.value(6, 1)
        person.localIDs.append(
          .init(value: value, assigner: assigner ?? defaultAssigner, type: identifier.value(5)))
      }
    }
    // The record number keys an untraced person; other ids (accounts, insurance) follow it.
    let records = person.localIDs.filter { $0.type == "MR" || $0.type == "PI" }
    person.localIDs = records + person.localIDs.filter { $0.type != "MR" && $0.type != "PI" }
  }

  /// Whether type or assigner says NHS number; ten digits alone do not, as many ids have ten.
  private static func isNHSNumber(_ identifier: HL7Repetition) -> Bool {
    let types: Set = ["NH", "NHS", "NHSNUMBER", "NHSNMBR", "NNGBR"]
    if let type = identifier.value(5)?.uppercased(), types.contains(type) { return true }
    let assigners: Set = [
      "NHS", "NHSNUMBER", "NHSNBR", "2.16.840.1.113883.2.1.4.1",
      "HTTPS://FHIR.NHS.UK/ID/NHS-NUMBER",
    ]
    return [identifier.value(4, 1), identifier.value(4, 2)]
      .compactMap { $0?.uppercased() }.contains(where: assigners.contains)
  }

  private static func date(_ text: String) -> String? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard digits.count >= 4 else { return nil }
    let parts = [
      digits.prefix(4), digits.dropFirst(4).prefix(2), digits.dropFirst(6).prefix(2),
    ]
    return parts.filter { !$0.isEmpty }.joined(separator: "-")
  }
}
