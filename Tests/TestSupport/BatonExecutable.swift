public import Foundation

/// The built `baton`, run as its users run it.
public enum BatonExecutable {
  /// What a finished run left behind.
  public struct Result: Sendable {
    public let status: Int32
    public let output: String
    public let errors: String
  }

  /// Beside the test bundle that is running; `nil` where the product was not built.
  public static let url: URL? = {
    let bundle = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
    let candidates = [
      bundle.appending(path: "baton"), PackageRoot.url.appending(path: ".build/debug/baton"),
    ]
    return candidates.first {
      FileManager.default.isExecutableFile(atPath: $0.path(percentEncoded: false))
    }
  }()

  /// Starts `baton`; what it prints goes to `output` and `errors` in `folder`.
  public static func start(
    _ arguments: [String], environment: [String: String] = [:], folder: URL
  ) throws -> Process {
    guard let url else { throw CocoaError(.fileNoSuchFile) }
    let process = Process()
    process.executableURL = url
    process.arguments = arguments
    process.currentDirectoryURL = folder
    process.environment = ProcessInfo.processInfo.environment
      .filter { !$0.key.hasPrefix("BATON_") }
      .merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try emptyFile("output", in: folder)
    process.standardError = try emptyFile("errors", in: folder)
    return process
  }

  /// Runs `baton` to its end.
  public static func run(
    _ arguments: [String], environment: [String: String] = [:]
  ) async throws -> Result {
    let folder = try TemporaryFolder()
    let process = try start(arguments, environment: environment, folder: folder.url)
    try await finish(process)
    return Result(
      status: process.terminationStatus, output: try text("output", in: folder.url),
      errors: try text("errors", in: folder.url))
  }

  /// Launches `process` and waits for its end without holding a thread.
  public static func finish(_ process: Process) async throws {
    try await withCheckedThrowingContinuation { (ended: CheckedContinuation<Void, any Error>) in
      process.terminationHandler = { _ in ended.resume() }
      do {
        try process.run()
      } catch {
        process.terminationHandler = nil
        ended.resume(throwing: error)
      }
    }
  }

  private static func emptyFile(_ name: String, in folder: URL) throws -> FileHandle {
    let file = folder.appending(path: name)
    try Data().write(to: file)
    return try FileHandle(forWritingTo: file)
  }

  private static func text(_ name: String, in folder: URL) throws -> String {
    String(decoding: try Data(contentsOf: folder.appending(path: name)), as: UTF8.self)
  }
}
