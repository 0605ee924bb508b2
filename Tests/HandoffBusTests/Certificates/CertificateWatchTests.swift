import Foundation
import HandoffConnectors
import HandoffCore
import Logging
import Synchronization
import TestSupport
import Testing

@testable import HandoffBus

@Suite(.enabled(if: TestAuthority.isAvailable, "\(TestAuthority.skipReason)"))
struct CertificateWatchTests {
  private let authority: TestAuthority

  init() throws {
    authority = try TestAuthority()
  }

  private static func now(plus days: Double) -> Timestamp {
    Timestamp(milliseconds: Int64((Date().timeIntervalSince1970 + days * 86_400) * 1_000))
  }

  private func files(_ issued: TestAuthority.Issued) -> CertificateFiles {
    CertificateFiles(certificate: issued.certificate, key: issued.key)
  }

  /// Days from now, and how a certificate of ninety days stands then.
  @Test(arguments: [
    (0.0, CertificateStanding.Level.well, 89), (58, .well, 31), (59, .soon, 30), (81, .soon, 8),
    (82, .urgent, 7), (89.9, .urgent, 0), (90.1, .expired, -1), (-1, .early, 90),
  ])
  func `a certificate stands by its days`(
    days: Double, level: CertificateStanding.Level, left: Int
  ) throws {
    let own = try authority.issue("own", names: ["DNS:own.example"], days: 90)
    let standing = CertificateStanding("own", files(own), at: Self.now(plus: days + 0.01))
    #expect(standing.daysLeft == left)
    #expect(standing.level == level)
  }

  @Test func `a watch tells once a day and at every change, and that a file was renewed`() throws {
    let own = try authority.issue("own", names: ["DNS:own.example"], days: 20)
    let days = Mutex(0.0)
    let alerts = Mutex<[CertificateStanding.Level]>([])
    let log = LogKeeper.Lines()
    let watch = CertificateWatch(
      [WatchedCertificate(name: "kafka/ingest", files: files(own), isReloaded: false)],
      logger: Logger(label: "test") { _ in LogKeeper(lines: log) },
      now: { Self.now(plus: days.withLock { $0 }) },
      onAlert: { standing in alerts.withLock { $0.append(standing.level) } })
    func look(_ day: Double) -> [CertificateStanding.Level] {
      days.withLock { $0 = day }
      watch.look()
      return alerts.withLock { alerts in
        defer { alerts = [] }
        return alerts
      }
    }
    #expect(look(0.1) == [.soon])
    #expect(look(0.2) == [])
    #expect(look(1.3) == [.soon])
    #expect(look(14) == [.urgent])
    #expect(look(21) == [.expired])
    #expect(watch.board.all.map(\.level) == [.expired])
    _ = try authority.issue("own", names: ["DNS:own.example"], days: 80)
    #expect(look(21.1) == [])
    #expect(watch.board.all.map(\.level) == [.well])
    #expect(log.all.withLock { $0.contains { $0.hasPrefix("Certificate file renewed") } })
    #expect(log.all.withLock { $0.filter { $0.hasPrefix("Certificate has expired") } }.count == 1)
    try FileManager.default.removeItem(atPath: own.key)
    #expect(look(21.2) == [.unusable])
  }
}
