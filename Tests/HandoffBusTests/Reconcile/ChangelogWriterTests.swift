import HandoffBus
import HandoffCodecs
import HandoffCore
import KafkaClient
import TestSupport
import Testing

@Suite struct ChangelogWriterTests {
  @Test(arguments: 0..<8 as Range<UInt64>)
  func `whoever a batch touches is written as the codec writes one alone`(seed: UInt64) {
    var generator = JourneyGenerator(seed: seed)
    let records = generator.records(count: 600)
    var reducer = PersonReducer(policy: .default, topic: "handoff.events.v1", partition: 3)
    var writer = ChangelogWriter(partition: 3)
    var written = 0
    reducer.beginBatch()
    // Part by part, so that long persons and short ones follow each other in one buffer.
    for start in stride(from: 0, to: records.count, by: 40) {
      for record in records[start..<min(start + 40, records.count)] { _ = reducer.apply(record) }
      var messages: [(key: PatientKey, message: KafkaMessage)] = []
      reducer.takeTouched { messages.append(($0, writer.message($1, key: $0))) }
      written += messages.count
      for (key, message) in messages {
        let alone =
          reducer.person(for: key).map { WireCodec().encode($0) } ?? WireCodec().tombstone(of: key)
        let expected = KafkaMessage(topic: .reconcilerState, partition: 3, alone)
        #expect(message.topic == expected.topic && message.partition == expected.partition)
        #expect(message.key == expected.key && message.key == Array(key.description.utf8))
        #expect(message.value == expected.value)
        #expect(message.headers == expected.headers)
        #expect(message.timestampMilliseconds == nil)
      }
    }
    #expect(written > 100)
  }

  @Test func `somebody of whom nothing is left is a deletion mark without headers`() {
    let key = PatientKey(epoch: 12, high: 1, low: .max)
    var writer = ChangelogWriter(partition: 0)
    _ = writer.message(Person(key: key), key: key)
    let message = writer.message(nil, key: key)
    #expect(message.key == Array(key.description.utf8))
    #expect(message.value == nil && message.headers.isEmpty)
  }
}
