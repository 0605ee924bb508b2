import TestSupport

/// What a policy file may say of sources.
extension PolicySchema {
  static let expectations: JSONTree = [
    "interval": elapsed(
      "Usual time between two heartbeats; three without a word are silence (A18)."),
    "skew": elapsed("How far a source's clock may be off the broker's (A19)."),
    "ahead": elapsed("How far in the future what it reports may lie (A19)."),
    "repeatsLeast": SettingsSchema.setting(
      "The fewest repeats within an hour that count as many (A01).",
      ["type": "integer", "minimum": 1, "maximum": 1_000_000], examples: [1, 10],
      refused: [0, -1, 1_000_001, "many", []]),
    "repeatsPercent": SettingsSchema.setting(
      "The same in percent of the messages of that hour; both must be reached (A01).",
      ["type": "integer", "minimum": 0, "maximum": 100], examples: [0, 1, 100],
      refused: [101, -1, "few", []]),
    "countWindow": elapsed("How long totals may differ from what was counted (A26)."),
  ]

  static let source: JSONTree = {
    var properties: JSONTree = [
      "source": SettingsSchema.setting(
        "The source's code.", ["type": "string", "pattern": "^[A-Za-z0-9._:/-]{1,64}$"],
        examples: ["mllp-rth"], refused: ["two words", []]),
      "organisations": SettingsSchema.setting(
        "The organisations whose answers it can carry.",
        [
          "type": "array",
          "items": [
            "type": "string",
            "pattern":
              "^(ods:[0-9A-Za-z]{1,12}|local:[0-9a-fA-F]{32}|openreferral:[0-9a-fA-F-]{32,36})$",
          ],
        ], examples: [["ods:RTH"], []], refused: [["RTH"], "ods:RTH"]),
      "onboardedAt": moment("References older than this raise nothing (A13)."),
      "maintenance": [
        "description": "When it may be silent: once from and to, or every weekday at, for so long.",
        "type": "array", "maxItems": 100,
        "items": ["oneOf": [once, weekly]],
        "examples": [
          [], [["weekday": "sunday", "at": "02:00", "for": "4h"]],
          [["from": "2026-12-24T20:00:00Z", "to": "2026-12-25T06:00:00Z"]],
        ],
        "x-refused": [
          "never", ["nightly"], [["weekday": "sunday"]], [["from": "2026-12-24T20:00:00Z"]],
          [["weekday": "Sonntag", "at": "02:00", "for": "4h"]],
          [["weekday": "sunday", "at": "2 o'clock", "for": "4h"]],
          [["weekday": "sunday", "at": "25:00", "for": "4h"]],
          [["from": "yesterday", "to": "2026-12-25T06:00:00Z"]],
          [["from": "2026-12-24T20:00:00Z", "to": "2026-12-25T06:00:00Z", "note": "x"]],
        ],
      ],
    ]
    for member in expectations.members { properties[member.name] = member.value }
    return SettingsSchema.group("", properties, required: ["source"]).without("description")
  }()

  private static let once = SettingsSchema.group(
    "Once.",
    [
      "from": moment("Its first moment."), "to": moment("Its last moment, later than the first."),
    ], required: ["from", "to"])

  private static let weekly = SettingsSchema.group(
    "Every week.",
    [
      "weekday": SettingsSchema.setting(
        "The day on which it begins.",
        [
          "enum": [
            "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
          ]
        ], examples: ["sunday"]),
      "at": SettingsSchema.setting(
        "When on the wall of Europe/London.",
        ["type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"], examples: ["02:00"]),
      "for": elapsed("Its length, at most 168h."),
    ], required: ["weekday", "at", "for"])

  private static func elapsed(_ description: String) -> JSONTree {
    SettingsSchema.setting(
      description, ["type": "string", "pattern": "^0*[1-9][0-9]{0,8}(s|min|h)$"],
      examples: ["45s", "15min", "24h"], refused: ["0h", "2d", "sameDay", "soon", 5])
  }

  private static func moment(_ description: String) -> JSONTree {
    SettingsSchema.setting(
      description,
      [
        "type": "string",
        "pattern": .string(
          "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?"
            + "([Zz]|[+-][0-9]{2}:[0-9]{2})$"),
      ], examples: ["2026-04-01T00:00:00Z"], refused: ["2026-04-01", "yesterday", 5])
  }
}
