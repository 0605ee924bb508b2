/// The states of one owned partition, from taking it to letting it go.
///
/// Everything that decides whether a batch counts is here, as a value without I/O: the executor
/// (``PartitionOwner``) performs each ``Step`` and reports what came of it as an ``Input``. A step
/// that cannot follow traps, because going on from it would count a batch twice or not at all.
///
/// ```
/// unassigned → fencing → restoring → idle ⇄ publishing → committing → idle
///      ↑                              ↑          └→ aborting ─┘
///      └─ leaving ← idle when revoked; any state when fenced by a successor, or broken
/// ```
///
/// The group's hooks run between two batches, so no partition is ever revoked with a transaction
/// open: the next member begins where the last commit ended.
package struct DeliveryLoop: Hashable, Sendable {
  /// Where the partition stands.
  package enum Phase: Hashable, Sendable {
    /// Another member's, or nobody's.
    ///
    /// Can become ``fencing`` or ``leaving``.
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
    /// Can become ``committing``, ``aborting`` or ``leaving``.
    case publishing
    /// The commit is called: it ends as committed, as aborted, or nobody knows how.
    ///
    /// Can become ``idle`` or ``leaving``.
    case committing
    /// Memory is rolled back and the transaction is being aborted.
    ///
    /// Can become ``idle`` or ``leaving``.
    case aborting
    /// Memory is dropped and the producer is being closed.
    ///
    /// Can become ``unassigned``.
    case leaving
  }

  /// What happened.
  package enum Input: Hashable, CaseIterable, Sendable {
    case partitionAssigned
    case predecessorFenced
    case stateRestored
    case batchPolled
    /// The records are handed over and the offsets are in the transaction.
    case batchPublished
    case batchCommitted
    /// The transaction has left nothing, whether we asked for it or the commit failed.
    case transactionAborted
    /// A call failed in a way that only an abort heals.
    case failedNeedingAbort
    /// The producer is done for: fenced by a successor, broken, or its commit's outcome unknown.
    case failedForGood
    /// The group takes the partition away, or the service ends.
    case partitionRevoked
    /// Memory is dropped and the producer closed.
    case partitionLeft
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
    /// Undo the batch in memory and abort its transaction.
    case rollBackAndAbort
    /// Undo the batch in memory, whose transaction is gone, and take its input again.
    case rollBackAndRewind
    /// Take the input again: memory is rolled back.
    case rewind
    /// Drop memory and close the producer.
    case drop
    /// The same, and join the group anew: only it knows who owns the partition now.
    case dropAndRejoin
    case nothing
  }

  package private(set) var phase: Phase = .unassigned

  /// Whether memory is whole and the partition, as far as we know, ours.
  package var isOwning: Bool {
    switch phase {
    case .idle, .publishing, .committing, .aborting: true
    case .unassigned, .fencing, .restoring, .leaving: false
    }
  }

  package init() {}

  /// Takes the next input and says what follows from it.
  package mutating func next(after input: Input) -> Step {
    switch (phase, input) {
    case (.unassigned, .partitionAssigned): enter(.fencing, .fencePredecessor)
    case (.fencing, .predecessorFenced): enter(.restoring, .restoreState)
    case (.restoring, .stateRestored): enter(.idle, .poll)
    case (.idle, .batchPolled): enter(.publishing, .applyAndPublish)
    case (.publishing, .batchPublished): enter(.committing, .commit)
    case (.committing, .batchCommitted): enter(.idle, .keepBatch)

    case (.publishing, .failedNeedingAbort): enter(.aborting, .rollBackAndAbort)
    case (.aborting, .transactionAborted): enter(.idle, .rewind)
    case (.committing, .transactionAborted): enter(.idle, .rollBackAndRewind)

    case (.fencing, .failedForGood), (.restoring, .failedForGood), (.publishing, .failedForGood),
      (.committing, .failedForGood), (.aborting, .failedForGood):
      // Another owner may already be reading: what memory holds may be more than the log says.
      enter(.leaving, .dropAndRejoin)

    case (.idle, .partitionRevoked): enter(.leaving, .drop)
    // Another partition of the same assignment could not be taken, so none is.
    case (.unassigned, .partitionRevoked), (.fencing, .partitionRevoked),
      (.restoring, .partitionRevoked):
      enter(.leaving, .drop)
    // Who is leaving already has nothing more to let go.
    case (.leaving, .partitionRevoked): .nothing
    case (.leaving, .partitionLeft): enter(.unassigned, .nothing)

    case (.unassigned, _), (.fencing, _), (.restoring, _), (.idle, _), (.publishing, _),
      (.committing, _), (.aborting, _), (.leaving, _):
      preconditionFailure("\(input) cannot follow \(phase)")
    }
  }

  private mutating func enter(_ phase: Phase, _ step: Step) -> Step {
    self.phase = phase
    return step
  }
}
