public import Foundation

/// A version of the contract that has landed: what it wrote must be read for ever.
///
/// `Schemas/landed/<number>/` holds records of every kind as that version wrote them, what they
/// meant, an audit log and a proof, and the compiled `.proto` files. `deploy/land-schemas` adds the
/// next one; a folder that is there is never written again.
public struct LandedVersion: Sendable, CustomStringConvertible {
  /// Counts up from 1.
  public let number: Int

  /// Where its files are.
  public let folder: URL

  public var description: String { "version \(number)" }

  /// Every landed version, the first one first.
  public static let all: [LandedVersion] = {
    let root = PackageRoot.url.appending(path: "Schemas/landed")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: root.path())) ?? []
    return names.compactMap { Int($0) }.sorted().map {
      LandedVersion(number: $0, folder: root.appending(path: "\($0)"))
    }
  }()

  /// The folder that is being written, where `deploy/land-schemas` runs the tests; `nil` elsewhere.
  public static var landing: URL? {
    ProcessInfo.processInfo.environment["BATON_LAND"].map {
      URL(filePath: $0, directoryHint: .isDirectory)
    }
  }

  /// The bytes of one of its files.
  public func bytes(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: folder.appending(path: name)))
  }

  /// The lines of one of its files, without their ends.
  public func lines(_ name: String) throws -> [[UInt8]] {
    try bytes(name).split(separator: 0x0a).map { Array($0) }
  }
}
