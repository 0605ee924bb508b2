package import HandoffCore

/// What a mapping makes of one message: always exactly one of three.
package enum MappingOutcome: Sendable {
  /// The message states at least one handoff fact.
  case mapped(MappedMessage)
  /// The message was understood and states nothing a handoff rests on, such as an ADT^A08.
  ///
  /// It is answered as accepted and kept as a dead letter under its reason.
  case noHandoffFact(MappedMessage, reason: Code)
  /// The message is not understood, or must not be.
  case refused(MappingError)

  /// Such as `REF^I12`, where it could be read.
  package var messageType: String? {
    switch self {
    case .mapped(let message), .noHandoffFact(let message, _): message.messageType
    case .refused(let error): error.messageType
    }
  }
}

/// Why a message is refused, in the sender's own terms.
///
/// It is logged, answered and stored: it names fields and codes, and never holds a value of the
/// message. The two ids, which the answer has to repeat, are left out wherever it prints.
package struct MappingError: Error, Hashable, Sendable {
  /// What the sender is told (HL7 table 0008, and its like elsewhere).
  package enum Acknowledgement: String, Hashable, Sendable {
    /// AE: the content is at fault; the sender corrects it.
    case error
    /// AR: this kind of message is not taken here (type, version, processing id, encoding).
    case reject
  }

  /// A code of ours, such as `hl7.segment-missing`.
  package var code: Code
  /// Which field, as its standard names it: `PID-3`, `Bundle.entry[2].resource.status`.
  package var field: String?
  /// One sentence for the person who must put it right.
  package var explanation: String
  package var acknowledgement: Acknowledgement
  /// The id the answer repeats (MSH-10, `Bundle.id`), where it could be read.
  package var messageID: String?
  /// Such as `REF^I12`, where it could be read.
  package var messageType: String?

  package init(
    _ code: Code, field: String? = nil, explanation: String,
    acknowledgement: Acknowledgement = .error, messageID: String? = nil,
    messageType: String? = nil
  ) {
    self.code = code
    self.field = field
    self.explanation = explanation
    self.acknowledgement = acknowledgement
    self.messageID = messageID
    self.messageType = messageType
  }

  /// The same error of a message whose id and type are known by now.
  func about(messageID: String?, messageType: String?) -> MappingError {
    var error = self
    error.messageID = error.messageID ?? messageID
    error.messageType = error.messageType ?? messageType
    return error
  }
}

extension MappingError: CustomStringConvertible, CustomReflectable {
  package var description: String {
    let place = field.map { " at \($0)" } ?? ""
    return "\(code)\(place): \(explanation)"
  }

  package var customMirror: Mirror {
    Mirror(
      self,
      children: [
        "code": code.description, "field": field ?? "", "explanation": explanation,
        "acknowledgement": acknowledgement.rawValue,
      ])
  }
}

/// One message of a frame or file, where it stood, and what became of it.
package struct MappedFrame: Sendable {
  /// Counts the messages of the input from 0; a line number less one for NDJSON.
  package var index: Int
  /// The bytes of the input that are this message.
  package var range: Range<Int>
  package var outcome: MappingOutcome

  package init(index: Int, range: Range<Int>, outcome: MappingOutcome) {
    self.index = index
    self.range = range
    self.outcome = outcome
  }
}

/// A code written in the source: it is valid by its spelling, and traps on a slip of ours.
func code(_ literal: StaticString) -> Code {
  guard let code = Code(literal.description) else {
    preconditionFailure("\(literal) is not a code")
  }
  return code
}
