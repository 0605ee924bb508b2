package import HandoffConnectors
package import HandoffCore
package import Logging
import ServiceLifecycle
import Synchronization

/// One certificate that this process shows, or by which it believes others.
package struct WatchedCertificate: Hashable, Sendable {
  /// Whose it is, such as `kafka/ingest` or `connector/rth-pas`.
  package var name: String
  package var files: CertificateFiles
  /// Whether a renewed file is taken up by itself; librdkafka reads its files at start only.
  package var isReloaded: Bool

  package init(name: String, files: CertificateFiles, isReloaded: Bool) {
    self.name = name
    self.files = files
    self.isReloaded = isReloaded
  }
}

/// How one certificate stands.
package struct CertificateStanding: Hashable, Sendable {
  package enum Level: String, Hashable, Sendable {
    case well
    /// Thirty days or less.
    case soon
    /// Seven days or less.
    case urgent
    case expired
    /// Not valid yet: a clock is wrong, or a file was put in place too early.
    case early
    /// The files cannot be used.
    case unusable
  }

  package var name: String
  package var level: Level
  /// Whole days until the first certificate of the chain expires; negative once it has.
  package var daysLeft: Int?
  /// When that is.
  package var endsAt: Timestamp?
  package var explanation: String?

  /// Days before the end at which it is told, and told louder.
  package static let daysSoon = 30
  package static let daysUrgent = 7

  /// Looks at the files of one certificate.
  package init(_ name: String, _ files: CertificateFiles, at now: Timestamp) {
    self.name = name
    let faults = files.faults()
    var chains: [CertificateChain] = []
    for file in [files.certificate, files.authorities].compactMap(\.self) {
      if let chain = try? CertificateChain(file: file) { chains.append(chain) }
    }
    daysLeft = chains.map { $0.daysLeft(at: now) }.min()
    endsAt = chains.map(\.notAfter).min()
    let isEarly = chains.contains { $0.notBefore > now }
    let isExpired = chains.contains { $0.notAfter <= now }
    level =
      switch daysLeft {
      case _ where !faults.isEmpty: .unusable
      case _ where isExpired: .expired
      case _ where isEarly: .early
      case let days? where days <= Self.daysUrgent: .urgent
      case let days? where days <= Self.daysSoon: .soon
      default: .well
      }
    explanation = faults.isEmpty ? nil : faults.map(\.description).joined(separator: "; ")
  }
}

/// The latest standing of every watched certificate, for whoever asks.
package final class CertificateBoard: Sendable {
  private let standings = Mutex<[String: CertificateStanding]>([:])

  package init() {}

  /// By name.
  package var all: [CertificateStanding] {
    standings.withLock { $0.values.sorted { $0.name < $1.name } }
  }

  func set(_ standing: CertificateStanding) {
    standings.withLock { $0[standing.name] = standing }
  }
}

/// Looks at certificates as long as a service runs: when they end, and when they were renewed.
///
/// A certificate that ends stops a handoff from being taken in or published, on a day that is known
/// long before. It is looked at every hour, so that a renewal is seen soon, and told once a day and
/// whenever its standing changes.
package final class CertificateWatch: Service {
  private struct Told {
    var standing: CertificateStanding
    var notAfter: Timestamp?
    var at: Timestamp
  }

  private let certificates: [WatchedCertificate]
  private let logger: Logger
  private let now: @Sendable () -> Timestamp
  private let onAlert: @Sendable (CertificateStanding) -> Void
  private let told = Mutex<[String: Told]>([:])
  package let board = CertificateBoard()

  package static let interval: Duration = .seconds(3_600)
  private static let day: Elapsed = .hours(24)

  /// `onAlert` hears of every standing that is not well, as often as it is logged.
  package init(
    _ certificates: [WatchedCertificate], logger: Logger,
    now: @escaping @Sendable () -> Timestamp,
    onAlert: @escaping @Sendable (CertificateStanding) -> Void = { _ in }
  ) {
    self.certificates = certificates
    self.logger = logger
    self.now = now
    self.onAlert = onAlert
  }

  package func run() async throws {
    guard !certificates.isEmpty else {
      try? await gracefulShutdown()  // Fails only by cancellation, which ends it as well.
      return
    }
    try await untilShutdown { try await self.watch(ContinuousClock()) }
  }

  func watch(_ clock: any Clock<Duration>) async throws {
    while true {
      look()
      try await clock.sleep(for: Self.interval, tolerance: Self.interval / 10)
    }
  }

  /// Looks once at all.
  package func look() {
    let time = now()
    for certificate in certificates { look(at: certificate, time) }
  }

  private func look(at certificate: WatchedCertificate, _ time: Timestamp) {
    let standing = CertificateStanding(certificate.name, certificate.files, at: time)
    board.set(standing)
    let notAfter = certificate.files.certificate.flatMap {
      (try? CertificateChain(file: $0))?.notAfter
    }
    let before = told.withLock { $0[certificate.name] }
    if let before, let notAfter, let former = before.notAfter, former != notAfter {
      tellRenewal(of: certificate, standing)
    }
    let isNews =
      before.map { before in
        before.standing.level != standing.level || before.at.advanced(by: Self.day) <= time
      } ?? true
    told.withLock { told in
      told[certificate.name] = Told(
        standing: standing, notAfter: notAfter ?? before?.notAfter,
        at: isNews ? time : before?.at ?? time)
    }
    if isNews { tell(standing) }
  }

  private func tellRenewal(of certificate: WatchedCertificate, _ standing: CertificateStanding) {
    let advice =
      certificate.isReloaded
      ? "new connections show it" : "restart this process: librdkafka reads it at start only"
    logger.notice(
      "Certificate file renewed",
      metadata: [
        "certificate": "\(certificate.name)", "daysLeft": "\(standing.daysLeft ?? 0)",
        "advice": "\(advice)",
      ])
  }

  private func tell(_ standing: CertificateStanding) {
    var metadata: Logger.Metadata = ["certificate": "\(standing.name)"]
    metadata["daysLeft"] = standing.daysLeft.map { "\($0)" }
    metadata["explanation"] = standing.explanation.map { "\($0)" }
    switch standing.level {
    case .well:
      logger.info("Certificate is valid", metadata: metadata)
      return
    case .soon:
      logger.warning("Certificate expires within 30 days", metadata: metadata)
    case .urgent:
      logger.error("Certificate expires within 7 days", metadata: metadata)
    case .expired:
      logger.critical("Certificate has expired", metadata: metadata)
    case .early:
      logger.error("Certificate is not valid yet; look at the clock", metadata: metadata)
    case .unusable:
      logger.error("Certificate cannot be used", metadata: metadata)
    }
    onAlert(standing)
  }
}

extension WatchedCertificate {
  /// What a process with these connectors and these parts on Kafka shows and believes.
  package static func all(
    of configuration: BatonConfiguration, components: [String],
    connectors: [ConnectorConfiguration] = []
  ) -> [WatchedCertificate] {
    var watched: [WatchedCertificate] = []
    if let security = configuration.kafka.security, security.transport.isEncrypted {
      watched = components.map {
        WatchedCertificate(
          name: "kafka/\($0)", files: security.certificateFiles(of: $0), isReloaded: false)
      }
      // With nothing but the system's authorities there is nothing to look at.
      watched.removeAll { $0.files.certificate == nil && $0.files.authorities == nil }
    }
    return watched
      + connectors.compactMap { connector in
        connector.source.tls.map {
          WatchedCertificate(
            name: "connector/\(connector.name)", files: $0.files, isReloaded: true)
        }
      }
  }
}
