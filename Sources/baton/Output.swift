import ArgumentParser
import Foundation
import Telemetry

/// How a command prints: prose and tables for people, JSON where `--json` asks for it.
struct OutputOptions: ParsableArguments {
  @Flag(name: .long, help: "Print JSON: one value, or one a line where a command streams.")
  var json = false
}

/// Standard output, as every command writes to it.
///
/// Results go to standard output, progress and faults to standard error, so that a result can be
/// piped on while somebody watches.
struct Output: Sendable {
  let isJSON: Bool
  let style: Style
  /// Whether the work goes on where nobody reads any more.
  private let isService: Bool

  init(_ options: OutputOptions, isService: Bool = false) {
    isJSON = options.json
    self.isService = isService
    style = Style(on: .standardOutput)
  }

  /// Prints one line for people; nothing where JSON was asked for.
  func line(_ text: String = "") {
    if !isJSON { write(text + "\n") }
  }

  /// Prints one JSON value on one line; nothing where people read.
  func json(_ value: some Encodable) throws {
    if isJSON { write(try Self.jsonText(value) + "\n") }
  }

  /// Prints a result in the form that was asked for.
  func result(_ value: some Encodable, human: () -> String) throws {
    if isJSON {
      try json(value)
    } else {
      write(human() + "\n")
    }
  }

  /// Prints a table for people: columns as wide as their widest cell, the last one as it comes.
  func table(_ headers: [String], _ rows: [[String]]) {
    guard !isJSON else { return }
    for (index, text) in Table(headers: headers, rows: rows).lines.enumerated() {
      write((index == 0 ? style.dim(text) : text) + "\n")
    }
  }

  /// Writes text as it is, such as NDJSON that a codec made.
  ///
  /// Where it cannot be written, to a full disk or a reader that is gone, a command ends with 74;
  /// a service goes on without.
  func write(_ text: String) {
    do {
      try StandardStream.output.write(Data(text.utf8))
    } catch {
      guard !isService else { return }
      CommandFailure.file("standard output", doing: "write to", error).printAndExit()
    }
  }

  /// Keys sorted and slashes left alone, so that the same value prints the same everywhere.
  static func jsonText(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.dateEncodingStrategy = .iso8601
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}

/// `1 profile`, `2 profiles`.
func counted(_ count: Int, _ one: String, _ many: String) -> String {
  "\(count) \(count == 1 ? one : many)"
}

/// Progress on standard error: what people watch while a result is on its way.
enum Progress {
  static func line(_ text: String) {
    try? StandardStream.error.write(Data((text + "\n").utf8))
  }
}

/// Text set in columns.
struct Table {
  let headers: [String]
  let rows: [[String]]

  /// The header line and one line a row, without line ends.
  var lines: [String] {
    let all = [headers] + rows
    let widths = headers.indices.map { column in
      all.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
    }
    return all.map { row in
      var text = ""
      for (column, cell) in row.enumerated() {
        let isLast = column == row.count - 1
        let width = column < widths.count ? widths[column] : cell.count
        let padding = isLast ? 0 : width - cell.count + 2
        text += cell + String(repeating: " ", count: max(0, padding))
      }
      return text
    }
  }
}

/// Colours of a terminal, left out wherever the text does not go to one or `NO_COLOR` is set.
struct Style: Sendable {
  let isOn: Bool

  init(on handle: FileHandle) {
    let environment = ProcessInfo.processInfo.environment
    isOn =
      isatty(handle.fileDescriptor) == 1
      && environment["NO_COLOR", default: ""].isEmpty && environment["TERM"] != "dumb"
  }

  func bold(_ text: String) -> String { wrap(text, "1") }
  func dim(_ text: String) -> String { wrap(text, "2") }
  func red(_ text: String) -> String { wrap(text, "31") }
  func green(_ text: String) -> String { wrap(text, "32") }
  func yellow(_ text: String) -> String { wrap(text, "33") }

  private func wrap(_ text: String, _ code: String) -> String {
    isOn ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }
}
