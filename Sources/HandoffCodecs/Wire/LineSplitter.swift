/// Splits a stream of bytes into lines, however it is cut.
///
/// A line ends with LF, CR LF or the end of the input; blank lines are passed over and counted. At
/// most one line of `lineBytesMax` is held beside what was last appended.
package struct LineSplitter: Sendable {
  /// One line without its ending, and its number in the input, from 1.
  package struct Line: Hashable, Sendable {
    package var number: Int
    package var bytes: [UInt8]
  }

  /// A line that is too long to be held; its number, from 1.
  package struct TooLong: Error, Hashable, Sendable, CustomStringConvertible {
    package var line: Int
    package var limit: Int

    package init(line: Int, limit: Int) {
      self.line = line
      self.limit = limit
    }

    package var description: String { "line \(line): longer than \(limit) bytes" }
  }

  package let lineBytesMax: Int
  private var buffer: [UInt8] = []
  private var position = 0
  private var number = 1
  private var isFinished = false

  package init(lineBytesMax: Int = NDJSON.lineBytesMax) {
    self.lineBytesMax = lineBytesMax
  }

  /// Takes the next bytes of the input; call ``next()`` until it gives `nil` before the next ones.
  package mutating func append(_ chunk: some Sequence<UInt8>) {
    buffer.removeSubrange(..<position)
    position = 0
    buffer.append(contentsOf: chunk)
  }

  /// Says that no more bytes follow: what is left is the last line.
  package mutating func finish() { isFinished = true }

  /// The next whole line, or `nil` until more is appended.
  ///
  /// After an error nothing more can be read: where the long line ends is not known.
  package mutating func next() throws(TooLong) -> Line? {
    while position < buffer.count {
      let newline = buffer[position...].firstIndex(of: 0x0a)
      let end = newline ?? buffer.count
      guard end - position <= lineBytesMax else {
        throw TooLong(line: number, limit: lineBytesMax)
      }
      guard newline != nil || isFinished else { return nil }
      var line = buffer[position..<end]
      if line.last == 0x0d { line.removeLast() }
      defer {
        position = newline.map { $0 + 1 } ?? buffer.count
        number += 1
      }
      if !line.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) {
        return Line(number: number, bytes: Array(line))
      }
    }
    return nil
  }
}
