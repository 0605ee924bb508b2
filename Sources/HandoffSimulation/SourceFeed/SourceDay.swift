internal import HandoffCore

/// What befalls one connector on one day.
struct SourceDay: Hashable, Sendable {
  var fault: Fault
  var from: Timestamp
  var to: Timestamp

  /// Whether what the connector takes in meanwhile reaches the bus only at the end.
  var isSpooled: Bool { isMute || fault == .sourceBehind }

  /// Whether it says nothing at all meanwhile.
  var isMute: Bool { [.sourceSilent, .sourceRestarted, .sourceMaintained].contains(fault) }

  /// When it has handed over what it kept, and says so.
  var end: Timestamp { to.advanced(by: Self.release) }

  /// How long that takes.
  private static let release = Elapsed.seconds(30)
}
