import HandoffBus
import HandoffCodecs
import HandoffStores
import KafkaClient

/// What it costs to stamp a record and to check a stamp, beside decoding the same record.
struct StampBench {
  let sizes: BenchSizes

  func run() throws -> [BenchResult] {
    var (stamping, checking): ([Double], [Double]) = ([], [])
    let stamp = RecordStamp(RecordSecrets.generate())
    let codec = WireCodec()
    let messages = (0..<10_000).map {
      KafkaMessage(topic: .events, codec.encode(BenchEvent.request($0)))
    }
    let rounds = max(1, sizes.events / messages.count)
    for _ in 0..<sizes.runs {
      var records: [KafkaRecord] = []
      let stampTime = ContinuousClock().measure {
        for _ in 0..<rounds {
          records = messages.map { message in
            let stamped = stamp.stamped(message, by: .ingest)
            return KafkaRecord(
              topic: stamped.topic, partition: 0, offset: 0, key: stamped.key,
              value: stamped.value, headers: stamped.headers)
          }
        }
      }
      var forged = 0
      let checkTime = ContinuousClock().measure {
        for _ in 0..<rounds {
          for record in records where stamp.forgery(in: record) != nil { forged += 1 }
        }
      }
      guard forged == 0 else { throw BenchFault.wrongCount }
      let count = Double(rounds * messages.count)
      stamping.append(count / BenchMeter.seconds(stampTime))
      checking.append(count / BenchMeter.seconds(checkTime))
    }
    return [
      BenchResult("stamps: records stamped by their writer", "records/s", stamping),
      BenchResult("stamps: records checked by their reader", "records/s", checking),
    ]
  }
}
