import Foundation
import KafkaClient
import Testing

@testable import HandoffBus

/// A login at a real Kafka: no broker beside these tests speaks SASL.
@Suite struct RealBrokerLoginTests {
  private static let file = ProcessInfo.processInfo.environment["BATON_TEST_KAFKA_SASL"]

  @Test(
    .enabled(
      if: file != nil,
      "SASL is not proved here: name a configuration file with kafka.security in BATON_TEST_KAFKA_SASL"
    ))
  func `a real Kafka lets in whom the configuration names, and nobody with another password`()
    async throws
  {
    let configuration = try BatonConfiguration.load(file: Self.file, environment: [:])
    var kafka = KafkaConfiguration(configuration, client: "doctor")
    let admin = try KafkaAdmin(kafka)
    #expect(try await admin.cluster(within: .seconds(20)).brokerCount > 0)
    await admin.close()
    let wrong = KafkaSecret("not the password")
    switch kafka.security?.login {
    case .plain(let name, _)?: kafka.security?.login = .plain(username: name, password: wrong)
    case .scram(let hash, let name, _)?:
      kafka.security?.login = .scram(hash, username: name, password: wrong)
    default: return
    }
    let stranger = try KafkaAdmin(kafka)
    await #expect(throws: KafkaError.self) { try await stranger.cluster(within: .seconds(10)) }
    await stranger.close()
  }
}
