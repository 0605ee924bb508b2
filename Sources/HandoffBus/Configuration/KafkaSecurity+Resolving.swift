import Foundation
import HandoffConnectors
package import KafkaClient

/// Why a part of the bus has no way in, in words that hold no secret.
package struct KafkaSecurityFault: Error, Hashable, Sendable, CustomStringConvertible {
  /// Such as `sasl.password`, below the part that it belongs to.
  package var setting: String
  package var explanation: String

  package init(setting: String, explanation: String) {
    self.setting = setting
    self.explanation = explanation
  }

  package var description: String { "\(setting): \(explanation)" }
}

/// Several at once.
package struct KafkaSecurityFaults: Error, Sendable {
  package var faults: [KafkaSecurityFault]
}

extension KafkaSecuritySettings {
  /// What `component` logs in with; reads its secrets.
  ///
  /// - Throws: every fault at once.
  package func resolve(
    _ component: String?, environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(KafkaSecurityFaults) -> KafkaSecurity {
    var reader = Resolver(environment: environment)
    let identity = component.map { self.identity(of: $0) } ?? identity
    var security = KafkaSecurity(tls: nil)
    if transport.isEncrypted {
      security.tls = reader.tls(identity, ca: ca)
    }
    if transport.hasSASL {
      if let sasl = identity.sasl {
        security.login = reader.login(sasl)
      } else {
        reader.fault("sasl", "is missing: the protocol \(transport.rawValue) asks for a login")
      }
    }
    guard reader.faults.isEmpty else { throw KafkaSecurityFaults(faults: reader.faults) }
    return security
  }
}

/// Reads secrets and collects what is wrong with them.
private struct Resolver {
  let environment: [String: String]
  var faults: [KafkaSecurityFault] = []

  mutating func fault(_ setting: String, _ explanation: String) {
    faults.append(KafkaSecurityFault(setting: setting, explanation: explanation))
  }

  mutating func tls(
    _ identity: KafkaSecuritySettings.Identity, ca: String?
  ) -> KafkaSecurity.TLS {
    var tls = KafkaSecurity.TLS(
      authorityFile: ca, certificateFile: identity.certificate, keyFile: identity.key)
    tls.keyPassword = identity.keyPassword.flatMap { secret("key-password", $0) }
    for (setting, file) in [("ca", ca), ("certificate", identity.certificate)] {
      guard let file, !FileManager.default.isReadableFile(atPath: file) else { continue }
      fault(setting, "\(file) cannot be read; check the name and the permission")
    }
    if let key = identity.key {
      do throws(SecretFault) {
        _ = try PrivateFile.read(key, byteCountMax: SecretText.byteCountMax)
      } catch {
        fault("key", error.description)
      }
    }
    return tls
  }

  mutating func login(_ sasl: KafkaSecuritySettings.SASL) -> KafkaSecurity.Login? {
    switch sasl.mechanism {
    case .plain, .scram256, .scram512:
      guard let username = sasl.username, let source = sasl.password else {
        fault("sasl", "\(sasl.mechanism.rawValue) takes username and password")
        return nil
      }
      guard let password = secret("sasl.password", source) else { return nil }
      return switch sasl.mechanism {
      case .scram256: .scram(.sha256, username: username, password: password)
      case .scram512: .scram(.sha512, username: username, password: password)
      default: .plain(username: username, password: password)
      }
    case .oauthBearer:
      if let token = sasl.token {
        let tokens = TokenReader(source: token, environment: environment)
        return .token { try tokens.token() }
      }
      guard let endpoint = sasl.tokenEndpoint, let clientID = sasl.clientID,
        let source = sasl.clientSecret
      else {
        fault(
          "sasl", "OAUTHBEARER takes token, or token-endpoint, client-id and client-secret")
        return nil
      }
      guard KafkaLibrary.speaksOIDC else {
        fault(
          "sasl.token-endpoint",
          "this librdkafka \(KafkaLibrary.version) was built without OIDC (libcurl): use token")
        return nil
      }
      guard let secret = secret("sasl.client-secret", source) else { return nil }
      return .oidc(
        endpoint: endpoint, clientID: clientID, clientSecret: secret, scope: sasl.scope)
    }
  }

  private mutating func secret(_ setting: String, _ source: SecretSource) -> KafkaSecret? {
    do throws(SecretFault) {
      return KafkaSecret(try source.read(environment: environment).revealed)
    } catch {
      fault(setting, error.description)
      return nil
    }
  }
}
