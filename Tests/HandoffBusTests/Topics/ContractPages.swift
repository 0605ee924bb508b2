import HandoffBus
import TestSupport

/// The contract as pages for people, made from what defines it: the topic table, the `.proto` files
/// and the schemas of the configuration files.
enum ContractPages {
  private static let made = "<!-- Made by deploy/generate-schemas; change what it is made from. -->"

  // MARK: Topics

  static var topics: String {
    var lines = [
      made, "", "# Topics", "",
      "What each topic is for, how long it keeps what it holds, and who may write it. The same for",
      "programs: [`asyncapi.yaml`](../asyncapi.yaml), which `baton topics asyncapi` prints.", "",
      "| topic | key | kept | written by | read by | stamped by | audited |",
      "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    let own = [
      TopicTable.inbox(organisation: "ORG"), TopicTable.outbox(organisation: "ORG"),
    ]
    for row in TopicTable.shared + own {
      let writers = row.writers.map(\.rawValue).joined(separator: ", ")
      let readers = row.readers.map(\.rawValue).joined(separator: ", ")
      lines.append(
        "| `\(row.name)` | \(row.key) | \(AsyncAPI.retention(row.cleanUp)) | \(writers) | \(readers) | "
          + "\(row.isStampedByBroker ? "the broker" : "the writer") | "
          + "\(row.isAudited ? "yes" : "no") |")
    }
    let all =
      Topic.allCases.map { (TopicTable.definition(of: $0), TopicMessage.messages(on: $0)) }
      + zip(own, [TopicMessage.inbox, TopicMessage.outbox])
    for (row, messages) in all {
      lines += ["", "## `\(row.name)`", "", "Holds \(row.holds)."]
      guard !messages.isEmpty else {
        lines += ["", "Nothing of this version writes it."]
        continue
      }
      lines += ["", "| record | key | what |", "| --- | --- | --- |"]
      for message in messages {
        let name =
          message.data == .contract
          ? "[`\(message.name)`](Records.md#\(message.name.lowercased()))" : "`\(message.name)`"
        lines.append("| \(name) | \(message.key) | \(cell(message.summary)) |")
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  // MARK: Records

  static func records(_ source: ProtoSource) -> String {
    var lines = [
      made, "", "# Records", "",
      "Every message of the contract, field by field, as the `.proto` files say it. The names are",
      "those of JSON; those of Protobuf are the same with underscores. In JSON, ids and hashes are",
      "base64, numbers of 64 bits are strings, and times are RFC 3339.",
    ]
    for file in source.files {
      let messages = source.messages.filter { $0.file == file.name }
      let enumerations = source.enumerations.filter { $0.file == file.name }
      guard !messages.isEmpty || !enumerations.isEmpty else { continue }
      lines += ["", "## \(file.name)", "", file.comment]
      for message in messages {
        lines += ["", "### \(message.name)", "", message.comment]
        guard !message.fields.isEmpty else { continue }
        lines += ["", "| no. | field | type | what |", "| --- | --- | --- | --- |"]
        for field in message.fields {
          lines.append(
            "| \(field.number) | `\(field.jsonName)` | \(type(field)) | \(cell(field.comment)) |")
        }
      }
      for enumeration in enumerations {
        lines += ["", "### \(enumeration.name)", "", enumeration.comment, ""]
        lines += ["| no. | value | what |", "| --- | --- | --- |"]
        for value in enumeration.values {
          lines.append("| \(value.number) | `\(value.name)` | \(cell(value.comment)) |")
        }
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func type(_ field: ProtoSource.Field) -> String {
    let name = field.type.split(separator: ".").last.map(String.init) ?? field.type
    let label = field.isRepeated ? "list of " : field.oneof.map { "one \($0): " } ?? ""
    return label + name
  }

  // MARK: Configuration

  static func configuration() throws -> String {
    var lines = [
      made, "", "# Configuration files", "",
      "Every setting of the four YAML files. An editor that knows YAML schemas checks a file while",
      "it is written: put `# yaml-language-server: $schema=<path of the schema>` into its first line.",
    ]
    for name in ["configuration", "connector", "policy", "register"] {
      let file = "\(name).schema.json"
      let schema = try JSONTree(GoldenFile.read("Schemas/json/\(file)"))
      lines += [
        "", "## \(schema["title"].text ?? name)", "", schema["description"].text ?? "", "",
        "Schema: [`\(file)`](../json/\(file))", "", "| setting | mandatory | example | what |",
        "| --- | --- | --- | --- |",
      ]
      lines += rows(of: schema, "")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func rows(of schema: JSONTree, _ prefix: String) -> [String] {
    let mandatory = Set(schema["required"].elements.compactMap(\.text))
    return schema["properties"].members.flatMap { property -> [String] in
      let name = prefix + property.name
      let example = property.value["examples"].elements.first.map { "`\(cell($0.compact))`" } ?? ""
      let row =
        "| `\(name)` | \(mandatory.contains(property.name) ? "yes" : "") | \(example) | "
        + "\(cell(property.value["description"].text ?? "")) |"
      return [row] + rows(of: property.value, "\(name).")
        + rows(of: property.value["items"], "\(name)[].")
        + rows(of: property.value["additionalProperties"], "\(name).NAME.")
        + property.value["oneOf"].elements.flatMap { rows(of: $0, "\(name).") }
    }
  }

  private static func cell(_ text: String) -> String {
    text.replacing("\n\n", with: " ").replacing("|", with: "\\|")
  }
}
