import Foundation
import HandoffCodecs
import HandoffConnectors
import HandoffCore

/// A folder of messages, fed through real connectors over loopback: HL7 by MLLP, the rest as files
/// of a drop folder.
///
/// Each folder has connectors of its own, so that what became of its messages can be told from the
/// source that every event and dead letter names.
struct MessageFeed: Sendable {
  /// The files of one folder, and the connectors they go through.
  struct Folder: Sendable {
    let name: String
    let mllp: Code
    let drop: Code
    /// Where the drop folder's connector looks.
    let dropPath: String
    var files: [String] = []
  }

  /// What one folder was given to the connectors as.
  struct Fed: Sendable {
    let name: String
    /// The sources that its messages come from on the bus.
    let sources: Set<Code>
    var messages = 0
    /// Files that could not be read, by permission for instance.
    var unreadable = 0
    /// Answers by their code: `AA`, `AE`, `AR`; `none` where the standard asks for none.
    var answers: [String: Int] = [:]
  }

  private(set) var folders: [Folder] = []

  /// Finds the files below `path`; those right in it belong to the folder `.`.
  init(path: String, dropRoot: String) throws {
    guard Self.kind(path) == .typeDirectory else {
      throw CommandFailure(
        .noInput, "There is no folder \(path).", advice: "Name a folder with --messages.")
    }
    guard FileManager.default.isReadableFile(atPath: path),
      let names = FileManager.default.subpaths(atPath: path)
    else {
      throw CommandFailure(
        .noPermission, "The folder \(path) cannot be read.",
        advice: "Give this user the right to read it.")
    }
    var groups: [String: [String]] = [:]
    for name in names.sorted() {
      let full = "\(path)/\(name)"
      if Self.kind(full) == .typeRegular {
        let parts = name.split(separator: "/")
        groups[parts.count > 1 ? String(parts[0]) : ".", default: []].append(full)
      }
    }
    for (index, group) in groups.sorted(by: { $0.key < $1.key }).enumerated() {
      let slug = Self.slug(group.key, index)
      guard let mllp = Code("\(slug).mllp"), let drop = Code("\(slug).file") else { continue }
      folders.append(
        Folder(
          name: group.key, mllp: mllp, drop: drop, dropPath: "\(dropRoot)/\(slug)",
          files: group.value))
    }
  }

  /// One MLLP listener on a free port and one drop folder for each folder.
  var connectors: [ConnectorConfiguration] {
    folders.flatMap { folder in
      var mllp = MLLPSettings()
      mllp.port = 0
      var drop = DropFolderSettings()
      drop.path = folder.dropPath
      drop.scanInterval = .milliseconds(100)
      return [
        ConnectorConfiguration(name: folder.mllp, source: .mllp(mllp)),
        ConnectorConfiguration(name: folder.drop, source: .dropFolder(drop)),
      ]
    }
  }

  /// Hands one folder's messages over; returns when every answer is in.
  func feed(_ folder: Folder, port: Int) async throws -> Fed {
    var fed = Fed(name: folder.name, sources: [folder.mllp, folder.drop])
    var frames: [[UInt8]] = []
    for (index, file) in folder.files.enumerated() {
      guard let data = FileManager.default.contents(atPath: file) else {
        fed.unreadable += 1
        continue
      }
      let bytes = Array(data)
      let messages = FrameMapper().map(bytes)
      fed.messages += messages.count
      switch FrameFormat.detect(bytes) {
      case .hl7: frames += messages.map { Array(bytes[$0.range]) }
      case .json, .ndjson, .xml, .empty, .utf16, .unknown:
        try Self.drop(data, into: folder.dropPath, as: "message-\(index)")
      }
    }
    // One at a time: what cannot be read is answered under no id of its own, and could otherwise
    // not be told from the answer to its neighbour.
    for frame in frames {
      var answer: String
      do {
        answer = try await MLLPSender(port: port).send([frame]).first??.acknowledgement ?? "none"
      } catch MLLPSenderError.unmatchedAnswer {
        answer = "unmatched"
      }
      fed.answers[answer, default: 0] += 1
    }
    return fed
  }

  /// Whether every file has been taken out of the drop folders.
  var isTaken: Bool {
    folders.allSatisfy { Self.isEmpty($0.dropPath) }
  }

  /// Removes the copies that the drop folders keep of what they took.
  ///
  /// They name people in clear; the messages that were fed stay where they are.
  func removeCopies() {
    for folder in folders {
      for kept in [
        "\(folder.dropPath)/done", "\(folder.dropPath)/failed", "\(folder.dropPath).parts",
      ] {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: kept)) ?? [] {
          try? FileManager.default.removeItem(atPath: "\(kept)/\(name)")
        }
      }
    }
  }

  /// Writes beside the folder and renames into it, so that no half file is ever seen.
  static func drop(_ data: Data, into folder: String, as name: String) throws {
    let part = "\(folder).parts"
    do {
      for path in [folder, part] {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      }
      try data.write(to: URL(filePath: "\(part)/\(name)"))
      try FileManager.default.moveItem(atPath: "\(part)/\(name)", toPath: "\(folder)/\(name)")
    } catch {
      throw CommandFailure.file(folder, doing: "write to", error)
    }
  }

  /// Whether no file waits in a drop folder; `done` and `failed` are its own.
  static func isEmpty(_ folder: String) -> Bool {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.allSatisfy { ["done", "failed"].contains($0) || $0.hasPrefix(".") }
  }

  /// What stands at `path`, whatever link leads there; `nil`: nothing.
  private static func kind(_ path: String) -> FileAttributeType? {
    let real = URL(filePath: path).resolvingSymlinksInPath().path(percentEncoded: false)
    return try? FileManager.default.attributesOfItem(atPath: real)[.type] as? FileAttributeType
  }

  /// A name that can be a source id; folders whose names cannot are numbered.
  private static func slug(_ name: String, _ index: Int) -> String {
    let isPlain = name.utf8.count <= 40 && name != "." && Code("\(name).file") != nil
    return isPlain && !name.contains("/") ? name : "folder-\(index)"
  }
}
