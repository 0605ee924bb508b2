import HandoffCore
import TestSupport

/// What a policy file may say of profiles, and of the hours of services.
extension PolicySchema {
  static let profile: JSONTree = SettingsSchema.group(
    "",
    [
      "name": SettingsSchema.setting(
        "By which it is switched on.", slug, examples: ["winter", "opel-4"],
        refused: ["OPEL 4", []]),
      "note": SettingsSchema.setting(
        "When it is for, and where it comes from.", ["type": "string", "maxLength": 200],
        examples: ["agreed 2026-10-01"], refused: [[]]),
      "loosens": SettingsSchema.setting(
        "Whether it loosens anything; default false, and then nothing may.", ["type": "boolean"],
        examples: [true], refused: ["maybe", []]),
      "reason": SettingsSchema.setting(
        "Why it loosens: with `loosens: true`, and only then.",
        ["type": "string", "maxLength": 200], examples: ["agreed with the councils"],
        refused: [[]]),
      "clocks": [
        "description": "The clocks that it sets, by kind and priority; the others stay.",
        "type": "array", "maxItems": 10_000, "items": profileRow, "x-refused": ["none", ["row"]],
      ],
      "windows": SettingsSchema.group("The windows that it sets.", profileWindows),
    ], required: ["name"]
  ).without("description")

  private static let profileRow: JSONTree = {
    var properties: JSONTree = [
      "kind": SettingsSchema.setting(
        "Kind of handoff; one that a row of clocks knows.", slug, examples: ["gp-hospital"],
        refused: ["GP to hospital", []]),
      "priority": SettingsSchema.setting(
        "The row of this priority; absent: that of all which have none of their own.", slug,
        examples: ["routine"], refused: ["Very Urgent", []]),
    ]
    let names = [
      "acknowledge", "deliver", "accept", "start", "complete", "outcome", "feedback",
    ]
    for name in names {
      properties[name] = length("What \(name) becomes.")
    }
    return SettingsSchema.group("", properties, required: ["kind"]).without("description")
  }()

  private static let profileWindows: JSONTree = .object(
    windows.members.filter { member in
      PolicyWindow.all.contains { $0.key == member.name && $0.tighter != .neither }
    })

  static let service: JSONTree = SettingsSchema.group(
    "",
    [
      "service": SettingsSchema.setting(
        "The service or organisation; one that `alwaysOpen` does not name.",
        [
          "type": "string",
          "pattern":
            "^(ods:[0-9A-Za-z]{1,12}|local:[0-9a-fA-F]{32}|openreferral:[0-9a-fA-F-]{32,36})$",
        ], examples: ["ods:RTH"], refused: ["RTH", []]),
      "days": SettingsSchema.setting(
        "On which days it works; default Monday to Friday.",
        [
          "type": "array", "minItems": 1,
          "items": [
            "enum": [
              "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
            ]
          ],
        ], examples: [["monday", "saturday"]], refused: [[], ["Mon"], "monday"]),
      "open": SettingsSchema.setting(
        "From when to when, by the clock on the wall; measures tell by it what came out of hours.",
        [
          "type": "string",
          "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]-(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$",
        ], examples: ["08:00-20:00", "00:00-24:00"], refused: ["8-20", "08:00", []]),
      "bankHolidays": SettingsSchema.setting(
        "Whether it works on bank holidays; default false.", ["type": "boolean"],
        examples: [true, false], refused: ["england", []]),
      "closed": SettingsSchema.setting(
        "Days of its own without work.",
        [
          "type": "array",
          "items": [
            "type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$",
          ],
        ], examples: [["2026-12-24"], []], refused: [["Christmas"], "2026-12-24"]),
    ], required: ["service"]
  ).without("description")
}
