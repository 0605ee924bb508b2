internal import HandoffCodecs
internal import HandoffCore
package import KafkaClient
package import Logging
import ServiceLifecycle
internal import Synchronization

/// Asks every few seconds, by a client of its own, whether a broker answers.
///
/// librdkafka tries again in silence for as long as brokers are away: a client at work cannot tell
/// that nothing is to be done from that nobody is there.
package final class KafkaWatch: Service {
  private let kafka: KafkaConfiguration
  private let logger: Logger
  private let contact: Mutex<KafkaContact>

  private static let interval: Duration = .seconds(5)
  /// Shorter than the interval, so that a broker that is slow is asked as often.
  private static let answerTimeout: Duration = .seconds(3)

  package init(_ kafka: KafkaConfiguration, logger: Logger) {
    self.kafka = kafka
    self.logger = logger
    contact = Mutex(KafkaContact(since: .now(), at: .now))
  }

  /// Whether a broker has answered of late.
  package var isReachable: Bool { fault == nil }

  /// Since when nobody has answered, in words; `nil` where somebody does.
  package var fault: String? {
    contact.withLock { contact in
      contact.isReachable(at: .now)
        ? nil : "no answer since \(RFC3339.text(contact.lastAnswer.time))"
    }
  }

  /// Asks until the service is shut down, and tells once when nobody answers and once when
  /// somebody does again.
  package func run() async throws {
    guard let admin = try? KafkaAdmin(kafka) else {
      // What is wrong with the settings is said by the clients that are to work with them.
      try? await gracefulShutdown()
      return
    }
    try await untilShutdown { try await self.watch(admin) }
    await admin.close()
  }

  private func watch(_ admin: KafkaAdmin) async throws {
    while true {
      do {
        try await admin.answer(within: Self.answerTimeout)
        note(isAnswered: true)
      } catch {
        note(isAnswered: false)
      }
      try await ContinuousClock().sleep(for: Self.interval)
    }
  }

  private func note(isAnswered: Bool) {
    let (news, since) = contact.withLock { contact in
      let since = contact.lastAnswer.time
      return (contact.note(isAnswered: isAnswered, time: .now(), at: .now), since)
    }
    switch news {
    case .gone:
      logger.warning(
        "Kafka does not answer; everything goes on by itself when it does",
        metadata: ["since": "\(RFC3339.text(since))"])
    case .back:
      logger.notice("Kafka answers again", metadata: ["since": "\(RFC3339.text(since))"])
    case nil: break
    }
  }
}

extension KafkaWatch: CustomStringConvertible {
  /// The name only: the log of a service group prints its services, and settings may be secret.
  package var description: String { "kafka watch" }
}

/// When a broker answered last, and what of it is told.
struct KafkaContact: Sendable {
  /// What is worth a line in the log.
  enum News: Hashable, Sendable {
    case gone, back
  }

  /// A cluster that elects new leaders is quiet for shorter.
  static let goneAfter: Duration = .seconds(15)

  /// The last answer, by the clock of this machine and by one that nobody sets; before the first
  /// answer the start.
  private(set) var lastAnswer: (time: Timestamp, instant: ContinuousClock.Instant)
  private var isAnswered = false
  private var isTold = false

  init(since time: Timestamp, at instant: ContinuousClock.Instant) {
    lastAnswer = (time, instant)
  }

  /// Not before the first answer.
  func isReachable(at instant: ContinuousClock.Instant) -> Bool {
    isAnswered && instant - lastAnswer.instant < Self.goneAfter
  }

  /// Takes note of one question's outcome.
  mutating func note(
    isAnswered: Bool, time: Timestamp, at instant: ContinuousClock.Instant
  ) -> News? {
    if isAnswered {
      self.isAnswered = true
      lastAnswer = (time, instant)
      defer { isTold = false }
      return isTold ? .back : nil
    }
    guard !isTold, instant - lastAnswer.instant >= Self.goneAfter else { return nil }
    isTold = true
    return .gone
  }
}
