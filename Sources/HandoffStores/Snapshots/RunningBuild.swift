import Crypto
import Foundation

/// The program that runs, told from every other build of it.
package enum RunningBuild {
  /// SHA-256 of the program's file, in hexadecimal digits; where it cannot be read, a name by
  /// chance, which no other process has.
  ///
  /// Made once a process, at some hundred megabytes of reading. Version numbers would not do: what
  /// only one build understands must not be read by the next one that forgot to count up.
  package static let fingerprint: String = {
    var digest = SHA256()
    guard let file = FileHandle(forReadingAtPath: "/proc/self/exe") else {
      return UUID().uuidString
    }
    do {
      while let part = try file.read(upToCount: 1 << 20), !part.isEmpty {
        digest.update(data: part)
      }
    } catch {
      return UUID().uuidString
    }
    return digest.finalize().map { byte in
      String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
    }.joined()
  }()
}
