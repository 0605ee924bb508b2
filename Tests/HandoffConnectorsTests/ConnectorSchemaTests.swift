import Foundation
import HandoffCodecs
import HandoffConnectors
import HandoffCore
import TestSupport
import Testing

/// The schema of a connector's file, and its reader, say the same.
@Suite struct `The schema of a connector file` {
  private let schema = ConnectorSchema.schema

  @Test func `is what the code makes of it`() throws {
    let text = try GoldenFile.text("Schemas/json/\(schema.fileName)", madeAs: schema.text)
    #expect(text == schema.text, "\(GoldenFile.advice)")
  }

  @Test func `takes and refuses what the reader takes and refuses`() throws {
    let differences = try schema.differences(base: ConnectorSchema.base) { yaml in
      (try? ConnectorConfiguration.parse(yaml)) != nil
    }
    #expect(differences == [])
  }

  @Test func `asks of each class what the reader asks`() throws {
    for document in ConnectorSchema.wholes {
      #expect(try schema.faults(in: document) == [])
      #expect((try? ConnectorConfiguration.parse(document.compact)) != nil)
      for member in document.members {
        let less = document.without(member.name)
        let isRead = (try? ConnectorConfiguration.parse(less.compact)) != nil
        #expect(try schema.faults(in: less).isEmpty == isRead, "without \(member.name)")
      }
    }
  }

  @Test func `takes the example of the README, whose kinds the policy knows`() throws {
    let readme = try String(
      contentsOf: PackageRoot.url.appending(path: "README.md"), encoding: .utf8)
    let blocks = readme.components(separatedBy: "```yaml\n").dropFirst()
      .compactMap { $0.components(separatedBy: "```").first }
    let examples = blocks.filter { $0.contains("class:") }
    #expect(examples.count == 1)
    for example in examples {
      let connector = try ConnectorConfiguration.parse(example)
      #expect(connector.name.description == "rth-pas")
      guard case .mllp(let settings) = connector.source else {
        Issue.record("the example is no mllp-source")
        continue
      }
      #expect(settings.tls != nil)
      let kinds = Set(Policy.default.kinds)
      let below = example.components(separatedBy: "kinds:").last ?? ""
      let own = below.split(separator: "\n").dropFirst().prefix { $0.hasPrefix(" ") }
      #expect(!own.isEmpty)
      for line in own {
        let code = line.split(separator: ":")[0].trimmingCharacters(in: .whitespaces)
        #expect(connector.mapping.kinds[code].map { kinds.contains($0) } == true)
      }
    }
  }

  @Test func `has the settings that the reader spells, and no other`() throws {
    let spelt = try SettingsSchema.names(
      #"case ("[A-Za-z][A-Za-z0-9.-]*",?\s*)+:"#,
      in: [
        "Sources/HandoffConnectors/Configuration/ConnectorConfiguration+Reading.swift",
        "Sources/HandoffConnectors/Configuration/ConnectorReader+TLS.swift",
      ])
    #expect(schema.names == spelt.filter { !$0.hasSuffix("-source") })
    #expect(spelt.count > 15)
  }
}

/// The settings of a connector's file.
enum ConnectorSchema {
  static let schema = SettingsSchema(
    "connector.schema.json", title: "Connector",
    description:
      "One connector: where its messages come from, whom it speaks for, and how local names are read. A file is taken whole or refused with every fault.",
    {
      var body = SettingsSchema.group("", settings, required: ["name", "class"])
      body = body.without("description")
      body["allOf"] = [
        [
          "if": [
            "properties": ["class": ["enum": ["mllp-source", "fhir-source"]]],
            "required": ["class"],
          ],
          "then": ["required": ["listen"]],
        ],
        [
          "if": ["properties": ["class": ["const": "drop-folder-source"]], "required": ["class"]],
          "then": ["required": ["directory"], "not": ["required": ["tls"]]],
        ],
        [
          "anyOf": [
            ["required": ["organisation"]], ["required": ["speaks-for"]],
            [
              "required": ["organisations"],
              "properties": ["organisations": ["minProperties": 1]],
            ],
          ]
        ],
      ]
      return body
    }())

  static let base: JSONTree = [
    "name": "rth-pas", "class": "mllp-source", "listen": "127.0.0.1:2575", "organisation": "RTH",
    "tls": ["certificate": "server.pem", "key": "server.key", "client-ca": "ca.pem"],
  ]

  static let wholes: [JSONTree] = [
    [
      "name": "rth-pas", "class": "mllp-source", "listen": "127.0.0.1:2575", "organisation": "RTH",
    ],
    ["name": "bars", "class": "fhir-source", "listen": 8443, "speaks-for": ["RTH"]],
    ["name": "council", "class": "drop-folder-source", "directory": "in", "speaks-for": "any"],
    [
      "name": "hub", "class": "mllp-source", "listen": 2575,
      "organisations": ["GOOD HEALTH HOSPITAL": "RTH"],
    ],
  ]

  private static let ods: JSONTree = ["type": "string", "pattern": "^[0-9A-Za-z]{1,12}$"]
  private static let slug: JSONTree = ["type": "string", "pattern": "^[a-z0-9-]{1,40}$"]

  private static func number(
    _ description: String, _ from: Int, _ to: Int, example: JSONTree
  ) -> JSONTree {
    SettingsSchema.setting(
      description,
      ["type": "integer", "minimum": .number("\(from)"), "maximum": .number("\(to)")],
      examples: [example], refused: [.number("\(from - 1)"), .number("\(to + 1)"), "many", []])
  }

  private static func seconds(_ description: String, _ from: String, _ to: Int) -> JSONTree {
    SettingsSchema.setting(
      description,
      ["type": "number", "minimum": .number(from), "maximum": .number("\(to)")],
      examples: [1, 30], refused: [0, .number("\(to + 1)"), "soon", []])
  }

  private static let file: JSONTree = ["type": "string", "minLength": 1]

  private static let tls: JSONTree = {
    var tls = SettingsSchema.group(
      "TLS of a listener; relative files are relative to this file.",
      [
        "certificate": SettingsSchema.setting(
          "Its certificate and chain (PEM).", file, examples: ["server.pem"], refused: ["", []]),
        "key": SettingsSchema.setting(
          "Its private key (PEM).", file, examples: ["server.key"], refused: ["", []]),
        "key-password": [
          "description": "What opens the key: never the secret itself.", "oneOf": secret,
          "examples": [["file": "key.pass"], ["env": "KEY_PASSWORD"]],
          "x-refused": ["secret", ["file": ""], ["file": "a", "env": "B"], [:]],
        ],
        "client-ca": SettingsSchema.setting(
          "Who signs clients' certificates; without it no client shows one.", file,
          examples: ["ca.pem"], refused: ["", []]),
        "clients": [
          "description": "Names in clients' certificates to the ODS codes they speak for.",
          "type": "object", "additionalProperties": ods,
          "examples": [["pas.rth.example": "RTH"]],
          "x-refused": [["pas.rth.example": "a hospital"], []],
        ],
        "handshake-seconds": seconds("For a handshake.", "0.1", 300),
      ], required: ["certificate", "key"])
    tls["dependentRequired"] = ["clients": ["client-ca"]]
    return tls
  }()

  private static let secret: JSONTree = [
    SettingsSchema.group(
      "In a file.", ["file": ["description": "Its path.", "type": "string", "minLength": 1]],
      required: ["file"]),
    SettingsSchema.group(
      "In the environment.",
      ["env": ["description": "The variable.", "type": "string", "minLength": 1]],
      required: ["env"]),
  ]

  private static let settings: JSONTree = [
    "name": SettingsSchema.setting(
      "The source id of everything that it takes in.",
      ["type": "string", "pattern": "^(?!.*[0-9](-*[0-9]){9})[A-Za-z0-9._:/-]{1,64}$"],
      examples: ["rth-pas"], refused: ["two words", "9434765919", []]),
    "class": SettingsSchema.setting(
      "What kind of connector it is.",
      ["enum": ["mllp-source", "fhir-source", "drop-folder-source"]],
      examples: ["mllp-source", "fhir-source"], refused: ["kafka-source", []]),
    "mode": SettingsSchema.setting(
      "Whether messages pass through Baton on their way (inline), or past it (observe).",
      ["enum": ["inline", "observe"]], examples: ["inline", "observe"], refused: ["both", []]),
    "organisation": SettingsSchema.setting(
      "ODS code of where it stands.", ods, examples: ["RTH"], refused: ["a hospital", []]),
    "organisations": [
      "description": "Names in messages to ODS codes.", "type": "object",
      "additionalProperties": ods, "examples": [["GOOD HEALTH HOSPITAL": "RTH"]],
      "x-refused": [["GOOD HEALTH HOSPITAL": "a hospital"], []],
    ],
    "names-are-ods-codes": SettingsSchema.setting(
      "Whether messages name organisations by ODS codes (MSH-4, MSH-6).", ["type": "boolean"],
      examples: [true, false], refused: ["maybe", []]),
    "speaks-for": SettingsSchema.setting(
      "Whom messages may come from: ODS codes, or any. Default: the codes named above.",
      ["anyOf": [["const": "any"], ["type": "array", "items": ods]]],
      examples: ["any", ["RTH", "X10"]], refused: ["RTH", ["a hospital"]]),
    "time-zone": SettingsSchema.setting(
      "Of times without a zone: Europe/London, or an offset.",
      ["type": "string", "pattern": "^(Europe/London|[+-](0?[0-9]|1[0-4]):[0-5]?[0-9])$"],
      examples: ["Europe/London", "+01:00"], refused: ["Europe/Paris", "+25:00", []]),
    "check-digit": SettingsSchema.setting(
      "What becomes of a message whose NHS number has a wrong check digit.",
      ["enum": ["refuse", "treat-as-untraced"]], examples: ["refuse", "treat-as-untraced"],
      refused: ["ignore", []]),
    "processing": SettingsSchema.setting(
      "What messages are for that are taken: production, training (and debugging), or any. HL7 v2 says it in MSH-11, FHIR by the label HTEST; what says nothing is production. Others are refused.",
      ["enum": ["production", "training", "any"]], examples: ["production", "training", "any"],
      refused: ["P", "test", []]),
    "discharge-pathways": [
      "description":
        "Local codes to discharge pathways P0 to P3 (A20): of PV1-36 or the Encounter's discharge disposition, or of a field that the code's name begins with, such as ZPW-2:REHAB.",
      "type": "object",
      "additionalProperties": [
        "type": ["string", "integer"], "pattern": "^P?[0-3]$", "minimum": 0, "maximum": 3,
      ], "examples": [["HOME-POC": "P1", "ZPW-2:REHAB": 2]],
      "x-refused": [["HOME-POC": "P4"], ["HOME-POC": 4], []],
    ],
    "listen": SettingsSchema.setting(
      "Where an MLLP or FHIR source listens: a port, or host:port.",
      [
        "type": ["string", "integer"], "minimum": 0, "maximum": 65_535,
        "pattern": "^(.+:)?[0-9]{1,5}$",
      ], examples: [2575, "127.0.0.1:2575", "[::1]:2575"],
      refused: ["here", ":2575", 65_536, []]),
    "tls": tls,
    "directory": SettingsSchema.setting(
      "The folder that a drop folder source watches; relative to this file.",
      ["type": "string", "minLength": 1], examples: ["incoming", "/srv/in"], refused: ["", []]),
    "scan-seconds": seconds("How often the folder is looked at.", "0.05", 3_600),
    "heartbeat-seconds": seconds("How often the connector says that it is alive.", "1", 86_400),
    "kinds": [
      "description": "Local kinds of handoff to kinds of the policy.", "type": "object",
      "additionalProperties": slug, "examples": [["SOC": "hospital-council"]],
      "x-refused": [["SOC": "Social Care"], []],
    ],
    "namespaces": [
      "description": "Namespaces of ids as messages write them to what they are called everywhere.",
      "type": "object",
      "additionalProperties": ["type": "string", "minLength": 1, "maxLength": 200],
      "examples": [["https://rth.example/mrn": "RTH-MRN"]],
      "x-refused": [["RTH-PAS": ""], []],
    ],
    "priorities": [
      "description": "Local priorities to priorities of the policy.", "type": "object",
      "additionalProperties": slug, "examples": [["A": "urgent"]],
      "x-refused": [["A": "Very Urgent"], []],
    ],
    "limits": SettingsSchema.group(
      "What it takes at most; beyond it the sender is told.",
      [
        "message-bytes": number("Of one message.", 1_000, 50_000_000, example: 5_000_000),
        "file-bytes": number("Of one file.", 1_000, 500_000_000, example: 50_000_000),
        "connections": number("At a time.", 1, 10_000, example: 64),
        "frames-in-flight": number("Of one connection, unanswered.", 1, 10_000, example: 64),
        "idle-seconds": seconds("After which a silent connection is closed.", "1", 86_400),
        "header-bytes": number("Of the headers of a request.", 1_024, 1_000_000, example: 16_384),
        "requests-in-flight": number("Of all connections.", 1, 10_000, example: 64),
        "request-seconds": seconds("For a request to be read whole.", "0.1", 3_600),
        "answer-seconds": seconds("For an answer to be given.", "0.1", 3_600),
      ]),
  ]
}
