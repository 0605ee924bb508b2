package import HandoffCore

/// The settings of a connector that bear on what its messages mean.
package struct MappingContext: Sendable {
  /// What to do with an NHS number whose check digit fails (A27).
  package enum CheckDigitTreatment: String, Hashable, Sendable {
    /// Refuse the message as `identity.nhs-number-check-digit`.
    case refuse
    /// Take the person by local ids, as if no NHS number had been sent.
    case treatAsUntraced = "treat-as-untraced"
  }

  /// What messages are for that are taken (HL7 table 0103).
  package enum Processing: String, Hashable, Sendable {
    /// Real care: training and debugging are refused.
    case production
    /// Training and debugging: real care is refused, so that nothing of it is lost in a trial.
    case training
    case any
  }

  /// How times without a zone are read.
  package enum LocalTime: Hashable, Sendable {
    case europeLondon
    /// A fixed offset from UTC, in minutes, east positive.
    case offset(minutes: Int)
  }

  /// The organisation the connector stands in; taken where a message names no other.
  package var ownOrganisation: ODSCode?
  /// Names as they stand in MSH-4, MSH-6 or PRD-10 to ODS codes, compared exactly.
  package var organisations: [String: ODSCode]
  /// Whether partners write ODS codes where a name may stand, as most of England does.
  ///
  /// Off by default: a name such as `GHH` looks like a code and is none.
  package var namesAreODSCodes: Bool
  package var localTime: LocalTime
  /// Kind by code: of RF1-3 and RF1-5 (`RF1-5:O`), BaRS use case (`a1t1`), SNOMED (`306238000`).
  package var kinds: [String: HandoffKind]
  /// Kind of what ``kinds`` does not know.
  package var defaultKind: HandoffKind
  /// Priority by RF1-2 or FHIR `priority`, lower-cased.
  package var priorities: [String: Priority]
  package var defaultPriority: Priority
  /// Discharge pathway 0 to 3 by PV1-36, or by another field that the key names: `ZPW-2:P1`.
  package var dischargePathways: [String: UInt8]
  /// Namespaces of ids as this connector's messages write them to what they are called everywhere.
  ///
  /// `https://rth.example/ids/mrn` and `RTH-PAS` are one namespace only where somebody says so.
  package var namespaces: [String: String]
  package var checkDigit: CheckDigitTreatment
  package var processing: Processing
  package var limits: MappingLimits

  /// The settings of a connector that sets nothing.
  package init() {
    ownOrganisation = nil
    organisations = [:]
    namesAreODSCodes = false
    localTime = .europeLondon
    kinds = MappingDefaults.kinds
    defaultKind = .unspecified
    priorities = MappingDefaults.priorities
    defaultPriority = .routine
    dischargePathways = [:]
    namespaces = [:]
    checkDigit = .refuse
    processing = .production
    limits = MappingLimits()
  }
}

/// The bounds of everything a message could make grow.
package struct MappingLimits: Hashable, Sendable {
  /// Bytes of one message.
  package var messageBytesMax = 5_000_000
  /// Bytes of one file of the drop folder.
  package var fileBytesMax = 50_000_000
  /// Messages of one file.
  package var messagesMax = 100_000
  /// Segments of one HL7 message.
  package var segmentsMax = 10_000
  /// Fields of one segment.
  package var fieldsMax = 1_000
  /// How deep JSON may nest.
  package var nestingMax = 64
  /// Values in one JSON document.
  package var jsonValuesMax = 500_000
  /// Characters of one id that is kept.
  package var identifierMax = 256

  package init() {}
}

/// What codes mean where a connector's settings do not say.
enum MappingDefaults {
  /// BaRS use cases and categories, e-RS by priority, NHS 111 interactions (domain.md §1.1), and
  /// the SNOMED CT codes of referrals (§1.4), social care and documents.
  static let kinds: [String: HandoffKind] = pairs([
    ("a1t1", "111-ed"), ("a4t3", "111-ucr"), ("a5t1", "pharmacy"), ("a6t1", "mutual-aid"),
    ("a6t2", "mutual-aid"), ("a6t3", "mutual-aid"), ("a8t1", "gp-hospital"),
    ("306238000", "hospital-council"), ("871731000000106", "social-prescribing"),
    ("410606002", "social-prescribing"), ("validation", "clinical-validation"),
    ("ers", "gp-hospital"), ("ers:two_week_wait", "gp-suspected-cancer"),
    ("373942005", "discharge-summary"), ("823681000000100", "outpatient-letter"),
    (
      "urn:nhs-itk:interaction:primaryEmergencyDepartmentRecipientNHS111CDADocument-v2-0",
      "111-ed"
    ),
  ])

  /// HL7 table 0280, FHIR request-priority, and how e-RS spells it.
  static let priorities: [String: Priority] = pairs([
    ("r", "routine"), ("routine", "routine"), ("normal", "routine"),
    ("s", "very-urgent"), ("stat", "very-urgent"), ("a", "urgent"), ("asap", "urgent"),
    ("u", "urgent"), ("urgent", "urgent"), ("e", "emergency"), ("emergency", "emergency"),
    ("two_week_wait", "urgent-suspected-cancer"),
  ])

  private static func pairs(_ table: [(String, String)]) -> [String: HandoffKind] {
    var result: [String: HandoffKind] = [:]
    for (key, text) in table { result[key] = HandoffKind(text) }
    return result
  }

  private static func pairs(_ table: [(String, String)]) -> [String: Priority] {
    var result: [String: Priority] = [:]
    for (key, text) in table { result[key] = Priority(text) }
    return result
  }
}
