import Foundation
import HandoffCodecs

/// Files of NDJSON as commands read and write them; `-` stands for the standard streams.
enum NDJSONFile {
  /// How a message names the file.
  static func name(_ path: String) -> String { path == "-" ? "standard input" : path }

  /// Hands over every record with the number of its line, holding one chunk at a time.
  static func read(
    _ path: String, forEach body: (NDJSONRecord, Int) async throws -> Void
  ) async throws {
    try await lines(of: path) { line in
      let record: NDJSONRecord
      do {
        record = try NDJSON.parse(line.bytes)
      } catch {
        throw CommandFailure(
          .badData, "Line \(line.number) of \(name(path)) is no record: \(error).",
          advice: "One line is one CloudEvent in JSON; `baton events export` writes them.")
      }
      try await body(record, line.number)
    }
  }

  /// Hands over every line as it is.
  static func lines(
    of path: String, forEach body: (LineSplitter.Line) async throws -> Void
  ) async throws {
    let handle = try open(path)
    defer { try? handle.close() }
    var splitter = LineSplitter()
    var isAtEnd = false
    while !isAtEnd {
      let chunk: Data
      do {
        chunk = try handle.read(upToCount: 1 << 20) ?? Data()
      } catch {
        throw CommandFailure.file(path, doing: "read", error)
      }
      isAtEnd = chunk.isEmpty
      splitter.append(chunk)
      if isAtEnd { splitter.finish() }
      do {
        while let line = try splitter.next() { try await body(line) }
      } catch let fault as LineSplitter.TooLong {
        throw CommandFailure(.badData, "\(name(path)), \(fault).")
      }
    }
  }

  /// Refuses a file that cannot be read, before anything is done for it.
  static func look(at path: String) throws {
    guard path != "-" else { return }
    try open(path).close()
  }

  private static func open(_ path: String) throws -> FileHandle {
    if path == "-" { return .standardInput }
    do {
      return try FileHandle(forReadingFrom: URL(filePath: path))
    } catch {
      throw CommandFailure.file(path, doing: "read", error)
    }
  }

  /// Writes lines, buffered, to a file that appears under its name only once it is whole.
  final class Writer {
    private let path: String
    private let handle: FileHandle
    private var buffer: [UInt8] = []

    init(_ path: String) throws {
      self.path = path
      guard path != "-" else {
        handle = .standardOutput
        return
      }
      do {
        try Data().write(to: URL(filePath: Self.partial(path)))
        handle = try FileHandle(forWritingTo: URL(filePath: Self.partial(path)))
      } catch {
        throw CommandFailure.file(path, doing: "write", error)
      }
    }

    func write(_ line: [UInt8]) throws {
      buffer += line
      buffer.append(UInt8(ascii: "\n"))
      if buffer.count > 1 << 20 { try flush() }
    }

    func flush() throws {
      do {
        try handle.write(contentsOf: Data(buffer))
      } catch {
        throw CommandFailure.file(path, doing: "write", error)
      }
      buffer.removeAll(keepingCapacity: true)
    }

    /// Writes what is left and gives the file its name.
    func close() throws {
      try flush()
      guard path != "-" else { return }
      do {
        try handle.synchronize()
        try handle.close()
      } catch {
        throw CommandFailure.file(path, doing: "write", error)
      }
      guard unsafe rename(Self.partial(path), path) == 0 else {
        let error = NSError(domain: NSPOSIXErrorDomain, code: Int(errno))
        throw CommandFailure.file(path, doing: "write", error)
      }
    }

    private static func partial(_ path: String) -> String { path + ".partial" }
  }
}
