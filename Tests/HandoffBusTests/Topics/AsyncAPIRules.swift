import TestSupport

/// What AsyncAPI 3.0.0 and its Kafka bindings 0.5.0 ask of a document, as far as ours has such parts.
///
/// The official meta-schema is published for npm and Go only, which neither CI nor a developer's
/// machine need have (Decision 0044), so the rules of the specification stand here by hand: which
/// members an object may have, which it must, and of what kind they are.
enum AsyncAPIRules {
  static let schema: JSONTree = [
    "$ref": "#/$defs/root",
    "$defs": [
      "root": object(
        [
          "asyncapi": ["const": "3.0.0"], "id": uri, "info": ref("info"),
          "servers": named("server"),
          "defaultContentType": text, "channels": named("channel"),
          "operations": named("operation"), "components": ref("components"),
        ], required: ["asyncapi", "info"]),
      "info": object(
        [
          "title": text, "version": text, "description": text, "termsOfService": uri,
          "contact": ["type": "object"], "license": ["type": "object"], "tags": list,
          "externalDocs": ["type": "object"],
        ], required: ["title", "version"]),
      "server": object(
        ["host": text, "protocol": text, "protocolVersion": text, "description": text],
        required: ["host", "protocol"]),
      "reference": [
        "type": "object", "required": ["$ref"], "properties": ["$ref": text],
        "propertyNames": ["const": "$ref"],
      ],
      "channel": object([
        "address": ["type": ["string", "null"]], "messages": named("reference"), "title": text,
        "summary": text, "description": text, "servers": list,
        "parameters": named("parameter"), "tags": list, "externalDocs": ["type": "object"],
        "bindings": object(["kafka": ref("channelBinding")]),
      ]),
      "parameter": object([
        "enum": list, "default": text, "description": text, "examples": list, "location": text,
      ]),
      "channelBinding": object([
        "topic": text, "partitions": positive, "replicas": positive,
        "topicConfiguration": [
          "type": "object",
          "properties": [
            "cleanup.policy": [
              "type": "array", "items": ["enum": ["compact", "delete"]], "minItems": 1,
            ], "retention.ms": ["type": "integer", "minimum": -1],
            "retention.bytes": ["type": "integer", "minimum": -1],
            "delete.retention.ms": ["type": "integer", "minimum": 0],
            "max.message.bytes": ["type": "integer", "minimum": 0],
          ], "additionalProperties": false,
        ], "bindingVersion": ["const": "0.5.0"],
      ]),
      "operation": object(
        [
          "action": ["enum": ["send", "receive"]], "channel": ref("channelReference"),
          "title": text, "summary": text, "description": text, "security": list, "tags": list,
          "externalDocs": ["type": "object"],
          "bindings": object(["kafka": ref("operationBinding")]), "traits": list,
          "messages": ["type": "array", "items": ref("reference")], "reply": ["type": "object"],
        ], required: ["action", "channel"]),
      "channelReference": [
        "type": "object", "required": ["$ref"],
        "properties": ["$ref": ["type": "string", "pattern": "^#/channels/[^/]+$"]],
      ],
      "operationBinding": object([
        "groupId": ["type": "object"], "clientId": ["type": "object"],
        "bindingVersion": ["const": "0.5.0"],
      ]),
      "message": object([
        "headers": ["type": "object"], "payload": ref("payload"),
        "correlationId": ["type": "object"], "contentType": text, "name": text, "title": text,
        "summary": text, "description": text, "tags": list, "externalDocs": ["type": "object"],
        "bindings": object(["kafka": ref("messageBinding")]), "examples": list, "traits": list,
      ]),
      // A schema of another format says which; every other is a schema or a reference to one.
      "payload": [
        "type": "object", "if": ["required": ["schemaFormat"]],
        "then": object(
          ["schemaFormat": text, "schema": [:]], required: ["schemaFormat", "schema"]),
      ],
      "messageBinding": object([
        "key": ["type": "object"],
        "schemaIdLocation": ["enum": ["header", "payload"]], "schemaIdPayloadEncoding": text,
        "schemaLookupStrategy": text, "bindingVersion": ["const": "0.5.0"],
      ]),
      "components": object([
        "schemas": named("schema"), "servers": named("server"), "channels": named("channel"),
        "operations": named("operation"), "messages": named("message"),
        "securitySchemes": ["type": "object"], "parameters": named("parameter"),
      ]),
      "schema": ["type": ["object", "boolean"]],
    ],
  ]

  private static let text: JSONTree = ["type": "string", "minLength": 1]
  private static let uri: JSONTree = ["type": "string", "pattern": "^[a-z][a-z0-9+.-]*:"]
  private static let list: JSONTree = ["type": "array"]
  private static let positive: JSONTree = ["type": "integer", "minimum": 1]

  private static func ref(_ name: String) -> JSONTree { ["$ref": .string("#/$defs/\(name)")] }

  /// A map whose names are those that the specification allows.
  private static func named(_ value: String) -> JSONTree {
    [
      "type": "object", "propertyNames": ["pattern": "^[A-Za-z0-9._-]+$"],
      "additionalProperties": ref(value),
    ]
  }

  /// An object with these members, and extensions beside them.
  private static func object(_ members: JSONTree, required: [JSONTree] = []) -> JSONTree {
    let names = members.members.map { JSONTree.string($0.name) }
    var object: JSONTree = [
      "type": "object", "properties": members,
      "propertyNames": ["anyOf": [["enum": .array(names)], ["pattern": "^x-[A-Za-z0-9._-]+$"]]],
    ]
    if !required.isEmpty { object["required"] = .array(required) }
    return object
  }
}
