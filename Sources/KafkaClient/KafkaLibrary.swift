internal import CLibrdkafka

/// The librdkafka this process runs on, and what that version gets wrong.
///
/// Each gate is named after the defect it stands for, so that a newer distribution loses the
/// workaround without a change here.
public enum KafkaLibrary {
  /// The version linked at run time, as librdkafka prints it (for example "2.0.2").
  public static var version: String { String(cString: rd_kafka_version_str()) }

  /// The version as one number, `0xMMmmrrpp`: 2.0.2 is `0x020002ff`.
  public static var versionNumber: UInt32 { UInt32(bitPattern: rd_kafka_version()) }

  /// Trap 4: `rd_kafka_seek_partitions` takes its milliseconds for microseconds before 2.1.0.
  static var seekTimeoutIsThousandTimesShort: Bool { isBefore(2, 1, 0) }

  /// Trap 6: cooperative-sticky loses assignments, hangs or crashes before 2.10.0.
  static var cooperativeStickyIsBroken: Bool { isBefore(2, 10, 0) }

  /// Trap 13: LeaveGroup crashes when the coordinator is gone, before 2.14.2.
  static var leavingWithoutCoordinatorCrashes: Bool { isBefore(2, 14, 2) }

  /// Whether the library is older than the given release.
  static func isBefore(_ major: UInt32, _ minor: UInt32, _ revision: UInt32) -> Bool {
    versionNumber >> 8 < (major << 16 | minor << 8 | revision)
  }
}
