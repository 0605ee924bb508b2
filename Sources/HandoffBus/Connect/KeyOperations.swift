import Foundation
package import HandoffCore
package import HandoffStores

/// What an operator does with the keys; ingest may run beside it.
package struct KeyOperations: Sendable {
  package let store: KeyStore
  private let secrets: Secrets

  /// Opens secrets, key-encryption keys and store of a deployment; makes none of them.
  ///
  /// - Throws: `SecretsError`, `KeyEncryptionKeyError` or `KeyStoreError`.
  package init(_ configuration: BatonConfiguration) throws {
    let files = configuration.files
    secrets = try Secrets.load(path: files.secrets)
    let keks = try ConnectStack.keks(configuration, secrets)
    guard FileManager.default.fileExists(atPath: files.keys) else {
      throw SecretsError.missing(path: files.keys)
    }
    store = try KeyStore(path: files.keys, keks: keks)
  }

  /// Begins the next epoch; ingest moves people to it as soon as it sees that.
  package func rotateEpoch(at time: Timestamp) async throws(KeyStoreError) -> UInt16 {
    try await store.adopt(base: secrets.baseEpoch, at: time)
    return try await store.beginEpoch(at: time)
  }

  /// The patient keys that an NHS number has in the epochs so far.
  package func patientKeys(
    of number: NHSNumber
  ) async throws(KeyStoreError) -> Set<PatientKey> {
    let book = try await store.epochs()
    let hashes = KeyedHashes(secrets.adopting(book))
    return Set(hashes.epochs.map { hashes.patientKey(KeyedHashes.basis(number), epoch: $0) })
  }

  /// The patient keys that are meant by their written form, or by their 64 hexadecimal digits.
  ///
  /// `nil` where it is neither.
  package func patientKeys(
    written text: String
  ) async throws(KeyStoreError) -> Set<PatientKey>? {
    if let key = PatientKey(text) { return [key] }
    guard let key = PatientKey("1." + text.lowercased()) else { return nil }
    return try await store.patientKeys(withHash: key.hash)
  }

  package func close() { store.close() }
}
