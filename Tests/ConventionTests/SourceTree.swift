import Foundation
import TestSupport

/// One text file of the repository.
struct SourceFile: Sendable, CustomStringConvertible {
  /// Relative to the package root.
  let path: String
  let text: String

  var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
  /// The second component: the target of a file in Sources or Tests.
  var target: String { path.split(separator: "/").dropFirst().first.map(String.init) ?? "" }
  var isGenerated: Bool { path.contains("/Generated/") }
  var description: String { path }
}

/// The committed files, as far as they are text.
enum SourceTree {
  static let swift = files(in: ["Sources", "Tests"]).filter { $0.path.hasSuffix(".swift") }
  static let sources = swift.filter { $0.path.hasPrefix("Sources/") }
  static let tests = swift.filter { $0.path.hasPrefix("Tests/") }
  static let documents =
    files(in: ["Sources"]).filter { $0.path.hasSuffix(".md") } + files(in: ["README.md"])
  static let scripts = files(in: ["deploy", ".ci"])
  static let all =
    files(in: [
      "Sources", "Tests", "Schemas", "deploy", ".ci", ".github", "README.md", "Package.swift",
      ".gitignore", ".swift-format",
    ])

  private static func files(in places: [String]) -> [SourceFile] {
    places.flatMap { place -> [SourceFile] in
      let start = PackageRoot.url.appending(path: place).path(percentEncoded: false)
      if let inside = FileManager.default.subpaths(atPath: start) {
        return inside.sorted().compactMap { file("\(place)/\($0)") }
      }
      return file(place).map { [$0] } ?? []
    }
  }

  private static func file(_ path: String) -> SourceFile? {
    let full = PackageRoot.url.appending(path: path)
    guard let data = try? Data(contentsOf: full), let text = String(bytes: data, encoding: .utf8)
    else { return nil }  // A folder, or not text.
    return SourceFile(path: path, text: text)
  }
}
