package import HandoffCodecs
package import HandoffCore

/// What a source hands over: one frame, or the reason why there is none.
package struct Arrival: Sendable {
  /// As it came; empty where the transport kept nothing of it.
  package var bytes: [UInt8]
  /// Set where the transport itself refuses it, such as for its length.
  package var fault: MappingError?
  /// The only organisation it may come from, where its sender's certificate says which.
  package var principal: ODSCode?
  /// What its transport says beside its content, such as the id of an HTTP request.
  package var transport: TransportHeaders?
  /// The sender's own number of this request, which makes a repeat known.
  package var request: RequestIdentity?

  package init(bytes: [UInt8], fault: MappingError? = nil, principal: ODSCode? = nil) {
    self.bytes = bytes
    self.fault = fault
    self.principal = principal
  }
}

/// What tells one request of a sender from every other; never printed.
package struct RequestIdentity: Hashable, Sendable {
  /// The number that its sender gave it (`X-Request-ID`).
  package var id: String
  /// What was asked for: two requests of one id that differ in it are not the same.
  package var target: String

  package init(id: String, target: String) {
    self.id = id
    self.target = target
  }
}

/// What became of one arrival once it was durable.
package struct Reception: Sendable {
  /// Whether the sender has used the id of its request before.
  package enum Repeat: Hashable, Sendable {
    /// The same request, taken in before: nothing was taken in now.
    case same
    /// Another request under the same id: nothing was taken in.
    case other
  }

  /// One for each message of the arrival.
  package var receptionIDs: [ReceptionID]
  /// What each message will become; refused ones are dead letters already on their way.
  package var messages: [MappedFrame]
  /// `nil` for everything but a request whose id is known.
  package var repeated: Repeat?

  package init(
    receptionIDs: [ReceptionID], messages: [MappedFrame], repeated: Repeat? = nil
  ) {
    self.receptionIDs = receptionIDs
    self.messages = messages
    self.repeated = repeated
  }

  /// The outcome that the sender is told: the first refusal, else the first message's.
  package var outcome: MappingOutcome? {
    let refused = messages.first { message in
      if case .refused = message.outcome { true } else { false }
    }
    return (refused ?? messages.first)?.outcome
  }
}

/// What tells a file from every other, until it is moved away: never printed, names hold anything.
package struct FileIdentity: Hashable, Sendable {
  package var path: String
  package var fileNumber: UInt64
  package var byteCount: UInt64
  /// Nanoseconds since 1970, as the file system says.
  package var modified: Int64

  package init(path: String, fileNumber: UInt64, byteCount: UInt64, modified: Int64) {
    self.path = path
    self.fileNumber = fileNumber
    self.byteCount = byteCount
    self.modified = modified
  }
}

/// The fault is ours and nothing was taken in: the sender is to try again.
package struct IntakeFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// Such as `baton.outbox-full`.
  package var reason: Code
  package var explanation: String

  package init(reason: Code, explanation: String) {
    self.reason = reason
    self.explanation = explanation
  }

  package var description: String { "\(reason): \(explanation)" }

  /// The same in the terms of an answer.
  package var mappingError: MappingError {
    MappingError(reason, explanation: explanation, acknowledgement: .error)
  }
}

/// What a source needs of the bus: a place where arrivals are safe, and a verdict on them.
package protocol FrameIntake: Sendable {
  /// Makes arrivals durable together and in order; returns only when they are.
  ///
  /// With a `file`, the file counts as taken from the same moment on.
  func take(
    _ arrivals: [Arrival], of file: FileIdentity?
  ) async throws(IntakeFailure) -> [Reception]

  /// What the messages of `bytes` will become, without taking them in.
  func judge(_ bytes: [UInt8]) -> [MappedFrame]

  /// Whether the file was taken, and a crash kept it from being moved away.
  func wasTaken(_ file: FileIdentity) async throws(IntakeFailure) -> Bool

  /// The file has been moved away.
  func release(_ file: FileIdentity) async throws(IntakeFailure)
}

/// Why a source cannot run, in words for the one who runs it.
package struct SourceFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// Such as `mllp.port-in-use`.
  package var reason: Code
  package var explanation: String

  package init(reason: Code, explanation: String) {
    self.reason = reason
    self.explanation = explanation
  }

  package var description: String { "\(reason): \(explanation)" }
}

/// A code written in the source: it is valid by its spelling, and traps on a slip of ours.
func code(_ literal: StaticString) -> Code {
  guard let code = Code(literal.description) else {
    preconditionFailure("\(literal) is not a code")
  }
  return code
}
