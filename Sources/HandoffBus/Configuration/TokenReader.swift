import Foundation
import HandoffConnectors
import KafkaClient

/// Gets a bearer token from where the configuration says, and reads when it ends.
struct TokenReader: Sendable {
  let source: KafkaSecuritySettings.TokenSource
  let environment: [String: String]

  /// Why there is no token, without a word of it.
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  func token() throws -> KafkaToken {
    let text: String
    switch source {
    case .file(let path): text = try secret(.file(path))
    case .environment(let name): text = try secret(.environment(name))
    case .command(let words): text = try TokenCommand(words).run()
    }
    return try Self.token(of: text.trimmingCharacters(in: .whitespacesAndNewlines))
  }

  private func secret(_ source: SecretSource) throws -> String {
    do {
      return try source.read(environment: environment).revealed
    } catch {
      throw Failure(description: error.description)
    }
  }

  /// A JWT says itself whom it names and when it ends (RFC 7519, 4.1); the broker checks it.
  static func token(of text: String) throws -> KafkaToken {
    struct Claims: Decodable {
      var sub: String?
      var exp: Double?
    }
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 3, let payload = base64URL(parts[1]),
      let claims = try? JSONDecoder().decode(Claims.self, from: payload)
    else { throw Failure(description: "the token is no JWT") }
    guard let end = claims.exp, end.isFinite, end > 0, end < 1e11 else {
      throw Failure(description: "the token names no time at which it expires (exp)")
    }
    return KafkaToken(
      value: text, principal: claims.sub ?? "baton",
      expiresAtMilliseconds: Int64(end * 1_000))
  }

  private static func base64URL(_ text: Substring) -> Data? {
    var base64 = text.replacing("-", with: "+").replacing("_", with: "/")
    base64 += String(repeating: "=", count: (4 - base64.count % 4) % 4)
    return Data(base64Encoded: String(base64))
  }
}
