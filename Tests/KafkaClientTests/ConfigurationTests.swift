import Testing

@testable import KafkaClient

@Suite struct ConfigurationTests {
  @Test(arguments: [
    ("no.such.property", "1", "No such configuration property"),
    ("socket.timeout.ms", "soon", "socket.timeout.ms"),
    ("group.id", "mine", "set by the client"),
    ("partition.assignment.strategy", "cooperative-sticky", "needs librdkafka 2.10"),
  ])
  func `a property that cannot be set is named in the error`(
    name: String, value: String, text: String
  ) {
    let error = #expect(throws: KafkaError.self) {
      try KafkaReader(.test(["127.0.0.1:1"], [name: value]))
    }
    #expect(error?.code == .invalidArgument)
    #expect(error?.disposition == .close)
    #expect(error?.message.contains(text) == true)
  }

  @Test func `the description of a configuration keeps its secrets`() {
    let configuration = KafkaConfiguration.test(["broker:9092"], ["sasl.password": "hunter2"])
    #expect(!"\(configuration)".contains("hunter2"))
    #expect("\(configuration)".contains("sasl.password"))
  }

  @Test func `workarounds are gated by the number of the version`() {
    #expect(KafkaLibrary.isBefore(99, 0, 0))
    #expect(!KafkaLibrary.isBefore(1, 0, 0))
    #expect(KafkaLibrary.version.split(separator: ".").count >= 3)
  }

  @Test func `durations become milliseconds rounded up, and never wrap`() {
    #expect(Duration.microseconds(1).milliseconds == 1)
    #expect(Duration.seconds(3).milliseconds == 3000)
    #expect(Duration.seconds(1 << 40).timeoutMs == Int32.max)
    #expect(Duration.seconds(-1).timeoutMs == 0)
  }
}
