import HandoffBus
import Logging
import TestSupport
import Testing

/// The schema of the configuration file, and its reader, say the same.
@Suite struct `The schema of the configuration file` {
  private let schema = ConfigurationSchema.schema

  @Test func `is what the code makes of it`() throws {
    let text = try GoldenFile.text("Schemas/json/\(schema.fileName)", madeAs: schema.text)
    #expect(text == schema.text, "\(GoldenFile.advice)")
  }

  @Test func `takes and refuses what the reader takes and refuses`() throws {
    let differences = try schema.differences(base: ["data": "/var/lib/baton"]) { yaml in
      (try? BatonConfiguration.parse(yaml)) != nil
    }
    #expect(differences == [])
  }

  @Test func `has the settings that the reader spells, and no other`() throws {
    let spelt = try SettingsSchema.names(
      #"case ("[a-z][A-Za-z0-9.-]*"\??,?\s*)+:|key\.string == "[a-z]+""#,
      in: [
        "Sources/HandoffBus/Configuration/BatonConfiguration+Reading.swift",
        "Sources/HandoffBus/Configuration/BatonConfiguration+Security.swift",
        "Sources/HandoffBus/Boundary/BoundaryConfiguration.swift",
        "Sources/HandoffBus/Configuration/KeyConfiguration.swift",
      ])
    let ofSecrets: Set = ["file", "env"]
    #expect(
      schema.names == ofSecrets.union(spelt.map { String($0.split(separator: ".").last ?? "") }))
    #expect(spelt.count > 8)
  }
}

/// The settings of the configuration file.
enum ConfigurationSchema {
  static let schema = SettingsSchema(
    "configuration.schema.json", title: "Configuration",
    description:
      "Everything that a deployment decides. The environment wins over the file, arguments over both; secrets come from files or the environment. Relative paths are relative to the file.",
    SettingsSchema.group("", settings).without("description"))

  private static let path: JSONTree = ["type": "string", "minLength": 1]

  private static func path(_ description: String, _ example: JSONTree) -> JSONTree {
    SettingsSchema.setting(description, path, examples: [example], refused: ["", [], [:]])
  }

  private static let roles = BusRole.allCases.filter { !$0.isOfOneOrganisation }
    .map(\.rawValue).joined(separator: "|")
  private static let ownRoles = BusRole.allCases.filter(\.isOfOneOrganisation)
    .map(\.rawValue).joined(separator: "|")
  private static let ods: JSONTree = ["type": "string", "pattern": "^[0-9A-Za-z]{1,12}$"]

  private static func plain(_ description: String, _ rules: JSONTree) -> JSONTree {
    var setting: JSONTree = ["description": .string(description)]
    for rule in rules.members { setting[rule.name] = rule.value }
    return setting
  }

  private static let inside = SettingsSchema.group(
    "Inside, where ingest runs.",
    [
      "keys": plain("Our private keys; older ones stay readable.", path),
      "organisations": [
        "description": "The organisations outside, by ODS code.", "type": "object",
        "minProperties": 1, "propertyNames": ["pattern": "^[0-9A-Za-z]{1,12}$"],
        "additionalProperties": SettingsSchema.group(
          "One organisation.",
          [
            "keys": plain("Its public keys.", path),
            "connectors": plain("Its connectors' files: what we hold them to.", path),
            "agent-for": plain("For whom else it may speak.", ["type": "array", "items": ods]),
            "outbox": plain("Whether it is told; default false.", ["type": "boolean"]),
          ], required: ["keys"]),
      ],
    ], required: ["keys", "organisations"])

  private static let outside = SettingsSchema.group(
    "Outside, at an organisation.",
    [
      "organisation": plain("The organisation that this process stands in.", ods),
      "keys": plain("Its private keys.", path),
      "ingest-keys": plain("The public keys of ingest.", path),
      "notices": plain("Folder for what the bus tells; default: nothing is read.", path),
    ], required: ["organisation", "keys", "ingest-keys"])

  private static let boundary: JSONTree = [
    "description": "The trust boundary as this process sees it: from inside, or from outside.",
    "oneOf": [inside, outside],
    "examples": [
      [
        "keys": "ingest.keys",
        "organisations": [
          "RTH": ["keys": "rth.pub", "connectors": "rth", "agent-for": ["RXQ"], "outbox": true]
        ],
      ],
      ["organisation": "RTH", "keys": "rth.keys", "ingest-keys": "ingest.pub", "notices": "in"],
    ],
    "x-refused": [
      [:], ["keys": "ingest.keys"], ["keys": "a", "organisations": [:]],
      ["organisations": ["RTH": ["keys": "rth.pub"]]],
      ["keys": "a", "organisations": ["RTH": ["outbox": true]]],
      ["keys": "a", "organisations": ["a trust": ["keys": "b"]]],
      ["keys": "a", "organisations": ["RTH": ["keys": "b", "agent-for": "RXQ"]]],
      ["keys": "a", "organisations": ["RTH": ["keys": "b", "outbox": "maybe"]]],
      ["keys": "a", "organisations": ["RTH": ["keys": "b"]], "ingest-keys": "c"],
      ["organisation": "RTH", "keys": "a"], ["organisation": "RTH", "ingest-keys": "a"],
      ["organisation": "RTH", "keys": "a", "ingest-keys": "b", "sinks": "c"], [],
    ],
  ]

  private static func oneOf(_ description: String, _ choices: JSONTree) -> JSONTree {
    ["description": .string(description), "oneOf": choices]
  }

  private static func only(_ name: String, _ description: String, _ rules: JSONTree) -> JSONTree {
    SettingsSchema.group(
      description, .object([JSONTree.Member(name, plain(description, rules))]),
      required: [.string(name)])
  }

  private static let secret: JSONTree = [
    only("file", "A file that holds it.", path), only("env", "A variable that holds it.", path),
  ]

  private static let token: JSONTree = [
    only("file", "A file that holds it.", path), only("env", "A variable that holds it.", path),
    only(
      "command", "A program that prints it, from / on, and its arguments.",
      ["type": "array", "minItems": 1, "items": ["type": "string"]]),
  ]

  private static let identity: JSONTree = [
    "certificate": plain("Our certificate (PEM), for mutual TLS.", path),
    "key": plain("Its private key (PEM).", path),
    "key-password": oneOf("What opens the key: never the secret itself.", secret),
    "sasl": SettingsSchema.group(
      "The login.",
      [
        "mechanism": plain(
          "How we log in.",
          ["enum": .array(KafkaSecuritySettings.Mechanism.allCases.map { .string($0.rawValue) })]),
        "username": plain("Who logs in.", path),
        "password": oneOf("The password: never itself.", secret),
        "token": oneOf("Where an OAUTHBEARER token comes from.", token),
        "token-endpoint": plain("The OIDC endpoint that gives tokens: https.", path),
        "client-id": plain("Who asks it.", path),
        "client-secret": oneOf("With what: never itself.", secret),
        "scope": plain("For what.", path),
      ], required: ["mechanism"]),
  ]

  private static let security: JSONTree = {
    var settings: JSONTree = [
      "protocol": plain(
        "How brokers are reached.",
        [
          "enum": .array(
            KafkaSecuritySettings.TransportProtocol.allCases.map { .string($0.rawValue) })
        ]),
      "ca": plain("Who signs brokers' certificates (PEM).", path),
      "components": [
        "description": "Identities of single parts of the bus.", "type": "object",
        "propertyNames": [
          "enum": .array(KafkaSecuritySettings.componentNames.map { .string($0) })
        ],
        "additionalProperties": SettingsSchema.group("The identity of one part.", identity),
      ],
    ]
    for member in identity.members { settings[member.name] = member.value }
    var group = SettingsSchema.group(
      "TLS and login of Kafka; certificate and key go together.", settings, required: ["protocol"])
    group["examples"] = [["protocol": "PLAINTEXT"]]
    group["x-refused"] = [
      [:], ["protocol": "TLS"], ["protocol": "PLAINTEXT", "ca": []],
      ["protocol": "PLAINTEXT", "components": ["nobody": [:]]],
      ["protocol": "SASL_SSL", "sasl": ["mechanism": "NTLM"]],
      ["protocol": "SASL_SSL", "sasl": ["mechanism": "PLAIN", "password": "secret"]],
    ]
    return group
  }()

  private static let keys: JSONTree = {
    let id: JSONTree = ["type": "string", "pattern": "^[a-z0-9-]{1,32}$"]
    var group = SettingsSchema.group(
      "The keys that wrap data keys; default: the one of the secrets file, called secrets.",
      [
        "current": plain("The id of the one that wraps new keys.", id),
        "keks": [
          "description":
            "Where each is read, by its id; older ones stay until rotate-kek is through.",
          "type": "object", "propertyNames": ["pattern": "^[a-z0-9-]{1,32}$"],
          "additionalProperties": [
            "oneOf": [
              only("file", "A file that holds it, mode 600.", path),
              only(
                "command", "A program that prints it, from / on, and its arguments.",
                ["type": "array", "minItems": 1, "items": ["type": "string"]]),
            ]
          ],
        ],
      ], required: ["current"])
    group["examples"] = [
      ["current": "secrets"],
      [
        "current": "kek-2",
        "keks": ["kek-1": ["file": "kek-1"], "kek-2": ["command": ["/bin/kms", "baton"]]],
      ],
    ]
    group["x-refused"] = [
      [:], ["current": "KEK 1"], ["current": "a", "keks": ["a": ["key": "00"]]],
      ["current": "a", "keks": []], ["current": "a", "keks": ["a": ["file": ""]]],
      ["current": "a", "keks": ["a": ["command": []]]],
    ]
    return group
  }()

  private static let settings: JSONTree = [
    "data": path("Folder of outboxes, keys and the audit log.", "/var/lib/baton"),
    "policy": path("The policy file; default: the one that ships with Baton.", "policy.yaml"),
    "connectors": path("One connector's file, or a folder of them.", "connectors"),
    "secrets": path(
      "The file of secrets; default: made in the data folder at first start.", "secrets.json"),
    "record-secrets": path(
      "The secrets by which our records are known; default: in the data folder.", "records.keys"),
    "keys": keys,
    "boundary": boundary,
    "access": SettingsSchema.group(
      "Who may do what on Kafka, for `baton topics` and `baton doctor`.",
      [
        "principals": [
          "description": "Kafka's principal of each role, or of a role and an ODS code.",
          "type": "object",
          "propertyNames": ["pattern": .string("^(\(roles)|(\(ownRoles))-[0-9A-Za-z]{1,12})$")],
          "additionalProperties": ["type": "string", "pattern": "^User:.+"],
          "examples": [["ingest": "User:CN=ingest", "connector-RTH": "User:rth"]],
          "x-refused": [
            ["ingest": "CN=ingest"], ["connector": "User:x"], ["ingest-RTH": "User:x"],
            ["nobody": "User:x"], [],
          ],
        ]
      ]),
    "log": SettingsSchema.setting(
      "How much is logged.",
      ["enum": .array(Logger.Level.allCases.map { .string($0.rawValue) })],
      examples: ["notice", "debug"], refused: ["loud", []]),
    "kafka": SettingsSchema.group(
      "The brokers, and how to talk to them.",
      [
        "bootstrap": SettingsSchema.setting(
          "Brokers to begin with: host:port, several with commas.",
          ["type": "string", "pattern": "^[^:,]+:[0-9]{1,5}(,[^:,]+:[0-9]{1,5})*$"],
          examples: ["broker-1:9092,broker-2:9092"], refused: ["broker", "broker:port", []]),
        "security": security,
        "properties": [
          "description": "Any setting of librdkafka, handed on as it is.", "type": "object",
          "additionalProperties": ["type": ["string", "number", "boolean"]],
          "examples": [["security.protocol": "SASL_SSL", "linger.ms": 5]],
          "x-refused": [["security.protocol": []], []],
        ],
      ]),
    "topics": SettingsSchema.group(
      "How topics are created.",
      [
        "partitions": SettingsSchema.setting(
          "Partitions of a topic keyed by patient; fixed when the topic is created.",
          ["type": "integer", "minimum": 1, "maximum": 1000], examples: [24],
          refused: [0, 1001, "many", []]),
        "replication": SettingsSchema.setting(
          "Copies of each partition.", ["type": "integer", "minimum": 1, "maximum": 9],
          examples: [3], refused: [0, 10, "all", []]),
      ]),
    "correlation": SettingsSchema.group(
      "How many ids ingest remembers, and how long after they were last seen.",
      [
        "entries-max": SettingsSchema.setting(
          "Ids at most; at the limit ingest stops and senders are told to wait.",
          ["type": "integer", "minimum": 1000, "maximum": 100_000_000], examples: [20_000_000],
          refused: [999, 100_000_001, "many", []]),
        "days": SettingsSchema.setting(
          "Of messages and handoffs; must be more than the longest clock of the policy.",
          ["type": "integer", "minimum": 190, "maximum": 3650], examples: [400],
          refused: [189, 3651, "long", []]),
        "person-days": SettingsSchema.setting(
          "Of the record numbers of people.",
          ["type": "integer", "minimum": 190, "maximum": 36_500], examples: [3650],
          refused: [189, 36_501, "long", []]),
      ]),
    "snapshots": SettingsSchema.group(
      "Copies of the reconciler's memory on its own disk, which quicken a restart.",
      [
        "seconds": SettingsSchema.setting(
          "From one to the next; 0: none.",
          ["type": "integer", "minimum": 0, "maximum": 86_400], examples: [300, 0],
          refused: [-1, 86_401, "often", []])
      ]),
    "health": SettingsSchema.group(
      "Metrics (/metrics), liveness (/livez) and readiness (/readyz) over HTTP.",
      [
        "listen": SettingsSchema.setting(
          "Address and port, of this machine only; default: nobody is told.",
          [
            "type": "string",
            "pattern": "^(127\\.0\\.0\\.1|localhost|\\[::1\\]):[0-9]{1,5}$",
          ],
          examples: ["127.0.0.1:9464", "[::1]:9464"],
          refused: ["0.0.0.0:9464", "127.0.0.1", "127.0.0.1:port", []])
      ]),
  ]
}
