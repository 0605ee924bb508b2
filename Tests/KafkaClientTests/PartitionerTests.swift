import Testing

@testable import KafkaClient

@Suite struct PartitionerTests {
  /// The vectors of Java's UtilsTest.testMurmur2.
  @Test(arguments: [
    ("21", -973_932_308), ("foobar", -790_332_482), ("a-little-bit-long-string", -985_981_536),
    ("a-little-bit-longer-string", -1_486_304_829),
    ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
  ])
  func `murmur2 hashes as Java does`(key: String, hash: Int32) {
    #expect(KafkaPartitioner.hash(Array(key.utf8)) == UInt32(bitPattern: hash))
  }

  @Test func `librdkafka puts a key where our partitioner says`() async throws {
    let mock = try Mock(partitions: 12)
    let producer = try KafkaProducer(mock.configuration())
    let all = messages(200, partition: nil)
    let deliveries = try await producer.send(all)
    for (message, delivery) in zip(all, deliveries) {
      let expected = KafkaPartitioner.murmur2(message.key ?? [], partitionCount: 12)
      #expect(delivery.partition == expected)
    }
    #expect(await producer.close() == .closed)
  }
}
