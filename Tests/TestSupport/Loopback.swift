internal import Foundation

/// The few blocking socket calls a proxy on the loopback interface needs.
enum Loopback {
  static func makeSocket() -> Int32 {
    #if canImport(Glibc)
      socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    #else
      socket(AF_INET, SOCK_STREAM, 0)
    #endif
  }

  /// Listens on a free port, and returns it.
  static func listen(_ socket: Int32) -> UInt16? {
    var address = loopback(0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isListening =
      withAddress(&address) { bind(socket, $0, length) } == 0 && Foundation.listen(socket, 16) == 0
      && withAddress(&address) { getsockname(socket, $0, &length) } == 0
    return isListening ? UInt16(bigEndian: address.sin_port) : nil
  }

  /// The next connection; nil once the listener is cut.
  static func accept(_ listener: Int32) -> Int32? {
    let socket = Foundation.accept(listener, nil, nil)
    return socket >= 0 ? socket : nil
  }

  static func connect(_ socket: Int32, to port: UInt16) -> Bool {
    var address = loopback(port)
    let length = socklen_t(MemoryLayout<sockaddr_in>.size)
    return withAddress(&address) { Foundation.connect(socket, $0, length) } == 0
  }

  /// Ends both directions: whoever is blocked on the socket returns.
  static func cut(_ socket: Int32) { _ = shutdown(socket, Int32(SHUT_RDWR)) }

  /// One message of Kafka's protocol with its length in front; nil at the end of the connection.
  static func readFrame(_ socket: Int32) -> [UInt8]? {
    guard let head = read(4, from: socket) else { return nil }
    let count = number(head[...])
    guard count <= 64 << 20, let body = read(Int(count), from: socket) else { return nil }
    return head + body
  }

  static func write(_ bytes: [UInt8], to socket: Int32) -> Bool {
    bytes.withUnsafeBytes { buffer in
      var rest = buffer[...]
      while !rest.isEmpty {
        let part = UnsafeRawBufferPointer(rebasing: rest)
        #if canImport(Glibc)
          let count = send(socket, part.baseAddress, part.count, Int32(MSG_NOSIGNAL))
        #else
          let count = send(socket, part.baseAddress, part.count, 0)
        #endif
        guard count > 0 else { return false }
        rest = rest.dropFirst(count)
      }
      return true
    }
  }

  static func bigEndian(_ number: UInt32) -> [UInt8] {
    withUnsafeBytes(of: number.bigEndian) { Array($0) }
  }

  static func number(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    bytes.reduce(0) { $0 << 8 | UInt32($1) }
  }

  private static func read(_ count: Int, from socket: Int32) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      let read = bytes.withUnsafeMutableBytes { buffer in
        recv(socket, buffer.baseAddress.map { $0 + filled }, count - filled, 0)
      }
      guard read > 0 else { return nil }
      filled += read
    }
    return bytes
  }

  private static func loopback(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return address
  }

  private static func withAddress<Result>(
    _ address: inout sockaddr_in, _ body: (UnsafeMutablePointer<sockaddr>) -> Result
  ) -> Result {
    withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0) }
    }
  }
}
