/// Where metrics and health are told: on this machine only, as they are told without a question
/// of who asks.
package struct HealthAddress: Hashable, Sendable {
  package var host: String
  /// 0: any free one.
  package var port: Int

  /// Reads `127.0.0.1:9464`, `localhost:9464` or `[::1]:9464`; `nil` for anything else.
  package init?(_ text: String) {
    guard let colon = text.lastIndex(of: ":"),
      let port = UInt16(text[text.index(after: colon)...])
    else { return nil }
    switch text[..<colon] {
    case "127.0.0.1", "localhost": host = String(text[..<colon])
    case "[::1]": host = "::1"
    default: return nil
    }
    self.port = Int(port)
  }
}
