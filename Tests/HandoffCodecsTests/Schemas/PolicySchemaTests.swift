import HandoffCore
import TestSupport
import Testing

@testable import HandoffCodecs

/// The schema of a policy file, and its loader, say the same.
@Suite struct `The schema of a policy file` {
  private let schema = PolicySchema.schema

  @Test func `is what the code makes of it`() throws {
    let text = try GoldenFile.text("Schemas/json/\(schema.fileName)", madeAs: schema.text)
    #expect(text == schema.text, "\(GoldenFile.advice)")
  }

  @Test func `takes and refuses what the loader takes and refuses`() throws {
    let differences = try schema.differences(base: PolicySchema.base) { yaml in
      (try? PolicyDocument(Array(yaml.utf8))) != nil
    }
    #expect(differences == [])
  }

  @Test func `has the keys that the loader asks for, and no other`() throws {
    let asked = try SettingsSchema.names(
      #"(take|mandatory|mandatoryLength)\(\s*"[^"]+""#,
      in: [
        "PolicyLoader", "PolicyLoader+Calendar", "PolicyLoader+Profiles", "PolicyLoader+Sources",
      ]
      .map { "Sources/HandoffCodecs/Policy/\($0).swift" })
    let listed = PolicyWindow.all.map(\.key) + PolicyClock.allCases.map(\.rawValue)
    #expect(schema.names == asked.union(listed))
    #expect(asked.count > 10)
  }

  @Test func `takes every policy that ships`() throws {
    // Lists and maps as the loader sees them: the file itself, turned into JSON.
    let files = [
      "Schemas/journeys/policy.yaml", "deploy/demo-data/policy.yaml", "deploy/examples/policy.yaml",
    ]
    for path in files {
      let tree = try YAMLTree.json(of: GoldenFile.read(path))
      #expect(try schema.faults(in: tree) == [], "\(path)")
    }
    let standard = try YAMLTree.json(of: PolicyDocument.render(.default))
    #expect(try schema.faults(in: standard) == [])
  }
}

/// The keys of a policy file.
enum PolicySchema {
  static let schema = SettingsSchema(
    "policy.schema.json", title: "Policy",
    description:
      "What is promised by when: a file is taken whole or refused whole, and every verdict names the SHA-256 of the file that was in force.",
    SettingsSchema.group(
      "",
      [
        "format": SettingsSchema.setting(
          "Which keys the file may have, and what they mean.", ["const": "baton.policy.v1"],
          examples: ["baton.policy.v1"], refused: ["baton.policy.v2", 1, []]),
        "version": SettingsSchema.setting(
          "Counts up with every change of the file.",
          ["type": "integer", "minimum": 1, "maximum": 4_294_967_295], examples: [1, 12],
          refused: [0, -1, "new", []]),
        "clocks": [
          "description": "One row a kind of handoff, or a kind and a priority.", "type": "array",
          "minItems": 1, "maxItems": 10_000, "items": row, "x-refused": [[], "none"],
        ],
        "fallback": SettingsSchema.group(
          "For kinds that no row knows.", clocks, required: mandatory),
        "railDelivery": [
          "description": "Delivery on rails that are slower than acknowledge, by rail.",
          "type": "object", "propertyNames": ["pattern": "^[A-Za-z0-9._:/-]{1,64}$"],
          "additionalProperties": length("Delivery on this rail."),
          "examples": [["mesh": "2h"]], "x-refused": [["mesh": "soon"], ["two words": "2h"], []],
        ],
        "windows": SettingsSchema.group(
          "The windows of the rules, the same for every kind.", windows),
        "calendar": SettingsSchema.group(
          "Working days of receiving services: Monday to Friday without these days.", calendar),
        "sourceDefaults": SettingsSchema.group(
          "What is expected of sources that no row names.", expectations),
        "sources": [
          "description": "What is expected of each source.", "type": "array", "maxItems": 10_000,
          "items": source, "examples": [[]], "x-refused": ["none"],
        ],
        "profiles": [
          "description":
            "Named sections that `baton policy activate --profile` switches on; they tighten, or say that they loosen.",
          "type": "array", "maxItems": 100, "items": profile, "x-refused": ["winter", ["winter"]],
        ],
      ], required: ["format", "version", "clocks"]
    ).without("description"))

  static let base: JSONTree = [
    "format": "baton.policy.v1", "version": 3,
    "clocks": [
      [
        "kind": "gp-hospital", "acknowledge": "4h", "accept": "7d", "start": "none",
        "complete": "18wk", "feedback": "3wd",
      ]
    ],
    "fallback": [
      "acknowledge": "4h", "accept": "7d", "start": "2wk", "complete": "18wk", "feedback": "3wd",
    ],
    "sources": [["source": "mllp-rth"]],
    "calendar": ["services": [["service": "ods:RXQ"]]],
    // It owns up to loosening, so that any value of a clock may stand in it.
    "profiles": [
      [
        "name": "winter", "loosens": true, "reason": "agreed",
        "clocks": [["kind": "gp-hospital", "accept": "1h"]],
      ]
    ],
  ]

  static let lengthPattern =
    "^(0*[1-9][0-9]{0,8}(s|min|h)|(1000|[1-9][0-9]{0,2})(d|wd)|(14[0-2]|1[0-3][0-9]|[1-9][0-9]?)wk"
    + "|sameDay)$"

  static func length(_ description: String) -> JSONTree {
    SettingsSchema.setting(
      description, ["type": "string", "pattern": .string(lengthPattern)],
      examples: ["45s", "15min", "2h", "7d", "4wk", "3wd", "sameDay"],
      refused: ["0h", "soon", "7", "1001d", "143wk", 5, []])
  }

  static let slug: JSONTree = ["type": "string", "pattern": "^[a-z0-9-]{1,40}$"]
  private static let mandatory: [JSONTree] = [
    "acknowledge", "accept", "start", "complete", "feedback",
  ]

  private static let row: JSONTree = {
    var row = SettingsSchema.group("", clocks, required: ["kind"] + mandatory)
    row = row.without("description")
    var properties: JSONTree = [
      "kind": SettingsSchema.setting(
        "Kind of handoff.", slug, examples: ["gp-hospital"], refused: ["GP to hospital", []]),
      "priority": SettingsSchema.setting(
        "The row is for this priority only; `urgent` also for every other that says urgent.", slug,
        examples: ["routine", "two-week-wait"], refused: ["Very Urgent", []]),
    ]
    for member in clocks.members { properties[member.name] = member.value }
    row["properties"] = properties
    return row
  }()

  private static let clocks: JSONTree = [
    "acknowledge": length("Request to the first evidence from the receiver (A07)."),
    "deliver": length(
      "The same from the transport's acceptance on; absent: as acknowledge."),
    "accept": length("Request to an acceptance or refusal (A08)."),
    "start": SettingsSchema.setting(
      "To the first contact (A09), or none; from the request or dischargeReady.",
      ["anyOf": [["const": "none"], ["type": "string", "pattern": .string(lengthPattern)]]],
      examples: ["none", "2wk"], refused: ["never", 5]),
    "startFrom": SettingsSchema.setting(
      "Where start begins.", ["enum": ["request", "dischargeReady"]],
      examples: ["request", "dischargeReady"], refused: ["accepted", []]),
    "complete": length("Start to the outcome (A10)."),
    "outcome": length(
      "Request to the outcome (A10), where a standard times that; absent: not timed."),
    "feedback": length("Completion to feedback delivered (A10)."),
    "feedbackOwed": SettingsSchema.setting(
      "Whether the sender is to hear how it went; default true.", ["type": "boolean"],
      examples: [true, false], refused: ["maybe", []]),
    "document": SettingsSchema.setting(
      "Whether it is a summary or letter; default false.", ["type": "boolean"],
      examples: [true, false], refused: ["maybe", []]),
    "basis": SettingsSchema.setting(
      "N national, P proposed here, N+P both, local: your own.",
      ["enum": ["N", "P", "N+P", "local"]], examples: ["N", "P", "N+P", "local"],
      refused: ["X", []]),
    "note": SettingsSchema.setting(
      "Where it comes from.", ["type": "string", "maxLength": 200],
      examples: ["Delivery plan 2026"], refused: [.string(String(repeating: "x", count: 201)), []]),
  ]

  static let windows: JSONTree = .object(
    PolicyWindow.all.map { window in
      let description = window.comment.prefix(1).uppercased() + window.comment.dropFirst() + "."
      switch window.field {
      case .length: return JSONTree.Member(window.key, length(description))
      case .elapsed:
        return JSONTree.Member(
          window.key,
          SettingsSchema.setting(
            description, ["type": "string", "pattern": "^0*[1-9][0-9]{0,8}(s|min|h)$"],
            examples: ["45s", "15min", "24h"], refused: ["0h", "2d", "sameDay", "soon", 5]))
      }
    })

  private static let calendar: JSONTree = [
    "bankHolidays": SettingsSchema.setting(
      "Whose public holidays count.", ["enum": ["england", "none"]], examples: ["england", "none"],
      refused: ["wales", []]),
    "closed": SettingsSchema.setting(
      "Further days without work.",
      [
        "type": "array",
        "items": [
          "type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$",
        ],
      ], examples: [["2026-12-24"], []], refused: [["Christmas"], "2026-12-24"]),
    "alwaysOpen": SettingsSchema.setting(
      "Services that work every day.",
      [
        "type": "array",
        "items": [
          "type": "string",
          "pattern":
            "^(ods:[0-9A-Za-z]{1,12}|local:[0-9a-fA-F]{32}|openreferral:[0-9a-fA-F-]{32,36})$",
        ],
      ], examples: [["ods:RTH"], []], refused: [["RTH"], "ods:RTH"]),
    "services": [
      "description": "Services whose week is another.", "type": "array", "maxItems": 10_000,
      "items": service, "x-refused": ["ods:RTH", ["ods:RTH"]],
    ],
  ]
}
