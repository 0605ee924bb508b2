package import HandoffCore

/// A file of the organisation register, and the hash of its bytes, by which activations name it.
///
/// Taken whole or refused whole, with every fault by line, as a policy file is.
package struct RegisterDocument: Hashable, Sendable {
  /// The first line of every file: which keys it may have, and what they mean.
  package static let format = "baton.register.v1"
  /// The largest file that is read: all open organisations of England fit.
  package static let bytesMax = 32 << 20
  /// How many organisations a file may have.
  package static let organisationsMax = 500_000

  /// ``HandoffCore/OrganisationRegister/hash`` is SHA-256 of the file's bytes.
  package var register: OrganisationRegister

  /// Reads a file.
  package init(_ bytes: [UInt8]) throws(PolicyDocument.Faults) {
    let root = try YAMLMapping.root(of: bytes, bytesMax: Self.bytesMax)
    var loader = PolicyLoader()
    let register = loader.register(root, hash: WireCodec.recordHash(bytes))
    guard let register, loader.faults.isEmpty else { throw loader.sortedFaults }
    self.register = register
  }

  /// Whether bytes say of themselves that they are a register, whatever else is wrong with them.
  package static func isRegister(_ bytes: [UInt8]) -> Bool {
    let head = String(decoding: bytes.prefix(4096), as: UTF8.self)
    return head.split(whereSeparator: \.isNewline).contains { line in
      line.hasPrefix("format:") && line.contains("baton.register.")
    }
  }
}
