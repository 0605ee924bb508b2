import Foundation
import HandoffCodecs
import HandoffCore
import Yams

extension ConnectorConfiguration {
  /// Reads one connector file; relative folders are relative to it.
  package static func load(file: String) throws(ConnectorFaults) -> ConnectorConfiguration {
    guard let data = FileManager.default.contents(atPath: file), data.count <= 1_000_000 else {
      throw ConnectorFaults(
        file: file,
        faults: [
          .init(
            setting: "(file)", line: nil,
            explanation: "cannot be read; check the name and the permission")
        ], isMissing: !FileManager.default.fileExists(atPath: file))
    }
    do {
      return try parse(
        String(decoding: data, as: UTF8.self),
        relativeTo: URL(fileURLWithPath: file).deletingLastPathComponent().path)
    } catch {
      throw ConnectorFaults(file: file, faults: error.faults)
    }
  }

  /// The same from YAML text.
  package static func parse(
    _ text: String, relativeTo folder: String = "."
  ) throws(ConnectorFaults) -> ConnectorConfiguration {
    var reader = ConnectorReader(folder: folder)
    let configuration = reader.read(text)
    guard reader.faults.isEmpty, let configuration else {
      throw ConnectorFaults(file: nil, faults: reader.faults)
    }
    return configuration
  }
}

/// Collects settings and faults side by side.
struct ConnectorReader {
  let folder: String
  var faults: [ConnectorFaults.Fault] = []

  private var name: Code?
  private var kind: String?
  private var mode = ConnectorConfiguration.Mode.inline
  private var mapping = MappingContext()
  private var speaksFor: ConnectorConfiguration.SpeaksFor?
  private var heartbeat: Duration = .seconds(60)
  private var mllp = MLLPSettings()
  private var fhir = FHIRSettings()
  private var tls: TLSSettings?
  private var dropFolder = DropFolderSettings()
  private var isListenSet = false

  init(folder: String) {
    self.folder = folder
  }

  static let settings = [
    "name", "class", "mode", "organisation", "organisations", "names-are-ods-codes", "speaks-for",
    "time-zone",
    "check-digit", "listen", "tls", "directory", "scan-seconds", "heartbeat-seconds", "kinds",
    "namespaces",
    "priorities", "processing", "discharge-pathways", "limits",
  ]

  static let classes = ["mllp-source", "fhir-source", "drop-folder-source"]

  mutating func read(_ text: String) -> ConnectorConfiguration? {
    let root: Node?
    do {
      root = try Yams.compose(yaml: text)
    } catch {
      fault("(file)", nil, "is not YAML")
      return nil
    }
    guard let mapping = root?.mapping else {
      fault("(file)", nil, "must be a list of settings, such as name: and class:")
      return nil
    }
    for (key, value) in mapping { setting(key.string ?? "", value) }
    return finish()
  }

  private mutating func setting(_ name: String, _ node: Node) {
    switch name {
    case "name":
      self.name = checked(name, node, "must be 1 to 64 letters, digits or . _ : / -") { Code($0) }
    case "class":
      kind = checked(name, node, "must be \(Self.classList)") {
        Self.classes.contains($0) ? $0 : nil
      }
    case "mode":
      mode = checked(name, node, "must be inline or observe") { .init(rawValue: $0) } ?? .inline
    case "organisation":
      mapping.ownOrganisation = checked(name, node, "must be an ODS code") { ODSCode($0) }
    case "organisations":
      each(name, node) { reader, key, value in
        let setting = "organisations.\(key)"
        reader.mapping.organisations[key] =
          reader.checked(setting, value, "must be an ODS code") { ODSCode($0) }
      }
    case "names-are-ods-codes":
      mapping.namesAreODSCodes = checked(name, node, "must be true or false") { Bool($0) } ?? false
    case "speaks-for": speaksFor(name, node)
    case "time-zone":
      mapping.localTime =
        checked(name, node, "must be Europe/London, or an offset such as +01:00") {
          Self.localTime($0)
        } ?? .europeLondon
    case "check-digit":
      mapping.checkDigit =
        checked(name, node, "must be refuse or treat-as-untraced") { .init(rawValue: $0) }
        ?? .refuse
    case "processing":
      mapping.processing =
        checked(name, node, "must be production, training or any") { .init(rawValue: $0) }
        ?? .production
    case "listen": listen(name, node)
    case "tls": tls = readTLS(name, node)
    case "directory":
      dropFolder.path =
        checked(name, node, "must be a folder") { [folder] in
          $0.isEmpty ? nil : $0.hasPrefix("/") ? $0 : folder + "/" + $0
        } ?? ""
    case "scan-seconds":
      dropFolder.scanInterval = seconds(name, node, 0.05...3_600) ?? dropFolder.scanInterval
    case "heartbeat-seconds": heartbeat = seconds(name, node, 1...86_400) ?? heartbeat
    case "kinds", "priorities", "limits", "namespaces", "discharge-pathways": group(name, node)
    default:
      fault(
        name, node.line, "is not a setting; known are " + Self.settings.joined(separator: ", "))
    }
  }

  private mutating func group(_ name: String, _ node: Node) {
    each(name, node) { reader, key, value in
      let setting = "\(name).\(key)"
      let slug = "must be 1 to 40 lower-case letters, digits and hyphens"
      switch name {
      case "namespaces":
        reader.mapping.namespaces[key] =
          reader.checked(setting, value, "must be 1 to 200 characters") {
            (1...200).contains($0.utf8.count) ? $0 : nil
          }
      case "discharge-pathways":
        reader.mapping.dischargePathways[key] =
          reader.checked(setting, value, "must be a discharge pathway: P0, P1, P2 or P3") {
            Self.pathway($0)
          }
      case "kinds":
        reader.mapping.kinds[key] = reader.checked(setting, value, slug) { HandoffKind($0) }
      case "priorities":
        reader.mapping.priorities[key] = reader.checked(setting, value, slug) { Priority($0) }
      default: reader.limit(key, value)
      }
    }
  }

  private mutating func limit(_ key: String, _ node: Node) {
    let setting = "limits.\(key)"
    switch key {
    case "message-bytes":
      guard let value = number(setting, node, 1_000...50_000_000) else { return }
      mllp.messageByteCountMax = value
      fhir.messageByteCountMax = value
      mapping.limits.messageBytesMax = value
    case "file-bytes":
      guard let value = number(setting, node, 1_000...500_000_000) else { return }
      dropFolder.fileByteCountMax = value
      mapping.limits.fileBytesMax = value
    case "connections":
      guard let value = number(setting, node, 1...10_000) else { return }
      mllp.connectionCountMax = value
      fhir.connectionCountMax = value
    case "frames-in-flight":
      mllp.framesInFlightMax = number(setting, node, 1...10_000) ?? mllp.framesInFlightMax
    case "idle-seconds":
      guard let value = seconds(setting, node, 1...86_400) else { return }
      mllp.idleTimeout = value
      fhir.idleTimeout = value
    case "header-bytes":
      fhir.headerByteCountMax = number(setting, node, 1_024...1_000_000) ?? fhir.headerByteCountMax
    case "requests-in-flight":
      fhir.requestsInFlightMax = number(setting, node, 1...10_000) ?? fhir.requestsInFlightMax
    case "request-seconds":
      fhir.requestTimeout = seconds(setting, node, 0.1...3_600) ?? fhir.requestTimeout
    case "answer-seconds":
      fhir.answerTimeout = seconds(setting, node, 0.1...3_600) ?? fhir.answerTimeout
    default:
      fault(
        setting, node.line,
        "is not a limit; known are message-bytes, file-bytes, connections, frames-in-flight, "
          + "idle-seconds, header-bytes, requests-in-flight, request-seconds, answer-seconds")
    }
  }

  private mutating func speaksFor(_ name: String, _ node: Node) {
    if node.string == "any" {
      speaksFor = .any
      return
    }
    guard let sequence = node.sequence else {
      fault(name, node.line, "must be any, or a list of ODS codes")
      return
    }
    var codes: Set<ODSCode> = []
    for item in sequence {
      if let code = checked(name, item, "must hold ODS codes", { ODSCode($0) }) {
        codes.insert(code)
      }
    }
    speaksFor = .only(codes)
  }

  private mutating func listen(_ name: String, _ node: Node) {
    isListenSet = true
    let parts = (node.string ?? "").split(separator: ":", omittingEmptySubsequences: false)
    guard let last = parts.last, let port = Int(last), (0...65_535).contains(port) else {
      fault(name, node.line, "must be port or host:port, with a port of 0 to 65535")
      return
    }
    mllp.port = port
    if parts.count > 1 { mllp.host = parts.dropLast().joined(separator: ":") }
    if mllp.host.isEmpty { fault(name, node.line, "names no host before the port") }
    fhir.host = mllp.host
    fhir.port = mllp.port
  }

  private mutating func finish() -> ConnectorConfiguration? {
    if name == nil, !faults.contains(where: { $0.setting == "name" }) {
      fault("name", nil, "is missing")
    }
    if kind == nil, !faults.contains(where: { $0.setting == "class" }) {
      fault("class", nil, "is missing; it is \(Self.classList)")
    }
    if kind == "drop-folder-source", dropFolder.path.isEmpty,
      !faults.contains(where: { $0.setting == "directory" })
    {
      fault("directory", nil, "is missing")
    }
    if let kind, kind != "drop-folder-source", !isListenSet {
      fault("listen", nil, "is missing; it is a port, or host:port")
    }
    if kind == "drop-folder-source", tls != nil {
      fault("tls", nil, "is for listeners: a drop folder has no connections")
    }
    var known = Set(mapping.organisations.values)
    if let own = mapping.ownOrganisation { known.insert(own) }
    if speaksFor == nil, known.isEmpty {
      fault("organisation", nil, "is missing; or say speaks-for: any")
    }
    guard faults.isEmpty, let name, let kind else { return nil }
    mllp.tls = tls
    fhir.tls = tls
    let source: ConnectorConfiguration.Source =
      switch kind {
      case "mllp-source": .mllp(mllp)
      case "fhir-source": .fhir(fhir)
      default: .dropFolder(dropFolder)
      }
    var configuration = ConnectorConfiguration(name: name, source: source)
    configuration.mode = mode
    configuration.mapping = mapping
    configuration.speaksFor = speaksFor ?? .only(known)
    configuration.heartbeatInterval = heartbeat
    return configuration
  }

  private static func localTime(_ text: String) -> MappingContext.LocalTime? {
    if text == "Europe/London" { return .europeLondon }
    let digits = text.dropFirst().split(separator: ":")
    guard let sign = text.first, sign == "+" || sign == "-", digits.count == 2,
      let hours = Int(digits[0]), let minutes = Int(digits[1]), (0...14).contains(hours),
      (0...59).contains(minutes)
    else { return nil }
    return .offset(minutes: (sign == "-" ? -1 : 1) * (hours * 60 + minutes))
  }

  /// `P0` to `P3`, or the number alone.
  private static func pathway(_ text: String) -> UInt8? {
    UInt8(text.hasPrefix("P") ? String(text.dropFirst()) : text).flatMap { $0 <= 3 ? $0 : nil }
  }

  private static var classList: String {
    classes.dropLast().joined(separator: ", ") + " or " + (classes.last ?? "")
  }

  mutating func checked<Value>(
    _ name: String, _ node: Node, _ explanation: String, _ convert: (String) -> Value?
  ) -> Value? {
    guard let text = node.string, let value = convert(text) else {
      fault(name, node.line, explanation)
      return nil
    }
    return value
  }

  private mutating func number(
    _ name: String, _ node: Node, _ range: ClosedRange<Int>
  ) -> Int? {
    checked(name, node, "must be a whole number from \(range.lowerBound) to \(range.upperBound)") {
      Int($0).flatMap { range.contains($0) ? $0 : nil }
    }
  }

  mutating func seconds(
    _ name: String, _ node: Node, _ range: ClosedRange<Double>
  ) -> Duration? {
    checked(name, node, "must be seconds from \(range.lowerBound) to \(range.upperBound)") {
      Double($0).flatMap { range.contains($0) ? .milliseconds(Int64($0 * 1_000)) : nil }
    }
  }

  mutating func each(
    _ name: String, _ node: Node, _ body: (inout ConnectorReader, String, Node) -> Void
  ) {
    guard let mapping = node.mapping else {
      fault(name, node.line, "must be a list of names and values")
      return
    }
    for (key, value) in mapping {
      guard let text = key.string, !text.isEmpty else {
        fault(name, key.line, "holds a name that is no text")
        continue
      }
      body(&self, text, value)
    }
  }

  mutating func fault(_ setting: String, _ line: Int?, _ explanation: String) {
    faults.append(.init(setting: setting, line: line, explanation: explanation))
  }
}

extension Node {
  /// 1-based.
  var line: Int? { mark?.line }
}
