/// The states of one owned partition, from taking it to letting it go.
///
/// Everything that decides whether a batch counts is here, as a value without I/O: the executor
/// (`PartitionWorker`) performs each ``Step`` and reports what came of it as an ``Input``. A step
/// that cannot follow traps, because going on from it would count a batch twice or not at all.
///
/// ```
/// unassigned ─ assigned → fencing ─ fenced → restoring ─ restored → idle ⇄ publishing ⇄ committing
///      ↑                                                                        │
///      └──────────── leaving ← revoked, or fenced by a successor ──────── aborting
/// ```
package struct DeliveryLoop: Hashable, Sendable {
  /// Where the partition stands.
  package enum Phase: Hashable, Sendable {
    /// Another member's, or nobody's.
    ///
    /// Can become ``fencing``.
    case unassigned
    /// `init_transactions` is under way: it fences the predecessor and aborts what it left open.
    ///
    /// Only after it does the changelog's end hold still. Can become ``restoring`` or ``leaving``.
    case fencing
    /// The changelog is read up to its end as it was after the fence.
    ///
    /// Can become ``idle`` or ``leaving``.
    case restoring
    /// Memory is what the last committed transaction says; the next batch may come.
    ///
    /// Can become ``publishing`` or ``leaving``.
    case idle
    /// A batch is applied to memory and its records are on their way in an open transaction.
    ///
    /// Can become ``committing`` or ``aborting``.
    case publishing
    /// The commit is called and cannot be called back: it ends as committed or as failed.
    ///
    /// Can become ``idle``, ``aborting`` or ``leaving``.
    case committing(isRevoked: Bool)
    /// The transaction is being aborted; memory is already rolled back.
    ///
    /// Can become ``idle`` or ``leaving``.
    case aborting(isRevoked: Bool)
    /// Memory is dropped and the producer closed.
    ///
    /// Can become ``unassigned``.
    case leaving(thenRejoin: Bool)
  }

  /// What happened.
  package enum Input: Hashable, Sendable {
    case partitionAssigned
    case predecessorFenced
    case stateRestored
    case batchPolled
    /// Every record of the batch is with the broker, the offsets are in the transaction.
    case batchPublished
    case batchCommitted
    case transactionAborted
    /// A call failed in a way that only an abort heals: the batch is taken again.
    case failedNeedingAbort
    /// The client is done for: fenced by a successor, or broken.
    case failedForGood
    /// The group takes the partition away, or the service ends.
    case partitionRevoked
  }

  /// What the executor has to do next.
  package enum Step: Hashable, Sendable {
    /// Call `init_transactions`.
    case fencePredecessor
    /// Measure the changelog's end and read up to it.
    case restoreState
    case poll
    /// Apply the batch and write verdicts, changelog and offsets into one transaction.
    case applyAndPublish
    case commit
    /// Forget how to undo the batch: it is on the log.
    case keepBatch
    /// Undo the batch in memory, then abort its transaction.
    case rollBackAndAbort
    /// Take the input again from where memory stands.
    case rewind
    /// Drop memory and close the producer.
    case drop
    /// Drop memory, close the producer, and take the partition anew.
    case dropAndRejoin
    /// Nothing but to await what is already under way.
    case awaitEnd
  }

  package private(set) var phase: Phase = .unassigned

  package init() {}

  /// Whether the partition is to be let go as soon as what is under way has ended.
  package var isRevoked: Bool {
    switch phase {
    case .leaving, .unassigned: true
    case .committing(let isRevoked), .aborting(let isRevoked): isRevoked
    case .fencing, .restoring, .idle, .publishing: false
    }
  }

  /// Takes the next input and says what follows from it.
  package mutating func next(after input: Input) -> Step {
    switch (phase, input) {
    case (.unassigned, .partitionAssigned):
      return enter(.fencing, .fencePredecessor)
    case (.fencing, .predecessorFenced):
      return enter(.restoring, .restoreState)
    case (.restoring, .stateRestored):
      return enter(.idle, .poll)
    case (.idle, .batchPolled):
      return enter(.publishing, .applyAndPublish)
    case (.publishing, .batchPublished):
      return enter(.committing(isRevoked: false), .commit)
    case (.committing(let isRevoked), .batchCommitted):
      return isRevoked ? enter(.leaving(thenRejoin: false), .drop) : enter(.idle, .keepBatch)
    case (.aborting(let isRevoked), .transactionAborted):
      return isRevoked ? enter(.leaving(thenRejoin: false), .drop) : enter(.idle, .rewind)
    case (_, .partitionRevoked): return revoked()
    case (_, .failedForGood): return failedForGood()
    case (_, .failedNeedingAbort): return failedNeedingAbort()
    case (.unassigned, _), (.fencing, _), (.restoring, _), (.idle, _), (.publishing, _),
      (.committing, _), (.aborting, _), (.leaving, _):
      preconditionFailure("\(input) cannot follow \(phase)")
    }
  }

  /// The executor has dropped everything.
  package mutating func left() {
    guard case .leaving = phase else {
      preconditionFailure("cannot have left from \(phase)")
    }
    phase = .unassigned
  }

  private mutating func revoked() -> Step {
    switch phase {
    case .fencing, .restoring, .idle:
      return enter(.leaving(thenRejoin: false), .drop)
    case .publishing:
      // Another member will read this batch: what is not yet being committed is not begun.
      return enter(.aborting(isRevoked: true), .rollBackAndAbort)
    case .committing:
      return enter(.committing(isRevoked: true), .awaitEnd)
    case .aborting:
      return enter(.aborting(isRevoked: true), .awaitEnd)
    case .leaving:
      // Taken away while it is being dropped to be taken anew: there is no more to take.
      return enter(.leaving(thenRejoin: false), .awaitEnd)
    case .unassigned:
      preconditionFailure("a partition that is not owned cannot be revoked")
    }
  }

  private mutating func failedForGood() -> Step {
    switch phase {
    case .committing(isRevoked: true), .aborting(isRevoked: true):
      return enter(.leaving(thenRejoin: false), .drop)
    case .fencing, .restoring, .idle, .publishing, .committing, .aborting:
      return enter(.leaving(thenRejoin: true), .dropAndRejoin)
    case .unassigned, .leaving:
      preconditionFailure("nothing is under way in \(phase) that could fail")
    }
  }

  private mutating func failedNeedingAbort() -> Step {
    switch phase {
    case .publishing:
      return enter(.aborting(isRevoked: false), .rollBackAndAbort)
    case .committing(let isRevoked):
      return enter(.aborting(isRevoked: isRevoked), .rollBackAndAbort)
    case .unassigned, .fencing, .restoring, .idle, .aborting, .leaving:
      preconditionFailure("there is no transaction to abort in \(phase)")
    }
  }

  private mutating func enter(_ phase: Phase, _ step: Step) -> Step {
    self.phase = phase
    return step
  }
}
