import HandoffBus
import TestSupport
import Testing

struct DeliveryLoopTests {
  typealias Input = DeliveryLoop.Input

  /// A loop brought somewhere by `inputs`.
  static func loop(after inputs: [Input]) -> DeliveryLoop {
    var loop = DeliveryLoop()
    for input in inputs { _ = loop.next(after: input) }
    return loop
  }

  static let toFencing: [Input] = [.partitionAssigned]
  static let toRestoring = toFencing + [.predecessorFenced]
  static let toIdle = toRestoring + [.stateRestored]
  static let toPublishing = toIdle + [.batchPolled]
  static let toCommitting = toPublishing + [.batchPublished]
  static let toAborting = toPublishing + [.failedNeedingAbort]

  @Test func `a partition is fenced, then restored, then read, batch by batch`() {
    var loop = DeliveryLoop()
    #expect(loop.next(after: .partitionAssigned) == .fencePredecessor)
    #expect(loop.next(after: .predecessorFenced) == .restoreState)
    #expect(loop.next(after: .stateRestored) == .poll)
    for _ in 0..<2 {
      #expect(loop.next(after: .batchPolled) == .applyAndPublish)
      #expect(loop.next(after: .batchPublished) == .commit)
      #expect(loop.next(after: .batchCommitted) == .keepBatch)
      #expect(loop.phase == .idle)
    }
  }

  @Test func `an abort undoes the batch and takes it again`() {
    var loop = Self.loop(after: Self.toPublishing)
    #expect(loop.next(after: .failedNeedingAbort) == .rollBackAndAbort)
    #expect(loop.next(after: .transactionAborted) == .rewind)
    #expect(loop.next(after: .batchPolled) == .applyAndPublish)
  }

  @Test func `a commit that ended as an abort is undone and taken again`() {
    var loop = Self.loop(after: Self.toCommitting)
    #expect(loop.next(after: .transactionAborted) == .rollBackAndRewind)
    #expect(loop.next(after: .batchPolled) == .applyAndPublish)
  }

  @Test(arguments: [toFencing, toRestoring, toPublishing, toCommitting, toAborting])
  func `being fenced by a successor drops everything and rejoins`(way: [Input]) {
    var loop = Self.loop(after: way)
    #expect(loop.next(after: .failedForGood) == .dropAndRejoin)
    #expect(loop.next(after: .partitionRevoked) == .nothing)
    #expect(loop.next(after: .partitionLeft) == .nothing)
    #expect(loop.next(after: .partitionAssigned) == .fencePredecessor)
  }

  @Test func `a revoked partition is dropped, and is fenced and restored when it comes back`() {
    var loop = Self.loop(after: Self.toIdle)
    #expect(loop.next(after: .partitionRevoked) == .drop)
    #expect(loop.next(after: .partitionLeft) == .nothing)
    #expect(loop.next(after: .partitionAssigned) == .fencePredecessor)
    #expect(loop.next(after: .predecessorFenced) == .restoreState)
  }

  @Test(arguments: [[], toFencing, toRestoring])
  func `a partition that is not yet read can be let go again`(way: [Input]) {
    var loop = Self.loop(after: way)
    #expect(loop.next(after: .partitionRevoked) == .drop)
    #expect(loop.next(after: .partitionLeft) == .nothing)
    #expect(loop.phase == .unassigned)
  }

  @Test func `committing what was never published traps`() async {
    await #expect(processExitsWith: .failure) {
      var loop = DeliveryLoop()
      for input in [Input.partitionAssigned, .predecessorFenced, .stateRestored, .batchPolled] {
        _ = loop.next(after: input)
      }
      _ = loop.next(after: .batchCommitted)
    }
  }

  @Test func `reading before the state is restored traps`() async {
    await #expect(processExitsWith: .failure) {
      var loop = DeliveryLoop()
      for input in [Input.partitionAssigned, .predecessorFenced] { _ = loop.next(after: input) }
      _ = loop.next(after: .batchPolled)
    }
  }

  @Test(arguments: 0..<200 as Range<UInt64>)
  func `whatever fails, a batch counts exactly when its transaction is committed`(seed: UInt64) {
    var model = ExecutorModel(generator: SeededGenerator(seed: seed))
    for _ in 0..<300 { model.perform() }
    #expect(model.batchesKept > 0)
  }
}

/// The executor as it should be, on a broker that fails at random: it checks that no step is asked
/// for that cannot be done.
private struct ExecutorModel {
  var generator: SeededGenerator
  var loop = DeliveryLoop()
  /// The batches that memory and log hold, by number.
  var memory: [Int] = []
  var log: [Int] = []
  var applied: Int?
  var isTransactionOpen = false
  var batchesKept = 0
  lazy var step = loop.next(after: .partitionAssigned)

  init(generator: SeededGenerator) { self.generator = generator }

  mutating func perform() {
    let isFailing = Int.random(in: 0..<4, using: &generator) == 0
    switch step {
    case .fencePredecessor:
      isTransactionOpen = false
      step = loop.next(after: isFailing ? .failedForGood : .predecessorFenced)
    case .restoreState:
      memory = log
      step = loop.next(after: isFailing ? .failedForGood : .stateRestored)
    case .poll:
      step = loop.next(after: isFailing ? .partitionRevoked : .batchPolled)
    case .applyAndPublish:
      #expect(applied == nil && !isTransactionOpen)
      applied = (memory.last ?? 0) + 1
      memory.append((memory.last ?? 0) + 1)
      isTransactionOpen = true
      let failure: DeliveryLoop.Input =
        Bool.random(using: &generator) ? .failedNeedingAbort : .failedForGood
      step = loop.next(after: isFailing ? failure : .batchPublished)
    case .commit:
      #expect(isTransactionOpen)
      commit(isFailing: isFailing)
    case .keepBatch:
      applied = nil
      batchesKept += 1
      step = .poll
    case .rollBackAndAbort:
      rollBack()
      isTransactionOpen = false
      step = loop.next(after: isFailing ? .failedForGood : .transactionAborted)
    case .rollBackAndRewind:
      rollBack()
      step = .poll
    case .rewind: step = .poll
    case .drop, .dropAndRejoin:
      memory = log
      applied = nil
      isTransactionOpen = false
      _ = loop.next(after: .partitionLeft)
      step = loop.next(after: .partitionAssigned)
    case .nothing: Issue.record("the executor is never left with nothing to do")
    }
    if loop.phase == .idle, applied == nil { #expect(memory == log) }
  }

  /// A commit whose outcome is unknown may have happened all the same.
  private mutating func commit(isFailing: Bool) {
    isTransactionOpen = false
    guard isFailing else {
      log = memory
      return step = loop.next(after: .batchCommitted)
    }
    if Bool.random(using: &generator) {
      return step = loop.next(after: .transactionAborted)
    }
    if Bool.random(using: &generator) { log = memory }
    step = loop.next(after: .failedForGood)
  }

  private mutating func rollBack() {
    #expect(applied != nil)
    memory.removeLast()
    applied = nil
  }
}
