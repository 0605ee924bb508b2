import Foundation

/// Where everything that this machine keeps has its place, below one folder.
///
/// The folder is made with mode 0700: what is in it belongs to the user that runs Baton.
package struct DataFiles: Sendable {
  /// The folder itself.
  package let folder: String
  private let secretsFile: String?
  private let recordSecretsFile: String?

  package init(_ configuration: BatonConfiguration) {
    folder = configuration.dataFolder
    secretsFile = configuration.secretsFile
    recordSecretsFile = configuration.recordSecretsFile
  }

  /// The secrets that only ingest holds.
  package var secrets: String { secretsFile ?? path("secrets.json") }
  /// What the bus's own records are stamped with; connectors outside the boundary never have it.
  package var recordSecrets: String { recordSecretsFile ?? path("record-secrets.json") }
  /// What a connector outside the boundary tells files apart with; it says nothing of anybody.
  package var claimSecrets: String { path("claims.json") }
  /// The data keys of people, wrapped.
  package var keys: String { path("keys.sqlite") }
  /// What was received and is not yet published.
  package var outbox: String { path("outbox.sqlite") }
  /// How full ingest's memory is, as it says itself every minute; holds nothing of a person.
  package var ingestStatus: String { path("ingest-status.json") }
  /// Copies of the reconciler's memory, which quicken a restart; they may be deleted at any time.
  package var snapshots: String { path("snapshots") }
  /// Rows, tiles and checkpoints of the audit log.
  package var audit: String { path("audit") }
  /// The key that signs checkpoints; only the signer of a deployment has it.
  package var checkpointKey: String { path("checkpoint.key") }
  /// What verifies checkpoints, to be given to anybody.
  package var checkpointPublicKey: String { path("checkpoint.pub") }

  /// Makes the folder where it is missing.
  ///
  /// - Throws: what the system says; its error number tells permission, full disk and the rest.
  package func makeFolder() throws {
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true,
      attributes: [.posixPermissions: NSNumber(value: 0o700)])
  }

  private func path(_ name: String) -> String {
    URL(filePath: folder, directoryHint: .isDirectory).appending(path: name)
      .path(percentEncoded: false)
  }
}

extension BatonConfiguration {
  /// Where everything that this machine keeps has its place.
  package var files: DataFiles { DataFiles(self) }
}
