internal import Foundation

/// A committed file that is made by code: the test that makes it holds the two equal.
///
/// `deploy/generate-schemas` sets UPDATE_GOLDEN=1, and the file is written before it is read.
public enum GoldenFile {
  /// What the file holds, after an update where one is asked for.
  public static func text(_ path: String, madeAs made: String) throws -> String {
    let url = PackageRoot.url.appending(path: path)
    if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(made.utf8).write(to: url)
    }
    return (try? String(contentsOf: url, encoding: .utf8)) ?? ""
  }

  /// What a file of the repository holds.
  public static func read(_ path: String) throws -> String {
    try String(contentsOf: PackageRoot.url.appending(path: path), encoding: .utf8)
  }

  /// What a test says where a file is not as code makes it.
  public static let advice: Comment = "run deploy/generate-schemas, and commit what it writes"

  /// Words for a test's failure.
  public typealias Comment = String
}
