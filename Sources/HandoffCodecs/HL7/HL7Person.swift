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

  /// The fields of PID that ``person(from:)`` reads and that hold anything.
  static func fields(of pid: HL7Segment) -> String {
    let ids = [3, 2, 4].first { !pid.repetitions($0).isEmpty } ?? 3
    let others = [5, 7, 11, 32].filter { pid.value($0) != nil || pid.value($0, 2) != nil }
    // PID-11 is read for its postcode alone.
    let read = others.filter { $0 != 11 || pid.value(11, 5) != nil }
    return ([ids] + read).map { "PID-\($0)" }.joined(separator: ", ")
  }

  /// The identity that is given up: MRG-1, or where older versions put it; `nil` where all are empty.
  func priorPerson(
    from mrg: HL7Segment
  ) throws(MappingError) -> (person: ClearPerson, fields: String)? {
    for field in [1, 4, 2] {
      var person = ClearPerson()
      try read(mrg.repetitions(field), into: &person, field: "MRG-\(field)")
      guard person.isIdentified else { continue }
      person.familyName = mrg.value(7, 1)
      person.givenName = mrg.value(7, 2)
      let hasName = person.familyName != nil || person.givenName != nil
      return (person, hasName ? "MRG-\(field), MRG-7" : "MRG-\(field)")
    }
    return nil
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
        try reader.read(Self.withCheckDigit(value, identifier), into: &person)
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
  ///
  /// `NHS` alone as the assigner of what the type calls a hospital's own number says only where the
  /// hospital belongs.
  private static func isNHSNumber(_ identifier: HL7Repetition) -> Bool {
    let type = identifier.value(5).map(word)
    let names: Set = ["NH", "NHS", "NHSN", "NHSNO", "NHSNUMBER", "NHSNBR", "NHSNMBR", "NNGBR"]
    if let type, names.contains(type) { return true }
    let own = ["MR", "PI", "PT", "VN", "AN", "HAR", "MRN"].contains(type)
    let authorities: Set = [
      "NHSNO", "NHSNUMBER", "NHSNBR", "NHSNMBR", "HTTPSFHIRNHSUKIDNHSNUMBER",
      "21684011138832141",  // 2.16.840.1.113883.2.1.4.1
    ]
    return [identifier.value(4, 1), identifier.value(4, 2)].compactMap { $0.map(word) }
      .contains { authorities.contains($0) || (!own && $0 == "NHS") }
  }

  /// Letters and digits alone, in capitals: `NHS-Number` and `NHS NUMBER` are one word.
  private static func word(_ text: String) -> String {
    text.uppercased().filter { $0.isASCII && ($0.isLetter || $0.isNumber) }
  }

  /// An NHS number whose last digit stands in CX-2, the check digit.
  private static func withCheckDigit(_ value: String, _ identifier: HL7Repetition) -> String {
    guard value.utf8.count == 9, value.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let digit = identifier.value(2), digit.utf8.count == 1
    else { return value }
    return value + digit
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
