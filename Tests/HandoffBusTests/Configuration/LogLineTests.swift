import Foundation
import Logging
import Synchronization
import Testing

@testable import Telemetry

@Suite struct `The log` {
  private func line(
    _ format: LogFormat, _ message: Logger.Message, _ metadata: Logger.Metadata
  ) -> String {
    LogLine(
      at: Date(timeIntervalSince1970: 1.5), level: .notice, label: "ingest",
      message: message.description, metadata: metadata
    ).text(format)
  }

  @Test func `people read time, level, who, message and data`() {
    #expect(
      line(.human, "Batch aborted", ["kafka.code": "-144", "why": "two words"])
        == "1970-01-01T00:00:01.500Z notice   ingest: Batch aborted kafka.code=-144 "
        + "why=\"two words\"")
  }

  @Test func `machines read one JSON object a line, in which data never hides a field`() throws {
    let text = line(.json, "Said \"no\"", ["level": "high", "path": "a\\b\nc\u{1}"])
    let object = try JSONDecoder().decode([String: String].self, from: Data(text.utf8))
    #expect(
      object == [
        "at": "1970-01-01T00:00:01.500Z", "level": "notice", "label": "ingest",
        "message": "Said \"no\"", "data.level": "high", "path": "a\\b\nc\u{1}",
      ])
    #expect(!text.contains("\n"))
  }

  @Test func `a line break in data cannot forge a line`() {
    let text = line(.human, "one\ntwo", ["x": "a\nb"])
    #expect(!text.contains("\n"))
  }

  @Test func `metadata of the call wins over the logger's, and lines below the level are left out`()
  {
    let written = Mutex<[String]>([])
    var logger = Logger(label: "test") { label in
      StandardErrorLogHandler(label: label, level: .notice, format: .json) { line in
        written.withLock { $0.append(line) }
      }
    }
    logger[metadataKey: "who"] = "logger"
    logger.debug("unheard")
    logger.notice("heard", metadata: ["who": "call"])
    let lines = written.withLock { $0 }
    #expect(lines.count == 1)
    #expect(lines.first?.contains("\"who\":\"call\"") ?? false)
  }
}
