import HandoffCodecs
package import Logging

/// The bounds of a drop folder and where it is.
package struct DropFolderSettings: Hashable, Sendable {
  package var path = ""
  /// Between two listings; a file must look the same in two of them.
  package var scanInterval: Duration = .seconds(1)
  /// A larger file is refused without being read.
  package var fileByteCountMax = 50_000_000
  /// Files taken in one scan; the rest waits for the next.
  package var filesPerScanMax = 1_000

  package init() {}
}

/// Takes files of messages out of a folder: HL7, FHIR JSON and NDJSON, one or many a file.
///
/// A complete file is read, its messages made durable together with a claim on the file, and the
/// file moved to `done`, or to `failed` with an explanation where any message was refused. A crash
/// between the two leaves a claimed file behind, which is only moved: taking it in again would
/// look like the sender's duplicate. Names of files are never logged; they may be people's names.
package final class DropFolder: Sendable {
  static let done = "done"
  static let failed = "failed"

  private let settings: DropFolderSettings
  private let intake: any FrameIntake
  private let logger: Logger
  private let access: FolderAccess

  package init(_ settings: DropFolderSettings, intake: any FrameIntake, logger: Logger) {
    self.settings = settings
    self.intake = intake
    self.logger = logger
    access = FolderAccess(path: settings.path)
  }

  /// Scans until cancelled.
  ///
  /// `afterScan` is told how many files were taken and whether some are not complete yet.
  package func run(
    clock: any Clock<Duration> = ContinuousClock(),
    afterScan: @Sendable (Int, Bool) -> Void = { _, _ in }
  ) async throws {
    try await access.prepare()
    var scan = FolderScan()
    while true {
      let taken = try await once(&scan)
      afterScan(taken, scan.isExpecting)
      // A timer for the folder, which sends no events; inotify would miss network file systems.
      try await clock.sleep(for: settings.scanInterval, tolerance: settings.scanInterval / 10)
    }
  }

  /// One scan; the number of files that were moved away.
  func once(_ scan: inout FolderScan) async throws -> Int {
    let (complete, strange) = scan.take(try await access.list())
    for entry in strange {
      logger.warning(
        "Entry of the drop folder is no file and stays where it is",
        metadata: ["kind": "\(entry.kind)", "entry": "inode \(entry.fileNumber)"])
    }
    var taken = 0
    for entry in complete.prefix(settings.filesPerScanMax) {
      try Task.checkCancellation()
      if try await take(entry) { taken += 1 }
    }
    return taken
  }

  /// Takes one file; `false` where it has to be looked at again.
  private func take(_ entry: FolderEntry) async throws -> Bool {
    let identity = FileIdentity(
      path: settings.path + "/" + entry.name, fileNumber: entry.fileNumber,
      byteCount: entry.byteCount, modified: entry.modified)
    let wasTaken = try await intake.wasTaken(identity)
    let report: String?
    do {
      let bytes = try await access.read(entry, byteCountMax: settings.fileByteCountMax)
      let messages: [MappedFrame]
      if wasTaken {
        logger.notice("File was taken in before a crash and is only moved")
        messages = intake.judge(bytes)
      } else {
        messages = try await intake.take([Arrival(bytes: bytes)], of: identity)
          .flatMap(\.messages)
      }
      report = Self.report(messages)
    } catch FolderAccess.FileFault.tooLong {
      report = try await refuseTooLong(identity, wasTaken: wasTaken)
    } catch let fault as FolderAccess.FileFault {
      if fault != .changed {
        logger.error(
          "File of the drop folder cannot be read",
          metadata: ["fault": "\(fault)", "entry": "inode \(entry.fileNumber)"])
      }
      return false
    }
    try await access.move(entry, to: report == nil ? Self.done : Self.failed, explanation: report)
    try await intake.release(identity)
    return true
  }

  private func refuseTooLong(
    _ identity: FileIdentity, wasTaken: Bool
  ) async throws(IntakeFailure) -> String {
    let error = MappingError(
      code("file.too-long"),
      explanation: "the file is longer than the limit fileBytesMax of "
        + "\(settings.fileByteCountMax) bytes",
      acknowledgement: .reject)
    if !wasTaken { _ = try await intake.take([Arrival(bytes: [], fault: error)], of: identity) }
    return Self.text([(1, error)], of: 1)
  }

  /// What the sender must put right; `nil` where nothing was refused.
  private static func report(_ messages: [MappedFrame]) -> String? {
    let refused = messages.compactMap { message in
      if case .refused(let error) = message.outcome { (message.index + 1, error) } else { nil }
    }
    return refused.isEmpty ? nil : text(refused, of: messages.count)
  }

  private static func text(_ refused: [(Int, MappingError)], of count: Int) -> String {
    var lines = ["\(refused.count) of \(count) messages of this file refused; the others are in."]
    for (number, error) in refused {
      let place = error.field.map { " at \($0)" } ?? ""
      lines.append("message \(number): \(error.code)\(place): \(error.explanation)")
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
