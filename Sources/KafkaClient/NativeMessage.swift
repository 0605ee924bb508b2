internal import CLibrdkafka

/// Hands messages to `rd_kafka_produceva`.
enum NativeMessage {
  /// What an empty key or value points to: a null pointer would mean Kafka's null.
  private nonisolated(unsafe) static let nothing = UnsafeMutableRawPointer.allocate(
    byteCount: 1, alignment: 1)

  /// Copies the message into librdkafka's queue; nil if it was accepted.
  ///
  /// librdkafka 2.0.2, kafka.md trap 8: for a partition that does not exist `rd_kafka_produceva`
  /// frees headers twice if it built them from `RD_KAFKA_VTYPE_HEADER`. A list of our own
  /// (`RD_KAFKA_VTYPE_HEADERS`) stays ours on failure, and the caller has checked the partition.
  static func produce(
    _ message: KafkaMessage, to topic: OpaquePointer, client: OpaquePointer,
    opaque: UnsafeMutableRawPointer?
  ) -> KafkaError? {
    let headers = makeHeaders(message.headers)
    let error = withBytes(message.key) { key in
      withBytes(message.value) { value in
        withUnsafeTemporaryAllocation(of: rd_kafka_vu_t.self, capacity: 8) { arguments in
          var count = 0
          func add(_ type: rd_kafka_vtype_t, _ set: (inout rd_kafka_vu_t) -> Void) {
            var argument = rd_kafka_vu_t()
            argument.vtype = type
            set(&argument)
            arguments.initializeElement(at: count, to: argument)
            count += 1
          }
          add(RD_KAFKA_VTYPE_RKT) { $0.u.rkt = topic }
          add(RD_KAFKA_VTYPE_PARTITION) { $0.u.i32 = message.partition ?? -1 }
          add(RD_KAFKA_VTYPE_MSGFLAGS) { $0.u.i = RD_KAFKA_MSG_F_COPY }
          add(RD_KAFKA_VTYPE_KEY) { $0.u.mem = .init(ptr: key.baseAddress, size: key.count) }
          add(RD_KAFKA_VTYPE_VALUE) { $0.u.mem = .init(ptr: value.baseAddress, size: value.count) }
          add(RD_KAFKA_VTYPE_OPAQUE) { $0.u.ptr = opaque }
          if let time = message.timestampMilliseconds {
            add(RD_KAFKA_VTYPE_TIMESTAMP) { $0.u.i64 = time }
          }
          if let headers { add(RD_KAFKA_VTYPE_HEADERS) { $0.u.headers = headers } }
          return KafkaError(
            consuming: rd_kafka_produceva(client, arguments.baseAddress, count))
        }
      }
    }
    if error != nil, let headers { rd_kafka_headers_destroy(headers) }
    return error
  }

  private static func makeHeaders(_ headers: [KafkaHeader]) -> OpaquePointer? {
    guard !headers.isEmpty else { return nil }
    let list = rd_kafka_headers_new(headers.count)
    for header in headers {
      // A short name stands in the string itself; as a C string it would go by the heap.
      var name = header.name
      name.withUTF8 { name in
        name.withMemoryRebound(to: CChar.self) { name in
          withBytes(header.value) { value in
            _ = rd_kafka_header_add(
              list, name.baseAddress, name.count, value.baseAddress, value.count)
          }
        }
      }
    }
    return list
  }

  private static func withBytes<Result>(
    _ bytes: [UInt8]?, _ body: (UnsafeMutableRawBufferPointer) -> Result
  ) -> Result {
    guard let bytes else { return body(UnsafeMutableRawBufferPointer(start: nil, count: 0)) }
    guard !bytes.isEmpty else {
      return body(UnsafeMutableRawBufferPointer(start: nothing, count: 0))
    }
    return bytes.withUnsafeBytes { body(UnsafeMutableRawBufferPointer(mutating: $0)) }
  }
}
