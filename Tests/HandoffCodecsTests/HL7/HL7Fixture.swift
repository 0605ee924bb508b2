import HandoffCore

@testable import HandoffCodecs

/// Messages for tests, of made-up people: NHS numbers are of the test range 999.
enum HL7Fixture {
  static let nhsNumber = "9990500002"

  static func header(
    _ type: String, id: String = "M1", at: String = "20261123090000+0000", version: String = "2.4",
    from: String = "PAS|RTH", to: String = "CASE|RNU", tail: String = ""
  ) -> String {
    "MSH|^~\\&|\(from)|\(to)|\(at)||\(type)|\(id)|P|\(version)\(tail)\r"
  }

  static let patient = "PID|1||4711^^^RTH^MR~\(nhsNumber)^^^NHS^NH||ROE^JANE||19500102|F\r"
  static let referral = "RF1|P|R|Med||O|R-100^RTH\r"

  static func map(_ text: String, _ context: MappingContext = .init()) -> MappingOutcome {
    HL7Mapper(context: context).map(Array(text.utf8))
  }
}

extension MappingOutcome {
  /// The message of an outcome that has one.
  var message: MappedMessage? {
    switch self {
    case .mapped(let message), .noHandoffFact(let message, _): message
    case .refused: nil
    }
  }

  /// The only fact of a mapped message.
  var fact: MappedFact? {
    guard case .mapped(let message) = self, message.facts.count == 1 else { return nil }
    return message.facts[0]
  }

  /// The reason of a message without a handoff fact, or the code of a refusal and its field.
  var reason: String? {
    switch self {
    case .mapped: nil
    case .noHandoffFact(_, let reason): reason.description
    case .refused(let error):
      error.field.map { "\(error.code) \($0)" } ?? error.code.description
    }
  }

  var error: MappingError? {
    guard case .refused(let error) = self else { return nil }
    return error
  }
}
