import Crypto
import HandoffCore
import HandoffStores
import Synchronization

@testable import HandoffBus

/// Where the process ends: before or after the n-th thing that it does to a file or a topic.
final class CrashPlan: Sendable {
  private struct State {
    var isArmed = false
    var left: Int?
    var count = 0
  }

  private let state = Mutex(State())

  /// How often ``goesOn()`` was asked since ``arm(after:)``.
  var count: Int { state.withLock { $0.count } }

  /// Counts from here on; with a number the process ends after so many.
  func arm(after steps: Int?) {
    state.withLock { $0 = State(isArmed: true, left: steps) }
  }

  /// False at the one moment at which the process ends; what comes later is the next process.
  func goesOn() -> Bool {
    state.withLock { state in
      guard state.isArmed else { return true }
      state.count += 1
      guard let left = state.left else { return true }
      state.left = left == 0 ? nil : left - 1
      return left != 0
    }
  }
}

/// The key store of a process that may end before or after every change.
struct CrashingKeys: DataKeys {
  let keys: KeyStore
  let crash: CrashPlan

  private func step<Value: Sendable>(
    _ body: () async throws(KeyStoreError) -> Value
  ) async throws(KeyStoreError) -> Value {
    guard crash.goesOn() else { throw .failed(code: 9) }
    let value = try await body()
    guard crash.goesOn() else { throw .failed(code: 9) }
    return value
  }

  func keys(
    for names: Set<DataKeyName>, bases: [PatientKey: PersonBasis]
  ) async throws(KeyStoreError) -> [DataKeyName: SymmetricKey] {
    try await step { () async throws(KeyStoreError) in
      try await keys.keys(for: names, bases: bases)
    }
  }

  func existingKey(for name: DataKeyName) async throws(KeyStoreError) -> SymmetricKey? {
    try await keys.existingKey(for: name)
  }

  func eraseDeadLetters(before day: String) async throws(KeyStoreError) -> Int {
    try await keys.eraseDeadLetters(before: day)
  }

  func epochs() async throws(KeyStoreError) -> EpochBook { try await keys.epochs() }

  func adopt(base epoch: UInt16, at time: Timestamp) async throws(KeyStoreError) {
    try await keys.adopt(base: epoch, at: time)
  }

  func hasUnknownPeople() async throws(KeyStoreError) -> Bool {
    try await keys.hasUnknownPeople()
  }

  func noteMerges(_ merges: [PatientKey: PatientKey]) async throws(KeyStoreError) {
    try await step { () async throws(KeyStoreError) in try await keys.noteMerges(merges) }
  }

  func earlier(
    among people: Set<PatientKey>
  ) async throws(KeyStoreError) -> [PatientKey: EarlierPerson] {
    try await keys.earlier(among: people)
  }

  func peopleToMove(
    after key: PatientKey?, limit: Int
  ) async throws(KeyStoreError) -> [(key: PatientKey, basis: PersonBasis)] {
    // Two at a time, so that there is a half-way.
    try await keys.peopleToMove(after: key, limit: min(limit, 2))
  }

  func prepare(_ moves: [PersonMove]) async throws(KeyStoreError) {
    try await step { () async throws(KeyStoreError) in try await keys.prepare(moves) }
  }

  func settle(_ moves: [PersonMove]) async throws(KeyStoreError) {
    try await step { () async throws(KeyStoreError) in try await keys.settle(moves) }
  }

  func finishMoving() async throws(KeyStoreError) {
    try await step { () async throws(KeyStoreError) in try await keys.finishMoving() }
  }

  func withoutBasis(
    among people: Set<PatientKey>
  ) async throws(KeyStoreError) -> Set<PatientKey> {
    try await keys.withoutBasis(among: people)
  }
}
