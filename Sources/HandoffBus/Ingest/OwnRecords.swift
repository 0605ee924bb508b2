import KafkaClient

/// How many records of each key were committed to a topic that is read along, and not read back.
///
/// They are left out by count: until as many of a key have come as were written, what comes is
/// older than the last of them or that one itself. So whoever applies its own records when they
/// are committed, and here only the rest, ends with the last of each key, as the topic does.
struct OwnRecords: Sendable {
  /// Keys that are remembered: more is a reader that hears nothing.
  static let countMax = 500_000

  private var counts: [[UInt8]: UInt32] = [:]

  var isFull: Bool { counts.count >= Self.countMax }

  /// Takes note of what was committed to the correlation topic.
  mutating func note(_ messages: [KafkaMessage]) {
    for message in messages where message.topic == Topic.correlation.name {
      counts[message.key ?? [], default: 0] += 1
    }
  }

  /// The records that others wrote, or that came behind what is counted here.
  mutating func others(among records: [KafkaRecord]) -> [KafkaRecord] {
    guard !counts.isEmpty else { return records }
    return records.filter { record in
      let key = record.key ?? []
      guard let count = counts[key] else { return true }
      counts[key] = count > 1 ? count - 1 : nil
      return false
    }
  }
}
