import KafkaClient
import TestSupport
import Testing

/// What can be said of access control without a real cluster: neither the mock nor noida-db has any.
@Suite struct AclTests {
  @Test func `a transactional id cannot be written by this library, and says so before it is sent`()
    async throws
  {
    let mock = try Mock()
    let admin = try KafkaAdmin(mock.configuration())
    let acl = KafkaAcl(.transactionalID, "t", principal: "User:a", .write)
    #expect(!acl.isWritable)
    let error = await #expect(throws: KafkaError.self) { try await admin.createAcls([acl]) }
    #expect(error?.code == .unsupportedFeature)
    await admin.close()
  }

  @Test(.enabled(if: TestBroker.isAvailable && !TestBroker.isExternal, "\(TestBroker.skipReason)"))
  func `a stand-in without access control shows none, and refuses to be given any`() async throws {
    let broker = try TestBroker.start()
    defer { broker.stop() }
    let admin = try KafkaAdmin(.test(broker.bootstrapServers))
    #expect(try await admin.acls(within: .seconds(5)) == [])
    let acl = KafkaAcl(.topic, "t", principal: "User:a", .read)
    await #expect(throws: KafkaError.self) {
      try await admin.createAcls([acl], within: .seconds(5))
    }
    await #expect(throws: KafkaError.self) {
      try await admin.deleteAcls([acl], within: .seconds(5))
    }
    await admin.close()
  }

  @Test(
    .enabled(if: TestBroker.isExternal, "needs-real-kafka: BATON_TEST_KAFKA with an authorizer"))
  func `entries are added, found again and removed on a real cluster`() async throws {
    let broker = try TestBroker.start()
    let admin = try KafkaAdmin(.test(broker.bootstrapServers))
    let name = "acl-\(UInt32.random(in: 0...UInt32.max))"
    let acls = [
      KafkaAcl(.topic, name, principal: "User:baton-test", .read),
      KafkaAcl(.group, name, pattern: .prefixed, principal: "User:baton-test", .read),
      KafkaAcl(.topic, name, principal: "User:baton-test", .write, permission: .deny),
    ]
    var refusal: KafkaError?
    do {
      try await admin.createAcls(acls)
    } catch {
      refusal = error
    }
    // A cluster without an authorizer says so; that is all it can show.
    guard refusal?.code != .securityDisabled else {
      await admin.close()
      return
    }
    #expect(refusal?.code == nil)
    #expect(try await admin.acls().filter { $0.name == name } == acls.sorted())
    try await admin.deleteAcls(acls)
    #expect(try await admin.acls().filter { $0.name == name } == [])
    await admin.close()
  }
}
