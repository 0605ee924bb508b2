package import Crypto
package import HandoffCore

/// What a data key seals.
package enum DataKeyName: Hashable, Sendable, CustomStringConvertible {
  /// All that is said of one person; destroying it erases the person.
  case person(PatientKey)
  /// The dead letters of one day, `yyyy-mm-dd` in UTC; destroyed with them.
  case deadLetters(day: String)

  package var description: String {
    switch self {
    case .person(let key): "person/\(key)"
    case .deadLetters(let day): "dead-letters/\(day)"
    }
  }
}

/// What a patient key is the hash of: kind and number, or kind, assigner and local id.
///
/// With it the key of the next epoch can be made. It is kept sealed under the person's data key,
/// so that it is gone with that key. Prints redacted.
package struct PersonBasis: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
  package let parts: [[UInt8]]

  package init(parts: [[UInt8]]) { self.parts = parts }

  package var description: String { "PersonBasis(redacted)" }
  package var customMirror: Mirror { Mirror(self, children: []) }

  /// Each part after its length.
  var bytes: [UInt8] {
    parts.flatMap { part in
      (0..<4).map { UInt8(truncatingIfNeeded: part.count >> (24 - 8 * $0)) } + part
    }
  }

  /// Reads ``bytes``; `nil` for anything else.
  init?(bytes: [UInt8]) {
    var parts: [[UInt8]] = []
    var rest = bytes[...]
    while !rest.isEmpty {
      guard rest.count >= 4 else { return nil }
      let count = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
      rest = rest.dropFirst(4)
      guard rest.count >= count else { return nil }
      parts.append(Array(rest.prefix(count)))
      rest = rest.dropFirst(count)
    }
    self.parts = parts
  }
}

/// A person on the way from the key of one epoch to that of the next.
package struct PersonMove: Hashable, Sendable {
  /// The key of the earlier epoch.
  package var old: PatientKey
  /// The same person's key in the current epoch.
  package var new: PatientKey
  /// Where a merge or link had taken ``old`` before: then ``new`` goes there too.
  package var mergedInto: PatientKey?

  package init(old: PatientKey, new: PatientKey, mergedInto: PatientKey? = nil) {
    self.old = old
    self.new = new
    self.mergedInto = mergedInto
  }

  /// The key whose records move.
  package var from: PatientKey { mergedInto == nil ? old : new }
  /// The key they move to.
  package var to: PatientKey { mergedInto ?? new }
}

/// A person of an earlier epoch, as the key store knows them.
package enum EarlierPerson: Hashable, Sendable {
  /// Still under the key of that epoch.
  case staying
  /// Was merged into, or linked with, this key before the epoch ended.
  case merged(into: PatientKey)
}

/// Why the key store did not give a key.
package enum KeyStoreError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The key-encryption key of this id is another than the one the store was made with.
  case wrongKeyEncryptionKey(id: String)
  /// Keys are wrapped with a key-encryption key that is not configured.
  case missingKeyEncryptionKey(id: String)
  /// A stored key does not open, though the key-encryption key is right: it was altered.
  case corrupt
  /// The file was written by a later version of Baton.
  case newer(version: Int)
  /// The epoch of the secrets file is not the one that the store began with.
  case epochMismatch(file: UInt16, store: UInt16)
  /// The epoch before has people still that could move; let that end first.
  case epochUnfinished(UInt16)
  /// What was destroyed still stands in the write-ahead log: somebody reads it; try again.
  case destructionUnfinished
  case notWritable
  case diskFull
  case inUse
  case failed(code: Int32)

  package var description: String {
    switch self {
    case .wrongKeyEncryptionKey(let id):
      "key store: the key-encryption key \(id) is not the one that its keys were wrapped with"
    case .missingKeyEncryptionKey(let id):
      "key store: keys are wrapped with the key-encryption key \(id), which is not configured"
    case .corrupt: "key store: a stored key was altered"
    case .newer(let version): "key store: written by a later version (layout \(version))"
    case .epochMismatch(let file, let store):
      "key store: began with epoch \(store), but the secrets file says \(file)"
    case .epochUnfinished(let epoch):
      "key store: people are still on their way to epoch \(epoch)"
    case .destructionUnfinished:
      "key store: what was destroyed is still in the write-ahead log"
    case .notWritable: "key store: file or folder cannot be written"
    case .diskFull: "key store: no space left on the disk"
    case .inUse: "key store: in use by another process"
    case .failed(let code): "key store: SQLite error \(code)"
    }
  }
}

/// What ingest asks of the store of data keys; the SQLite file is one, a shared database may come.
///
/// Every change is on the disk when its call returns, and may be repeated: the one who asks can
/// end between any two.
package protocol DataKeys: Sendable {
  /// The keys of `names`, made where they are missing, in one commit.
  ///
  /// `bases` says whose keys they are, as far as that is known: it is kept for the next epoch.
  func keys(
    for names: Set<DataKeyName>, bases: [PatientKey: PersonBasis]
  ) async throws(KeyStoreError) -> [DataKeyName: SymmetricKey]

  /// The key of `name` where it exists: for opening what was sealed.
  func existingKey(for name: DataKeyName) async throws(KeyStoreError) -> SymmetricKey?

  /// The epochs; what other processes changed or destroyed is noticed here.
  func epochs() async throws(KeyStoreError) -> EpochBook

  /// Destroys the keys of the dead letters of every day before `day`; returns how many.
  @discardableResult
  func eraseDeadLetters(before day: String) async throws(KeyStoreError) -> Int

  /// Notes the epoch of the secrets file; it must be the one that the store began with.
  func adopt(base epoch: UInt16, at time: Timestamp) async throws(KeyStoreError)

  /// Whether there are people of earlier epochs of whom only the pseudonym is known.
  func hasUnknownPeople() async throws(KeyStoreError) -> Bool

  /// Notes that merges and links take keys (the dictionary's) to others (its values); the first
  /// word on a key stands.
  func noteMerges(_ merges: [PatientKey: PatientKey]) async throws(KeyStoreError)

  /// Those of `keys`, all of earlier epochs, that have not moved to the current one.
  func earlier(
    among keys: Set<PatientKey>
  ) async throws(KeyStoreError) -> [PatientKey: EarlierPerson]

  /// People of earlier epochs whose turn it is to move, after `key` in the order of keys.
  ///
  /// Left out are those that cannot move: whose key was destroyed or altered, or of whom only the
  /// pseudonym is known.
  func peopleToMove(
    after key: PatientKey?, limit: Int
  ) async throws(KeyStoreError) -> [(key: PatientKey, basis: PersonBasis)]

  /// Puts the data keys of moving people under their new names too; before the move is published.
  func prepare(_ moves: [PersonMove]) async throws(KeyStoreError)

  /// Notes that the moves are published.
  func settle(_ moves: [PersonMove]) async throws(KeyStoreError)

  /// Notes that nobody is left who could move by themselves.
  func finishMoving() async throws(KeyStoreError)

  /// Of `keys`, those of which only the pseudonym is known.
  func withoutBasis(
    among keys: Set<PatientKey>
  ) async throws(KeyStoreError) -> Set<PatientKey>
}

extension DataKeys {
  /// The keys of `names`, of whom nothing more is known.
  package func keys(
    for names: Set<DataKeyName>
  ) async throws(KeyStoreError) -> [DataKeyName: SymmetricKey] {
    try await keys(for: names, bases: [:])
  }
}
