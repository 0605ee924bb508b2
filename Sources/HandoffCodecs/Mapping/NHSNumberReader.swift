import HandoffCore

/// Takes a declared NHS number as the connector's settings say (A27).
struct NHSNumberReader: Sendable {
  let context: MappingContext
  /// Where it stands, for the error.
  let field: String
  /// Whose id a failing number is taken for.
  let assigner: String?

  /// Sets number and status, or refuses the message.
  func read(_ text: String, into person: inout ClearPerson) throws(MappingError) {
    let number: NHSNumber
    do {
      number = try NHSNumber(text)
    } catch {
      switch context.checkDigit {
      case .treatAsUntraced:
        if person.nhsNumber == nil { person.nhsNumberStatus = .checkDigitFailed }
        // It still tells this person from another of the same organisation.
        person.localIDs.append(.init(value: text, assigner: assigner, type: "NH-unverified"))
        return
      case .refuse: throw refusal(of: error)
      }
    }
    guard person.nhsNumber == nil || person.nhsNumber == number else {
      throw MappingError(
        code("identity.nhs-number-conflict"), field: field,
        explanation: "the message gives one patient two different NHS numbers")
    }
    person.nhsNumber = number
    person.nhsNumberStatus = .present
  }

  private func refusal(of reason: NHSNumber.Invalid) -> MappingError {
    switch reason {
    case .checkDigit:
      MappingError(
        code("identity.nhs-number-check-digit"), field: field,
        explanation: "the check digit of the NHS number does not match its other digits")
    case .notTenDigits:
      MappingError(
        code("identity.nhs-number-format"), field: field,
        explanation: "an NHS number is ten digits, with blanks or hyphens between them or none")
    }
  }
}
