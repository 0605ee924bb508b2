/// A frame with what its transport said of it, as one run of bytes.
///
/// A frame is stored, sealed and mapped again later, so headers must travel inside it:
///
///     BATON-FRAME/1
///     status: 409
///     X-Request-ID: 0f1e…
///     (an empty line)
///     the message as it came
///
/// Lines end in CR LF. Who listens wraps what it received; the message inside is never opened a
/// second time, so a body cannot bring headers of its own.
package enum FrameEnvelope {
  static let magic = Array("BATON-FRAME/1\r\n".utf8)
  /// Bytes of the whole head; a longer one is no envelope.
  static let headMax = 16_384

  /// The body behind the headers that mean something here; others are not kept.
  package static func encode(
    _ headers: some Sequence<(name: String, value: String)>, status: Int? = nil, body: [UInt8]
  ) -> [UInt8] {
    var bytes = magic
    if let status { bytes += Array("status: \(status)\r\n".utf8) }
    for (name, value) in headers where FrameHeaders.isKept(name, value) {
      let line = Array("\(name): \(value)\r\n".utf8)
      // An envelope that could not be read back would lose the message.
      guard bytes.count + line.count <= headMax - 2 else { break }
      bytes += line
    }
    return bytes + [0x0D, 0x0A] + body
  }

  /// The headers and where the body begins; `nil` for a frame that is no envelope.
  static func open(_ bytes: [UInt8]) -> (headers: FrameHeaders, body: Int)? {
    guard bytes.starts(with: magic) else { return nil }
    var position = magic.count
    var headers: [(name: String, value: String)] = []
    var status: Int?
    let head = bytes.prefix(headMax)
    while let end = head[position...].firstIndex(of: 0x0A) {
      let line = head[position..<end].dropLast(head[..<end].last == 0x0D ? 1 : 0)
      position = end + 1
      if line.isEmpty { return (FrameHeaders(headers, status: status), position) }
      guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return nil }
      let name = String(decoding: line[..<colon], as: UTF8.self)
      let value = String(
        decoding: line[(colon + 1)...].drop { $0 == UInt8(ascii: " ") }, as: UTF8.self)
      if name.lowercased() == "status" {
        status = Int(value)
      } else {
        headers.append((name, value))
      }
    }
    return nil
  }
}
