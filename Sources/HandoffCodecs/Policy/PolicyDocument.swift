package import HandoffCore

/// A policy file: the policy it sets, and the hash of its bytes, by which verdicts name it.
///
/// A file is taken whole or refused whole, with every fault listed by line: a clock that was
/// mistyped must not quietly become another one.
package struct PolicyDocument: Hashable, Sendable {
  /// The first line of every file: which keys it may have, and what they mean.
  package static let format = "baton.policy.v1"
  /// The largest file that is read.
  package static let bytesMax = 1 << 20
  /// How many rows of clocks a file may have.
  package static let rowsMax = 10_000
  /// How many profiles a file may have.
  package static let profilesMax = 100

  /// ``HandoffCore/Policy/hash`` is SHA-256 of the file's bytes.
  package var policy: Policy

  /// Everything that is wrong with one file.
  package struct Faults: Error, Hashable, Sendable, CustomStringConvertible {
    /// In the order of their lines.
    package var faults: [Fault]

    package var description: String {
      faults.map(\.description).joined(separator: "\n")
    }
  }

  /// One thing that is wrong with a file.
  package struct Fault: Hashable, Sendable, CustomStringConvertible {
    /// From 1; 0 where the file as a whole is meant.
    package var line: Int
    /// The key, from the top: `clocks[3].accept`.
    package var key: String
    package var problem: String

    package var description: String {
      let place = line > 0 ? "line \(line): " : ""
      return key.isEmpty ? "\(place)\(problem)" : "\(place)\(key): \(problem)"
    }
  }

  /// Reads a file.
  package init(_ bytes: [UInt8]) throws(Faults) {
    let root = try YAMLMapping.root(of: bytes, bytesMax: Self.bytesMax)
    var loader = PolicyLoader()
    let policy = loader.policy(root, hash: WireCodec.recordHash(bytes))
    guard let policy, loader.faults.isEmpty else { throw loader.sortedFaults }
    self.policy = policy
  }
}
