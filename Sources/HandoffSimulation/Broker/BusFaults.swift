/// What goes wrong on the bus itself: none of it may change a verdict.
package struct BusFaults: Hashable, Sendable {
  /// Of a batch: its transaction is aborted, and it is taken again.
  package var abort: Double
  /// Of a batch: the reconciler dies with the transaction open.
  package var crashBeforeCommit: Double
  /// Of a batch: the reconciler dies after the commit, without knowing that it succeeded.
  package var crashAfterCommit: Double
  /// Of a batch: the verdicts are there, what it wrote is there on some partitions only, and the
  /// state and the offset are not (kafka.md trap 20).
  package var torn: Double
  /// Of a batch: another instance takes the partition over while the transaction is open, and the one
  /// that had it goes on until it is told.
  package var handedOver: Double
  /// A second owner believes that it has every partition, and writes ticks too.
  package var isTickedTwice: Bool
  /// The most records of one batch.
  package var batchMax: Int

  package init(
    abort: Double = 0, crashBeforeCommit: Double = 0, crashAfterCommit: Double = 0,
    torn: Double = 0, handedOver: Double = 0, isTickedTwice: Bool = false, batchMax: Int = 500
  ) {
    self.abort = abort
    self.crashBeforeCommit = crashBeforeCommit
    self.crashAfterCommit = crashAfterCommit
    self.torn = torn
    self.handedOver = handedOver
    self.isTickedTwice = isTickedTwice
    self.batchMax = batchMax
  }

  package static let none = BusFaults()
  /// Every kind, often.
  package static let dense = BusFaults(
    abort: 0.05, crashBeforeCommit: 0.02, crashAfterCommit: 0.02, torn: 0.02, handedOver: 0.03,
    isTickedTwice: true, batchMax: 20)

  /// Ways in which a batch can end.
  package enum Outcome: String, CaseIterable, Hashable, Sendable {
    case committed, aborted, crashedBeforeCommit, crashedAfterCommit, torn, handedOver

    /// Whether the verdicts of the batch are there for readers of committed records.
    var isSeen: Bool {
      switch self {
      case .committed, .crashedAfterCommit, .torn: true
      case .aborted, .crashedBeforeCommit, .handedOver: false
      }
    }
  }

  func draw(_ chance: inout Chance) -> Outcome {
    let point = chance.unit()
    var limit = abort
    if point < limit { return .aborted }
    limit += crashBeforeCommit
    if point < limit { return .crashedBeforeCommit }
    limit += crashAfterCommit
    if point < limit { return .crashedAfterCommit }
    limit += torn
    if point < limit { return .torn }
    limit += handedOver
    return point < limit ? .handedOver : .committed
  }
}
