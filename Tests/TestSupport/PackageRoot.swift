public import Foundation

/// Where this package stands, whatever folder the tests are run from.
public enum PackageRoot {
  /// The folder of Package.swift.
  public static let url = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// Real messages written by others, beside the package; absent on most machines.
  public static let samples = url.appending(path: "../shared/samples").standardizedFileURL

  /// Whether ``samples`` is here, for `.enabled(if:)`.
  public static var hasSamples: Bool {
    FileManager.default.fileExists(atPath: samples.path(percentEncoded: false))
  }
}

/// A folder that is there for one test and gone after it.
public final class TemporaryFolder: Sendable {
  public let url: URL

  /// Makes an empty folder of a name that nothing else has.
  public init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "baton-test-\(UUID())")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  /// The path of `name` in the folder; `""` is the folder itself.
  public func path(_ name: String = "") -> String {
    (name.isEmpty ? url : url.appending(path: name)).path(percentEncoded: false)
  }
}
