import Foundation
import HandoffBus
import HandoffConnectors
import HandoffCore

/// Looks at how this process is let in by the brokers, and at every certificate that it shows.
struct SecurityDoctor {
  let configuration: BatonConfiguration
  var now: Timestamp = ConnectStack.systemTime()

  func findings() -> [Finding] {
    transport() + logins() + listeners()
  }

  private func transport() -> [Finding] {
    let properties = configuration.kafka.properties
    let name =
      configuration.kafka.security?.transport.rawValue
      ?? properties["security.protocol"]?.uppercased() ?? "PLAINTEXT"
    guard name == "SSL" || name == "SASL_SSL" else {
      return [
        .warn(
          "transport", "records travel to Kafka unencrypted (\(name))",
          "Set kafka.security.protocol to SSL or SASL_SSL outside a machine of your own.")
      ]
    }
    return [.ok("transport", "encrypted (\(name))")]
  }

  /// Every part of the bus that has a way in of its own, and the one in common.
  private func logins() -> [Finding] {
    guard let security = configuration.kafka.security else { return [] }
    let own = security.components.keys.sorted()
    let hasCommon =
      own.isEmpty || security.identity.sasl != nil || security.identity.certificate != nil
      || !security.transport.hasSASL
    var findings: [Finding] = []
    for name in (hasCommon ? [nil] : []) + own.map(Optional.some) {
      let check = "kafka " + (name ?? "in common")
      do throws(KafkaSecurityFaults) {
        _ = try security.resolve(name)
        findings.append(.ok(check, "its files and secrets can be read, and by few"))
      } catch {
        findings += error.faults.map {
          .fail(check, $0.description, "Mend the file, its mode or kafka.security.")
        }
      }
      let files = security.certificateFiles(of: name ?? "")
      guard security.transport.isEncrypted, files.certificate != nil || files.authorities != nil
      else { continue }
      findings.append(finding(CertificateStanding("certificate " + check, files, at: now)))
    }
    return findings
  }

  private func listeners() -> [Finding] {
    guard let path = configuration.connectors else { return [] }
    do {
      return try ConnectStack.connectors(at: path).flatMap(findings)
    } catch {
      return [
        .fail(
          "connectors", "\(error.faults.count) faults in \(error.file ?? path)",
          "Run: baton connect check \(error.file ?? path)")
      ]
    }
  }

  private func findings(_ connector: ConnectorConfiguration) -> [Finding] {
    let name = "connector \(connector.name)"
    guard let tls = connector.source.tls else {
      guard let host = connector.source.listeningHost, !host.hasPrefix("127."),
        !["localhost", "::1"].contains(host)
      else { return [] }
      return [
        .warn(
          name, "listens on \(host) without TLS",
          "Add tls: certificate and key, or have it listen on 127.0.0.1 behind something that has.")
      ]
    }
    return [finding(CertificateStanding(name, tls.files, at: now))]
  }

  private func finding(_ standing: CertificateStanding) -> Finding {
    let days = standing.daysLeft.map { "\($0) days left" } ?? "no certificate could be read"
    switch standing.level {
    case .well: return .ok(standing.name, "chain and key fit, \(days)")
    case .soon, .urgent:
      return .warn(
        standing.name, "expires soon: \(days)",
        standing.level == .urgent ? "Renew it now." : "Renew it in time.")
    case .expired:
      return .fail(standing.name, "has expired: \(days)", "Renew it: nothing can pass it.")
    case .early:
      return .fail(
        standing.name, "is not valid yet",
        "See that the clock is right; else wait, or take it back.")
    case .unusable:
      return .fail(
        standing.name, standing.explanation ?? "cannot be used", "Put the right files there.")
    }
  }
}
