package import HandoffCore

/// Tells connectors of one name in two processes by what their heartbeats say in turn.
///
/// A process counts upwards: its total falls only where it begins anew with an empty data folder, and
/// then grows step by step. Where two processes beat under one name, one total is said, then the
/// other, then the first again. While both have counted the same, nothing tells them apart.
///
/// Two of one name do harm that no verdict shows: what one has handed over counts for both, so that
/// an answer which waits in the other is judged missing, and one that is silent hides behind the other.
package struct SourceVoices: Sendable {
  private struct Voice {
    var saidAt: Timestamp
    var total: UInt64
    /// What the total was before it fell.
    var lost: UInt64?
    var returnCount = 0
  }

  /// Once may be a restart with an empty folder that has counted as far again.
  private static let returnsLeast = 2

  private var voices: [Code: Voice] = [:]

  package init() {}

  /// Takes the heartbeats of the sources topic in the order in which they lie there.
  package mutating func hear(_ heartbeat: SourceHeartbeat) {
    guard var voice = voices[heartbeat.source] else {
      voices[heartbeat.source] = Voice(saidAt: heartbeat.at, total: heartbeat.framesTotal)
      return
    }
    // One that is passed on late is an old word, not another's.
    guard heartbeat.at >= voice.saidAt else { return }
    if heartbeat.framesTotal < voice.total {
      voice.lost = voice.total
    } else if let lost = voice.lost, heartbeat.framesTotal >= lost {
      voice.lost = nil
      voice.returnCount += 1
    }
    (voice.saidAt, voice.total) = (heartbeat.at, heartbeat.framesTotal)
    voices[heartbeat.source] = voice
  }

  /// Sources that more than one process speaks as, by name.
  package var doubled: [Code] {
    voices.filter { $0.value.returnCount >= Self.returnsLeast }.keys.sorted()
  }
}
