import Foundation
import HandoffCodecs
import HandoffCore
import HandoffSimulation

/// Writes a run as messages, a file for each connector: `NAME.hl7`, message after message, or
/// `NAME.ndjson`, a Bundle a line.
struct TrainingWriter {
  private let url: URL
  private var messages = TrainingMessages()
  private var writers: [String: NDJSONFile.Writer] = [:]

  init(_ url: URL) { self.url = url }

  mutating func take(_ stored: StoredRecord) throws {
    // What is broken on the bus has no message that brought it.
    guard let record = try? WireCodec.eventRecord(stored), let event = record.content.event,
      let message = messages.message(of: event)
    else { return }
    let name = "\(message.source)." + (message.format == .hl7 ? "hl7" : "ndjson")
    let writer =
      try writers[name]
      ?? NDJSONFile.Writer(url.appending(path: name).path(percentEncoded: false))
    writers[name] = writer
    try writer.write(Array(message.text.utf8))
  }

  func close() throws {
    for (_, writer) in writers.sorted(by: { $0.key < $1.key }) { try writer.close() }
  }
}
