internal import Foundation
internal import HandoffCodecs
internal import HandoffCore
package import HandoffStores
package import KafkaClient

/// Records who asks the log what, before the answer is given: here, and in the access topic.
package struct AccessRecorder: Sendable {
  private let store: AuditStore
  /// `nil`: no broker is configured; the record stays in this database.
  private let kafka: KafkaConfiguration?

  package init(store: AuditStore, kafka: KafkaConfiguration?) {
    self.store = store
    self.kafka = kafka
  }

  /// What the broker said to it.
  package enum Publication: Hashable, Sendable {
    case published
    case localOnly
    /// The broker did not take it; why, in its words.
    case failed(String)
  }

  /// Records an access; where this throws, no answer may be given.
  package func record(
    action: String, question: String, reason: String?
  ) async throws(AuditStoreError) -> Publication {
    let access = AuditAccess(
      at: Timestamp.now(), reader: NSUserName(), action: action, question: question,
      reason: reason)
    try await store.recordAccess(access)
    guard let kafka else { return .localOnly }
    do throws(KafkaError) {
      let producer = try KafkaProducer(kafka, deliveryTimeout: .seconds(5))
      let result: Result<[KafkaDelivery], KafkaError>
      do throws(KafkaError) {
        result = .success(try await producer.send([Self.message(access)]))
      } catch {
        result = .failure(error)
      }
      await producer.close()
      _ = try result.get()
      return .published
    } catch {
      return .failed(error.message)
    }
  }

  private struct Body: Encodable {
    var at: String
    var reader: String
    var action: String
    var question: String
    var reason: String?
  }

  private static func message(_ access: AuditAccess) -> KafkaMessage {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let at = RFC3339.text(access.at)
    let body = Body(
      at: at, reader: access.reader, action: access.action, question: access.question,
      reason: access.reason)
    return KafkaMessage(
      topic: Topic.access.name, key: Array(access.reader.utf8),
      value: (try? encoder.encode(body)).map(Array.init) ?? [],
      headers: [
        KafkaHeader("ce_specversion", "1.0"), KafkaHeader("ce_id", UUID().uuidString.lowercased()),
        KafkaHeader("ce_source", "/baton/audit"),
        KafkaHeader("ce_type", AuditDescription.accessEventType),
        KafkaHeader("ce_time", at), KafkaHeader("content-type", "application/json"),
      ])
  }
}
