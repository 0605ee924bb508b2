package import HandoffCore

/// A closed set of ours and its numbers on the wire.
///
/// The numbers are written out here and in the schema; a test compares them name by name.
package protocol WireNumbered: CaseIterable, Hashable, Sendable {
  /// The enum value's number in the schema; never 0, which means unspecified.
  var wireNumber: UInt32 { get }
}

extension WireNumbered {
  /// `nil` for 0 and for every number that this version does not know.
  static func numbered(_ number: UInt64) -> Self? {
    allCases.first { UInt64($0.wireNumber) == number }
  }
}

extension EventType: WireNumbered {
  package var wireNumber: UInt32 {
    switch self {
    case .handoffRequested: 1
    case .handoffAmended: 2
    case .transportAccepted: 3
    case .delivered: 4
    case .transportFailed: 5
    case .received: 6
    case .recipientRefusedPatient: 7
    case .accepted: 8
    case .rejected: 9
    case .infoRequested: 10
    case .redirected: 11
    case .booked: 12
    case .notAttended: 13
    case .started: 14
    case .interim: 15
    case .completed: 16
    case .couldNotComplete: 17
    case .feedbackSent: 18
    case .feedbackAcknowledged: 19
    case .cancelled: 20
    case .voided: 21
    case .expired: 22
    case .disposition: 23
    case .readyForDischarge: 40
    case .dischargeReadinessWithdrawn: 41
    case .discharged: 42
    case .dischargeCancelled: 43
    case .bedAssigned: 44
    case .bedFreed: 45
    case .bedMoved: 46
    case .patientMerged: 47
    case .patientMoved: 48
    case .patientDied: 49
    case .identityLinked: 50
    case .handoffTransferred: 51
    case .orgChanged: 60
    case .wardClosed: 61
    case .wardOpened: 62
    case .feedbackReceived: 63
    case .patientChased: 64
    }
  }

  /// By number, so that reading an event costs one look-up.
  private static let byNumber: [EventType?] = {
    var table = [EventType?](repeating: nil, count: 65)
    for type in allCases { table[Int(type.wireNumber)] = type }
    return table
  }()

  static func numbered(_ number: UInt64) -> EventType? {
    number < UInt64(byNumber.count) ? byNumber[Int(number)] : nil
  }
}

extension SpeakerRole: WireNumbered {
  package var wireNumber: UInt32 {
    switch self {
    case .sender: 1
    case .receiver: 2
    case .platform: 3
    }
  }
}

extension HandoffState: WireNumbered {
  package var wireNumber: UInt32 {
    switch self {
    case .requested: 1
    case .inTransit: 2
    case .delivered: 3
    case .received: 4
    case .onHold: 5
    case .accepted: 6
    case .booked: 7
    case .started: 8
    case .completed: 9
    case .closed: 10
    case .rejected: 11
    case .redirected: 12
    case .cancelled: 13
    case .voided: 14
    case .failed: 15
    case .expired: 16
    }
  }

  private static let byNumber = allCases.sorted { $0.wireNumber < $1.wireNumber }

  static func numbered(_ number: UInt64) -> HandoffState? {
    (1...UInt64(byNumber.count)).contains(number) ? byNumber[Int(number) - 1] : nil
  }
}

extension SourceState.Condition: WireNumbered {
  package var wireNumber: UInt32 {
    switch self {
    case .running: 1
    case .silent: 2
    case .behind: 3
    }
  }
}

extension Rule: WireNumbered {
  /// A01 is 1, A27 is 27; alerts about ourselves begin with S01 at 101.
  package var wireNumber: UInt32 { Rule.numbers[self] ?? 0 }

  private static let numbers: [Rule: UInt32] = Dictionary(
    uniqueKeysWithValues: allCases.map { rule in
      let digits = UInt32(rule.rawValue.dropFirst()) ?? 0
      return (rule, rule.isAboutOurselves ? 100 + digits : digits)
    })
  private static let byNumber: [UInt32: Rule] = Dictionary(
    uniqueKeysWithValues: numbers.map { ($1, $0) })

  static func numbered(_ number: UInt64) -> Rule? {
    UInt32(exactly: number).flatMap { byNumber[$0] }
  }
}

extension Severity: WireNumbered {
  package var wireNumber: UInt32 {
    switch self {
    case .info: 1
    case .low: 2
    case .medium: 3
    case .high: 4
    case .critical: 5
    }
  }
}

extension Verdict.Action: WireNumbered {
  package var wireNumber: UInt32 {
    switch self {
    case .opened: 1
    case .changed: 2
    case .resolved: 3
    case .undetermined: 4
    }
  }
}

extension DeadLetter.Disposition: WireNumbered {
  package var wireNumber: UInt32 {
    switch self {
    case .refused: 1
    case .noHandoffFact: 2
    }
  }
}

extension ProtobufReader {
  /// An enum value: 0 means absent, an unknown number is refused.
  mutating func numbered<Value: WireNumbered>(_ field: StaticString) throws(WireError) -> Value? {
    let number = try unsigned()
    if number == 0 { return nil }
    guard let value = Value.numbered(number) else { throw invalid(field) }
    return value
  }
}

extension ProtobufWriter {
  mutating func numbered(_ field: UInt32, _ value: (some WireNumbered)?) {
    if let value { unsigned(field, value.wireNumber) }
  }
}
