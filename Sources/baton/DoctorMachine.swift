import Foundation
import HandoffBus
import HandoffCodecs
import HandoffCore
import HandoffStores
import KafkaClient

/// Looks at what is on this machine: library, folder, secrets, files, settings.
struct MachineDoctor {
  let configuration: BatonConfiguration
  var now: Timestamp = ConnectStack.systemTime()

  /// Two of one name meet at least every half minute.
  private static let fencingTold: Elapsed = .minutes(10)
  /// Below this the outbox soon stops taking messages.
  private static let freeBytesLeast: Int64 = 256 << 20
  /// Below this there is time to act.
  private static let freeBytesWell: Int64 = 2 << 30

  func findings() -> [Finding] {
    [library()] + dataFolder() + [secrets()] + ingest() + producerSettings()
  }

  private func library() -> Finding {
    let version = KafkaLibrary.version
    guard KafkaLibrary.versionNumber >= 0x0200_0200 else {
      return .fail(
        "librdkafka", "version \(version) is older than any that was tried",
        "Install librdkafka 2.0.2 or newer.")
    }
    return .ok("librdkafka", "version \(version)")
  }

  private func dataFolder() -> [Finding] {
    let folder = configuration.files.folder
    do {
      try configuration.files.makeFolder()
      let probe = URL(filePath: folder, directoryHint: .isDirectory)
        .appending(path: ".doctor-\(UUID())")
      try Data("probe".utf8).write(to: probe)
      try FileManager.default.removeItem(at: probe)
    } catch {
      let failure = CommandFailure.file(folder, doing: "write to", error)
      return [
        .fail("data folder", failure.what, failure.advice ?? "Name another folder with --data.")
      ]
    }
    return [.ok("data folder", "\(folder) can be written"), freeSpace(folder)]
  }

  private func freeSpace(_ folder: String) -> Finding {
    let attributes = try? FileManager.default.attributesOfFileSystem(forPath: folder)
    guard let free = (attributes?[.systemFreeSize] as? NSNumber)?.int64Value else {
      return .warn("disk", "the free space cannot be told", "See that there is room.")
    }
    let megabytes = "\(free >> 20) MB free"
    if free < Self.freeBytesLeast {
      return .fail("disk", megabytes, "Make room: senders are refused when the disk is full.")
    }
    if free < Self.freeBytesWell {
      return .warn("disk", megabytes, "Make room before the outbox and the audit log need it.")
    }
    return .ok("disk", megabytes)
  }

  private func secrets() -> Finding {
    let path = configuration.files.secrets
    do {
      let secrets = try Secrets.load(path: path)
      return .ok("secrets", "\(path) can be read by its owner only, epoch \(secrets.epoch)")
    } catch .missing {
      return .warn(
        "secrets", "\(path) is not there yet",
        "`baton up` makes it at first start. In service, keep a copy apart: without it no "
          + "identity can be opened again.")
    } catch .tooOpen {
      return .fail("secrets", "\(path) can be read by others", "Run: chmod 600 \(path)")
    } catch {
      return .fail("secrets", error.description, "Put the right file there, mode 600.")
    }
  }

  /// What ingest of this data folder says of itself.
  private func ingest() -> [Finding] {
    guard let status = CorrelationBoard.read(path: configuration.files.ingestStatus) else {
      return []
    }
    return ingestName(status) + correlation(status)
  }

  /// Whether another process of the same name shuts ingest out.
  private func ingestName(_ status: CorrelationStatus) -> [Finding] {
    guard let count = status.fencedCount, let text = status.fencedAt,
      let last = RFC3339.parse(text), now.since(last) < Self.fencingTold
    else { return [] }
    let times = counted(count, "time", "times")
    return [
      .fail(
        "ingest name",
        "another process ingests under the same --instance: it has shut this one out \(times), "
          + "last at \(text)",
        "Stop one of the two, or give each an --instance of its own: each undoes what the other "
          + "has under way, and messages wait. This is told for ten minutes after the last time.")
    ]
  }

  /// How full the correlation table is.
  private func correlation(_ status: CorrelationStatus) -> [Finding] {
    let says =
      "\(status.entries) of \(status.entriesMax) ids (\(status.percentFull) %),"
      + " \(status.bytes >> 20) MB, \(status.parked) answers wait, as of \(status.at)"
    let advice =
      "Raise correlation.entries-max, or lower correlation.days; when it is full ingest stops."
    return switch status.percentFull {
    case ..<80: [.ok("correlation", says)]
    case ..<95: [.warn("correlation", says, advice)]
    default: [.fail("correlation", says, advice)]
    }
  }

  /// Settings of librdkafka that would undo what safety rests on.
  private func producerSettings() -> [Finding] {
    let properties = configuration.kafka.properties
    var findings: [Finding] = []
    if let acks = properties["acks"] ?? properties["request.required.acks"],
      !["all", "-1"].contains(acks)
    {
      findings.append(
        .fail(
          "acks", "kafka.properties asks for fewer acknowledgements than all",
          "Remove it: a record that one broker has can be lost with that broker."))
    } else {
      findings.append(.ok("acks", "every record waits for all replicas in sync"))
    }
    if properties["partition.assignment.strategy"]?.contains("cooperative") ?? false,
      KafkaLibrary.versionNumber < 0x020a_0000
    {
      findings.append(
        .fail(
          "assignment", "cooperative-sticky loses and repeats records before librdkafka 2.10",
          "Remove partition.assignment.strategy; range is the default."))
    }
    return findings
  }
}
