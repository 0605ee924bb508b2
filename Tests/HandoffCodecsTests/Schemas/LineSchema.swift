import TestSupport

/// The JSON Schema of one line of NDJSON: a CloudEvent in JSON, with the record's place beside it.
struct LineSchema {
  static let fileName = "ndjson-line.schema.json"

  /// Messages whose data may stand in a line.
  let records: [ProtoSource.Message]

  var schema: JSONTree {
    [
      "$schema": "https://json-schema.org/draft/2020-12/schema",
      "$id": .string(RecordSchemas.base + Self.fileName),
      "title": "One line of NDJSON is one record",
      "description":
        "A record as a CloudEvent in JSON (structured mode), with key, place and broker's time as extension attributes. Exact lines carry the stored bytes in data_base64, decoded ones the message in data. A line of a foreign record may lack any attribute but specversion.",
      "type": "object",
      "properties": .object(properties),
      "required": ["specversion"],
      "dependentRequired": [
        "data": ["type"], "recordhash": ["data"],
        "brokertopic": ["brokerpartition", "brokeroffset"],
      ],
      "propertyNames": ["pattern": "^([a-z0-9]+|data_base64)$"],
      "additionalProperties": [
        "description": "Any other attribute of the record, from its header ce_ and this name.",
        "type": "string",
      ],
      "not": ["required": ["data", "data_base64"]],
      "allOf": .array(dataOfTypes),
    ]
  }

  private var properties: [JSONTree.Member] {
    func text(_ name: String, _ description: String, _ rules: JSONTree = [:]) -> JSONTree.Member {
      var schema: JSONTree = ["description": .string(description), "type": "string"]
      for rule in rules.members { schema[rule.name] = rule.value }
      return JSONTree.Member(name, schema)
    }
    let base64: JSONTree = ["pattern": .string(WireShapes.base64)]
    let moment: JSONTree = ["pattern": WireShapes.all["Timestamp"]?["pattern"] ?? .null]
    return [
      text("specversion", "Version of CloudEvents.", ["const": "1.0"]),
      text("id", "The event's id; what it is, the schema of its type says."),
      text("source", "Who made the record: `/sources/` and a connector's name, or `/baton`."),
      text("type", "Which message the data is, such as `baton.handoff.v1.HandoffEvent`."),
      text("time", "When it happened (RFC 3339)."),
      text("subject", "The handoff it is about: 32 hexadecimal digits."),
      text("dataschema", "Where a foreign writer keeps its schema; not read."),
      text("datacontenttype", "The form of the stored value, such as `application/protobuf`."),
      text("partitionkey", "The record's key."),
      text("recordkey", "A key that is no text, in base64.", base64),
      text("brokertopic", "The topic it was read from.", ["minLength": 1, "maxLength": 249]),
      JSONTree.Member(
        "brokerpartition",
        [
          "description": "The partition it was read from, from 0.", "type": ["integer", "string"],
          "minimum": 0, "maximum": 2_147_483_647, "pattern": "^[0-9]{1,10}$",
        ]),
      JSONTree.Member(
        "brokeroffset",
        [
          "description": "Its offset, from 0: a string, because it has 64 bits.",
          "type": ["string", "integer"], "minimum": 0, "pattern": "^[0-9]{1,19}$",
        ]),
      text("brokertime", "The broker's timestamp (RFC 3339).", moment),
      text(
        "recordheaders",
        "All headers in base64, only where the other members could not give them back.", base64),
      text(
        "recordhash", "SHA-256 of the stored value, beside decoded data: 64 hexadecimal digits.",
        ["pattern": "^[0-9a-f]{64}$"]),
      text("data_base64", "The stored value, byte for byte.", base64),
      JSONTree.Member(
        "data", ["description": "The message in proto3 JSON, by `type`.", "type": "object"]),
    ]
  }

  /// By its type, data is one of the messages.
  private var dataOfTypes: [JSONTree] {
    records.map { message in
      [
        "if": [
          "properties": ["type": ["const": .string("\(ProtoSource.package).\(message.name)")]],
          "required": ["type"],
        ],
        "then": [
          "properties": [
            "data": ["$ref": .string(RecordSchemas.fileName(of: message.name))]
          ]
        ],
      ]
    }
  }
}
