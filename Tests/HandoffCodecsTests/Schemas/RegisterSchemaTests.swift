import HandoffCore
import TestSupport
import Testing

@testable import HandoffCodecs

/// The schema of a file of the organisation register, and its loader, say the same.
@Suite struct RegisterSchemaTests {
  private let schema = RegisterSchema.schema

  @Test func `is what the code makes of it`() throws {
    let text = try GoldenFile.text("Schemas/json/\(schema.fileName)", madeAs: schema.text)
    #expect(text == schema.text, "\(GoldenFile.advice)")
  }

  @Test func `takes and refuses what the loader takes and refuses`() throws {
    let differences = try schema.differences(base: RegisterSchema.base) { yaml in
      (try? RegisterDocument(Array(yaml.utf8))) != nil
    }
    #expect(differences == [])
  }

  @Test func `has the keys that the loader asks for, and no other`() throws {
    let asked = try SettingsSchema.names(
      #"(take|mandatory)\(\s*"[^"]+""#,
      in: ["Sources/HandoffCodecs/Policy/PolicyLoader+Register.swift"])
    // What every file has, and what is only checked to be text.
    #expect(schema.names == asked.union(["version", "name", "source"]))
  }

  @Test func `takes the example that ships`() throws {
    let tree = try YAMLTree.json(of: GoldenFile.read("deploy/examples/register.yaml"))
    #expect(try schema.faults(in: tree) == [])
  }
}

/// The keys of a register file.
enum RegisterSchema {
  static let schema = SettingsSchema(
    "register.schema.json", title: "Organisation register",
    description:
      "Which organisations there are, from when until when, who followed whom, and what each may do: a file is taken whole or refused whole.",
    SettingsSchema.group(
      "",
      [
        "format": SettingsSchema.setting(
          "Which keys the file may have, and what they mean.", ["const": "baton.register.v1"],
          examples: ["baton.register.v1"], refused: ["baton.register.v2", 1, []]),
        "version": SettingsSchema.setting(
          "Counts up with every change of the file.",
          ["type": "integer", "minimum": 1, "maximum": 4_294_967_295], examples: [1, 12],
          refused: [0, -1, "new", []]),
        "complete": SettingsSchema.setting(
          "Whether an ODS code that is not here is unknown (A17); default false.",
          ["type": "boolean"], examples: [true, false], refused: ["maybe", []]),
        "organisations": [
          "description": "One row a code.", "type": "array", "minItems": 1, "maxItems": 500_000,
          "items": organisation, "x-refused": [[], "none", ["ods:RTH"]],
        ],
        "parts": [
          "description":
            "Who may take part in a kind of handoff; default: what the kinds leave no doubt about.",
          "type": "array", "maxItems": 10_000, "items": part, "x-refused": ["none", ["row"]],
        ],
      ], required: ["format", "version", "organisations"]
    ).without("description"))

  static let base: JSONTree = [
    "format": "baton.register.v1", "version": 1,
    // It closes before any day that the examples open it, so that each may stand alone.
    "organisations": [["code": "ods:RTH", "to": "2030-01-01"]], "parts": [["kind": "pharmacy"]],
  ]

  private static let organisation = SettingsSchema.group(
    "",
    [
      "code": SettingsSchema.setting(
        "The organisation; codes are closed, and never used again.", identifier,
        examples: ["ods:RXQ"], refused: ["RTH", []]),
      "name": SettingsSchema.setting(
        "For people; it is checked and dropped.", text, examples: ["A trust"], refused: [[]]),
      "source": SettingsSchema.setting(
        "Where it comes from; it is checked and dropped.", text, examples: ["ODS"],
        refused: [[]]),
      "from": SettingsSchema.setting(
        "The first local day on which it is open; absent: always.", day,
        examples: ["2026-04-01"], refused: ["April", []]),
      "to": SettingsSchema.setting(
        "The last local day on which it is open; absent: still.", day, examples: ["2026-03-31"],
        refused: ["March", []]),
      "successors": list(
        "Who took over its work, once it is closed.", identifier, examples: [["ods:S0E4D"], []],
        refused: [["RTH"], "ods:RTH"]),
      "roles": list(
        "What it is; absent: it may do anything.", role, examples: [["acute", "care-home"], []],
        refused: [["dentist"], "acute"]),
      "agents": list(
        "Who may speak for it, such as a care-transfer hub.", identifier,
        examples: [["ods:RYE"], []], refused: [["RTH"], "ods:RTH"]),
      "network": SettingsSchema.setting(
        "Its primary care network.", code, examples: ["U12345"], refused: ["two words", []]),
      "place": SettingsSchema.setting(
        "Its place (county partnership).", code, examples: ["oxfordshire"],
        refused: ["two words", []]),
      "catchment": list(
        "The places that it takes handoffs from; empty: every one.", code,
        examples: [["oxfordshire"], []], refused: [["two words"], "oxfordshire"]),
    ], required: ["code"]
  ).without("description")

  private static let part = SettingsSchema.group(
    "",
    [
      "kind": SettingsSchema.setting(
        "Kind of handoff.", ["type": "string", "pattern": "^[a-z0-9-]{1,40}$"],
        examples: ["home-care"], refused: ["Home Care", []]),
      "senders": list(
        "What may send it; empty: anybody.", role, examples: [["acute"], []],
        refused: [["dentist"], "acute"]),
      "receivers": list(
        "What may receive it; empty: anybody.", role, examples: [["gp"], []],
        refused: [["dentist"], "gp"]),
    ], required: ["kind"]
  ).without("description")

  private static let text: JSONTree = ["type": "string", "maxLength": 200]
  private static let code: JSONTree = [
    "type": "string", "pattern": "^[A-Za-z0-9._:/-]{1,64}$",
  ]
  private static let day: JSONTree = [
    "type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$",
  ]
  private static let identifier: JSONTree = [
    "type": "string",
    "pattern": "^(ods:[0-9A-Za-z]{1,12}|local:[0-9a-fA-F]{32}|openreferral:[0-9a-fA-F-]{32,36})$",
  ]
  private static let role: JSONTree = [
    "enum": .array(OrganisationRole.allCases.map(\.rawValue).sorted().map { .string($0) })
  ]

  private static func list(
    _ description: String, _ items: JSONTree, examples: [JSONTree], refused: [JSONTree]
  ) -> JSONTree {
    SettingsSchema.setting(
      description, ["type": "array", "items": items], examples: examples, refused: refused)
  }
}
