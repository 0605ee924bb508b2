import Foundation
public import Logging

/// How log lines are written.
public enum LogFormat: Sendable {
  /// One line that a person reads: time, level, who, message, data.
  case human
  /// One JSON object a line, for machines that collect.
  case json
}

/// Writes log lines to standard error.
///
/// A message is constant text and whatever changes is metadata, so that lines can be counted and
/// searched; nothing that names a patient is ever either.
public struct StandardErrorLogHandler: LogHandler {
  public var logLevel: Logger.Level
  public var metadata: Logger.Metadata = [:]
  public var metadataProvider: Logger.MetadataProvider?

  private let label: String
  private let format: LogFormat
  private let write: @Sendable (String) -> Void

  /// Writes each line whole, so that lines of several threads never mix.
  ///
  /// A line that nobody can be told is dropped: the log is never worth the work it tells of.
  public init(label: String, level: Logger.Level, format: LogFormat) {
    self.init(label: label, level: level, format: format) { line in
      try? StandardStream.error.write(Data(line.utf8))
    }
  }

  /// The same with another place to write to.
  init(
    label: String, level: Logger.Level, format: LogFormat,
    write: @escaping @Sendable (String) -> Void
  ) {
    self.label = label
    self.logLevel = level
    self.format = format
    self.write = write
  }

  public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  public func log(event: LogEvent) {
    var all = metadataProvider?.get() ?? [:]
    all.merge(metadata) { $1 }
    if let own = event.metadata { all.merge(own) { $1 } }
    let line = LogLine(
      at: Date(), level: event.level, label: label, message: event.message.description,
      metadata: all)
    write(line.text(format) + "\n")
  }
}

/// One line of the log, before it is written.
struct LogLine {
  let at: Date
  let level: Logger.Level
  let label: String
  let message: String
  let metadata: Logger.Metadata

  func text(_ format: LogFormat) -> String {
    let stamp = at.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    let sorted = metadata.sorted { $0.key < $1.key }
    switch format {
    case .human:
      let data = sorted.map { " \($0.key)=\(Self.quoted($0.value.description))" }.joined()
      let name = level.rawValue.padding(toLength: 8, withPad: " ", startingAt: 0)
      return "\(stamp) \(name) \(label): \(Self.oneLine(message))\(data)"
    case .json:
      var fields = [("at", stamp), ("level", level.rawValue), ("label", label)]
      fields.append(("message", message))
      // A key of ours may not be overwritten by data of the same name.
      let own = Set(fields.map(\.0))
      for (key, value) in sorted {
        fields.append((own.contains(key) ? "data.\(key)" : key, value.description))
      }
      let pairs = fields.map { "\(Self.jsonString($0.0)):\(Self.jsonString($0.1))" }
      return "{" + pairs.joined(separator: ",") + "}"
    }
  }

  /// A line break inside a message would let a sender forge log lines.
  private static func oneLine(_ text: String) -> String {
    text.split(whereSeparator: \.isNewline).joined(separator: " ")
  }

  private static func quoted(_ text: String) -> String {
    let isPlain = !text.isEmpty && text.allSatisfy { !$0.isWhitespace && $0 != "\"" }
    return isPlain ? text : jsonString(text)
  }

  private static func jsonString(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
