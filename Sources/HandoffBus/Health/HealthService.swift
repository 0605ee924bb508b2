internal import Foundation
internal import HandoffConnectors
package import Logging
internal import ServiceLifecycle
package import Telemetry

/// A part of a process that can say how it is.
package struct HealthProbe: Sendable {
  /// The part's name, such as `reconciler`.
  package var part: String
  package var metrics: @Sendable () -> [Metric]
  /// Why it does no work now, as a code such as `restoring`; `nil`: it does.
  package var notReady: @Sendable () -> String?
  /// What is amiss though it is at work, told in place of `ok`; `nil`: nothing.
  package var amiss: @Sendable () -> String?
  /// Why only a restart would help; `nil`: nothing is known to be wrong.
  ///
  /// Brokers that are away are no reason: a restart does not bring them back, and takes memory
  /// that would have to be restored.
  package var notAlive: @Sendable () -> String?

  package init(
    part: String, metrics: @escaping @Sendable () -> [Metric] = { [] },
    notReady: @escaping @Sendable () -> String? = { nil },
    amiss: @escaping @Sendable () -> String? = { nil },
    notAlive: @escaping @Sendable () -> String? = { nil }
  ) {
    self.part = part
    self.metrics = metrics
    self.notReady = notReady
    self.amiss = amiss
    self.notAlive = notAlive
  }
}

/// `/metrics` for Prometheus, `/livez` and `/readyz` for whoever starts and routes.
///
/// The pages are made when asked for, of what the parts know at that moment; nothing is collected
/// while nobody asks.
package struct HealthService: Service {
  private let address: HealthAddress
  private let probes: [HealthProbe]
  private let logger: Logger
  private let onListening: @Sendable (Int) -> Void

  package init(
    _ address: HealthAddress, probes: [HealthProbe], logger: Logger,
    onListening: @escaping @Sendable (Int) -> Void = { _ in }
  ) {
    self.address = address
    self.probes = probes
    self.logger = logger
    self.onListening = onListening
  }

  /// Answers until the service is shut down.
  ///
  /// Throws where the address cannot be listened on: who asked for health must not go without.
  package func run() async throws {
    let listener = HealthListener(host: address.host, port: address.port, logger: logger) {
      [probes] path in Self.page(path, probes)
    }
    try await listener.run(onListening: onListening)
  }

  /// The page of a path; `nil` where there is none.
  static func page(_ path: String, _ probes: [HealthProbe]) -> HealthPage? {
    switch path {
    case "/metrics":
      HealthPage(
        contentType: Metric.contentType, body: Metric.text(probes.flatMap { $0.metrics() }))
    case "/readyz": answer(probes.map { ($0.part, $0.notReady(), $0.amiss()) })
    case "/livez": answer(probes.map { ($0.part, $0.notAlive(), nil) })
    default: nil
    }
  }

  private struct Answer: Encodable {
    var status: String
    /// `ok`, or why not, by part.
    var parts: [String: String]
  }

  private static func answer(
    _ parts: [(name: String, fault: String?, remark: String?)]
  ) -> HealthPage {
    let isWell = parts.allSatisfy { $0.fault == nil }
    let words = parts.map { ($0.name, $0.fault ?? $0.remark ?? "ok") }
    let answer = Answer(
      status: isWell ? "ok" : "unavailable",
      parts: Dictionary(words, uniquingKeysWith: { $1 }))
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let json = (try? encoder.encode(answer)) ?? Data()
    return HealthPage(
      status: isWell ? 200 : 503, contentType: "application/json",
      body: String(decoding: json, as: UTF8.self))
  }
}
