import Foundation
import HandoffCodecs
import HandoffCore
import Synchronization

@testable import HandoffConnectors

/// An intake in memory: it keeps what it was given, and judges by what the text says.
///
/// Text with `REFUSE` in it is refused.
final class FakeIntake: FrameIntake {
  struct State {
    var taken: [Arrival] = []
    var groups: [Int] = []
    var claims: Set<FileIdentity> = []
    var failure: IntakeFailure?
    var failsToRelease = false
    /// Bodies by the id of their request.
    var requests: [String: [UInt8]] = [:]
    /// Waited for before anything is taken in: a disk that is slow.
    var hold: (@Sendable () async -> Void)?
  }

  let state = Mutex(State())

  var taken: [Arrival] { state.withLock { $0.taken } }
  var texts: [String] { taken.map { String(decoding: $0.bytes, as: UTF8.self) } }

  func take(
    _ arrivals: [Arrival], of file: FileIdentity?
  ) async throws(IntakeFailure) -> [Reception] {
    if let hold = state.withLock({ $0.hold }) { await hold() }
    if let request = arrivals.first?.request, let bytes = arrivals.first?.bytes {
      let known = state.withLock { $0.requests[request.id] }
      if let known {
        return [
          Reception(
            receptionIDs: [], messages: judge(bytes), repeated: known == bytes ? .same : .other)
        ]
      }
    }
    let (failure, first) = state.withLock { state in
      let first = state.taken.count
      if state.failure == nil {
        state.taken += arrivals
        state.groups.append(arrivals.count)
        if let file { state.claims.insert(file) }
        for arrival in arrivals {
          if let request = arrival.request { state.requests[request.id] = arrival.bytes }
        }
      }
      return (state.failure, first)
    }
    if let failure { throw failure }
    return arrivals.enumerated().map { index, arrival in
      let id = ReceptionID(rawValue: UInt128(first + index + 1))
      guard let fault = arrival.fault else {
        return Reception(receptionIDs: [id], messages: judge(arrival.bytes))
      }
      return Reception(
        receptionIDs: [id],
        messages: [MappedFrame(index: 0, range: 0..<0, outcome: .refused(fault))])
    }
  }

  func judge(_ bytes: [UInt8]) -> [MappedFrame] {
    let text = String(decoding: bytes, as: UTF8.self)
    let outcome: MappingOutcome =
      text.contains("REFUSE")
      ? .refused(
        MappingError(code("hl7.field-missing"), field: "PID-3", explanation: "must be there"))
      : .mapped(MappedMessage(messageType: "ADT^A01"))
    return [MappedFrame(index: 0, range: 0..<bytes.count, outcome: outcome)]
  }

  func wasTaken(_ file: FileIdentity) async throws(IntakeFailure) -> Bool {
    state.withLock { $0.claims.contains(file) }
  }

  func release(_ file: FileIdentity) async throws(IntakeFailure) {
    let fails = state.withLock { state in
      if !state.failsToRelease { state.claims.remove(file) }
      return state.failsToRelease
    }
    if fails { throw IntakeFailure(reason: code("baton.outbox-full"), explanation: "crash") }
  }
}

/// A folder of its own, gone with the test.
final class TemporaryFolder: Sendable {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "baton-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit {
    _ = try? FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: path)
    try? FileManager.default.removeItem(atPath: path)
  }

  func write(_ text: String, to name: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path + "/" + name))
  }

  func read(_ name: String) throws -> String {
    String(decoding: try Data(contentsOf: URL(fileURLWithPath: path + "/" + name)), as: UTF8.self)
  }

  func names(_ folder: String = "") -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: path + "/" + folder)) ?? []).sorted()
  }
}
