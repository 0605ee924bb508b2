import HandoffCore
import TestSupport

/// The forms that single values have in JSON, and why.
enum WireShapes {
  static let base64 = "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"
  private static let zone = "(Z|[+-][0-9]{2}:[0-9]{2})"
  private static let day = "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
  private static let minute = "([01][0-9]|2[0-3]):[0-5][0-9]"
  private static let uuid = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

  static let all: [String: JSONTree] = [
    "Identifier": string(
      "16 bytes in base64: a UUID, or a keyed hash cut to 128 bits.", "^[A-Za-z0-9+/]{21}[AQgw]==$"),
    "Hash": string("32 bytes in base64.", "^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$"),
    "Versions": string(
      "Up to 8 times 4 bytes in base64.",
      "^([A-Za-z0-9+/]{16}){0,2}"
        + "([A-Za-z0-9+/]{5}[AQgw]==|[A-Za-z0-9+/]{10}[AEIMQUYcgkosw048]=)?$"),
    "Sealed": [
      "description": "Ciphertext in base64.", "type": "string", "contentEncoding": "base64",
      "pattern": "^[A-Za-z0-9+/=_ -]*$",
    ],
    "Code": string(
      "A short code, never free text: what looks like an NHS number is refused.",
      "^(?!.*[0-9](-*[0-9]){9})[A-Za-z0-9._:/-]{1,64}$"),
    "Slug": string("1 to 40 lower-case letters, digits and hyphens.", "^[a-z0-9-]{1,40}$"),
    "Organisation": string(
      "An ODS code, a service of an Open Referral directory, or a local name as a keyed hash.",
      "^(ods:[0-9A-Z]{1,12}|local:[0-9a-f]{32}|openreferral:\(uuid))$"),
    "TopicName": [
      "description": "Name of a topic.", "type": "string", "minLength": 1,
      "maxLength": 249,
    ],
    "FieldName": [
      "description": "A field as its standard names it; never its value.", "type": "string",
      "maxLength": 1024,
    ],
    "Day": ["description": "A day as YYYY-MM-DD.", "type": "string", "maxLength": 32],
    "Timestamp": string(
      "A moment (RFC 3339) between the years 1678 and 2262, to the nanosecond.",
      "^\(day)T\(minute):[0-5][0-9](\\.[0-9]{1,9})?\(zone)$"),
    "Moment": string(
      "A day, or a moment with its zone; without one it is the connector's local time.",
      "^\(day)(T\(minute)(:[0-5][0-9](\\.[0-9]{1,9})?)?\(zone)?)?$"),
    "Unsigned64": [
      "description": "A whole number of 64 bits, which JSON writes as a string.",
      "type": ["string", "integer"], "pattern": "^[0-9]{1,20}$", "minimum": 0,
    ],
    "Signed64": [
      "description": "A whole number of 64 bits, which JSON writes as a string.",
      "type": ["string", "integer"], "pattern": "^-?[0-9]{1,19}$",
    ],
    "Text": ["description": "Any text of at most 256 bytes.", "type": "string", "maxLength": 256],
    "ODSCode": string("An organisation of the ODS register.", "^[0-9A-Za-z]{1,12}$"),
    "UUID": string(
      "A UUID.", "^[0-9A-Fa-f]{8}-?[0-9A-Fa-f]{4}-?[0-9A-Fa-f]{4}-?[0-9A-Fa-f]{4}-?[0-9A-Fa-f]{12}$"
    ),
    "NHSNumber": string(
      "Ten digits, the last of which is their check digit.", "^[ -]*([0-9][ -]*){10}$"),
    "Speaker": [
      "description": "In which part the speaker acts.", "type": "string",
      "enum": ["sender", "receiver", "platform"],
    ],
    "SubmittedType": [
      "description": "What happened, by the name of its event type.", "type": "string",
      "enum": .array(SubmissionRules.types.map { .string($0.rawValue) }),
    ],
  ]

  private static func string(_ description: String, _ pattern: String) -> JSONTree {
    ["description": .string(description), "type": "string", "pattern": .string(pattern)]
  }
}

/// What a submission must hold beside what its fields say; a test holds it against the mapper.
enum SubmissionRules {
  /// What only Baton itself says, or what is said of no person.
  private static let ours: Set<EventType> = [
    .handoffTransferred, .orgChanged, .wardClosed, .wardOpened,
  ]

  static let types = EventType.allCases.filter { !ours.contains($0) }

  /// What is said of a person's stay, and not of a handoff.
  private static let ofTheStay: [EventType] = [
    .readyForDischarge, .dischargeReadinessWithdrawn, .discharged, .dischargeCancelled,
    .bedAssigned, .bedFreed, .bedMoved, .patientMerged, .patientMoved, .patientDied,
    .identityLinked, .feedbackReceived, .patientChased,
  ]

  /// What the parts of a submission must hold beside what their comments say.
  static let parts: [String: JSONTree] = [
    "SubmittedPerson": [
      ["required": ["nhsNumber"]],
      ["required": ["localIds"], "properties": ["localIds": ["minItems": 1]]],
    ],
    "SubmittedParty": [
      ["required": ["odsCode"]], ["required": ["openReferralServiceId"]], ["required": ["name"]],
    ],
  ]

  static let conditions: JSONTree = [
    rule(
      "A request names the handoff, the person and both ends.", [.handoffRequested],
      ["required": ["handoff", "person", "from", "to"]]),
    rule(
      "What answers a request names the handoff, or the message that it answers.",
      types.filter { $0 != .handoffRequested && !ofTheStay.contains($0) },
      ["anyOf": [["required": ["handoff"]], ["required": ["answers"]]]]),
    rule("What is said of a stay names the person.", ofTheStay, ["required": ["person"]]),
    rule("A redirection says where to.", [.redirected], ["required": ["newHandoff"]]),
    rule(
      "A merge or link names the identity that is given up.", [.patientMerged, .identityLinked],
      ["required": ["priorPerson"]]),
  ]

  private static func rule(
    _ description: String, _ types: [EventType], _ then: JSONTree
  ) -> JSONTree {
    [
      "description": .string(description),
      "if": ["properties": ["type": ["enum": .array(types.map { .string($0.rawValue) })]]],
      "then": then,
    ]
  }
}
