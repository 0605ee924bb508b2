/// What a listing says of one entry of a folder.
struct FolderEntry: Hashable, Sendable {
  enum Kind: Hashable, Sendable { case file, folder, link, other }

  var name: String
  var kind: Kind
  var fileNumber: UInt64
  var byteCount: UInt64
  /// Nanoseconds since 1970.
  var modified: Int64
}

/// Decides which files of a folder are complete; a value, told what each listing shows.
///
/// A file is complete when two listings in a row show it the same. That holds for a file renamed
/// into place and for one written in place by a writer that pauses for less than the interval.
struct FolderScan {
  private var last: [String: FolderEntry] = [:]
  /// Names that were reported as nothing that can be taken: once is enough.
  private var reported: Set<String> = []

  /// The complete files, oldest first, and what is newly found that is no file.
  mutating func take(
    _ listing: [FolderEntry]
  ) -> (complete: [FolderEntry], strange: [FolderEntry]) {
    let candidates = listing.filter { !Self.isIgnored($0) }
    let files = candidates.filter { $0.kind == .file }
    let complete = files.filter { last[$0.name] == $0 }.sorted {
      ($0.modified, $0.name) < ($1.modified, $1.name)
    }
    let strange = candidates.filter { $0.kind != .file && !reported.contains($0.name) }
    reported = Set(candidates.filter { $0.kind != .file }.map(\.name))
    last = Dictionary(files.map { ($0.name, $0) }) { $1 }
    return (complete, strange)
  }

  /// Whether files were seen whose next listing may find complete.
  var isExpecting: Bool { !last.isEmpty }

  private static func isIgnored(_ entry: FolderEntry) -> Bool {
    entry.name.hasPrefix(".") || entry.name.hasSuffix(".tmp") || entry.name.hasSuffix(".part")
      || (entry.kind == .folder && [DropFolder.done, DropFolder.failed].contains(entry.name))
  }
}
