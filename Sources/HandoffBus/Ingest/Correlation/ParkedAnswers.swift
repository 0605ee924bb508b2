import HandoffCore

/// An answer whose request is not known.
package struct ParkedAnswer: Hashable, Sendable {
  /// Of its frame in the outbox.
  var sequence: Int64
  var source: Code
  /// The best id of its request, under which the outbox keeps it.
  var token: Token
  /// Every id by which its request may come to be known.
  var waitsFor: Set<Token>
  /// Its own ids: what may wait for it in turn.
  var own: Set<Token>
  /// Where the best id was read.
  var system: Code
}

/// The answers that wait in the outbox: who waits for what, in memory only.
///
/// A session begins with none: every parked frame is put back in line and parks again, so this can
/// never disagree with the outbox for long.
package struct ParkedAnswers: Sendable {
  /// The bounds; an answer beyond them is a dead letter at once, with its reason.
  package struct Limits: Sendable {
    /// Answers that wait.
    package var countMax = 50_000
    /// Of one source: one that answers nothing we know must not crowd out the rest.
    package var sourceCountMax = 10_000
    /// Answers that wait for answers that wait.
    package var chainMax = 16

    package init() {}
  }

  let limits: Limits
  private var answers: [Int64: ParkedAnswer] = [:]
  private var waiting: [Token: Set<Int64>] = [:]
  private var owners: [Token: Set<Int64>] = [:]
  private var counts: [Code: Int] = [:]
  /// References that were said to be orphaned.
  private var judged: Set<Token> = []

  package init(limits: Limits = Limits()) {
    self.limits = limits
  }

  package var count: Int { answers.count }

  /// Why `answer` may not wait; `nil` where it may.
  func refusal(of answer: ParkedAnswer) -> Code? {
    guard answers[answer.sequence] == nil else { return nil }
    if let fault = chainFault(of: answer) { return fault }
    let isFull =
      answers.count >= limits.countMax
      || counts[answer.source, default: 0] >= limits.sourceCountMax
    return isFull ? ingestCode("correlation.parked-full") : nil
  }

  /// What is wrong with the chain of those whom `answer` would wait for: back to itself, or too long.
  private func chainFault(of answer: ParkedAnswer) -> Code? {
    guard answer.waitsFor.isDisjoint(with: answer.own) else {
      return ingestCode("correlation.loop")
    }
    var front = answer.waitsFor
    var seen: Set<Int64> = []
    for _ in 0..<limits.chainMax {
      let next = Set(front.flatMap { owners[$0] ?? [] }).subtracting(seen)
      guard !next.isEmpty else { return nil }
      seen.formUnion(next)
      front = next.reduce(into: []) { $0.formUnion(answers[$1]?.waitsFor ?? []) }
      if !front.isDisjoint(with: answer.own) { return ingestCode("correlation.loop") }
      guard seen.count <= limits.chainMax * limits.chainMax else { break }
    }
    return ingestCode("correlation.chain")
  }

  mutating func park(_ answer: ParkedAnswer, isJudged: Bool) {
    remove([answer.sequence])
    answers[answer.sequence] = answer
    counts[answer.source, default: 0] += 1
    for token in answer.waitsFor { waiting[token, default: []].insert(answer.sequence) }
    for token in answer.own { owners[token, default: []].insert(answer.sequence) }
    if isJudged { judged.insert(answer.token) }
  }

  /// Under what the outbox keeps the answers that one of `learned` lets go on.
  func wanted(by learned: [Token]) -> [Token] {
    guard !waiting.isEmpty else { return [] }
    let sequences = Set(learned.flatMap { waiting[$0] ?? [] })
    return Set(sequences.compactMap { answers[$0]?.token }).sorted()
  }

  /// Everything that is kept under `tokens` is back in line.
  mutating func release(_ tokens: [Token]) {
    for token in tokens {
      remove((waiting[token] ?? []).filter { answers[$0]?.token == token })
    }
  }

  /// Their frames are settled.
  mutating func remove(_ sequences: some Sequence<Int64>) {
    for sequence in sequences {
      guard let answer = answers.removeValue(forKey: sequence) else { continue }
      let rest = counts[answer.source, default: 0] - 1
      counts[answer.source] = rest > 0 ? rest : nil
      for token in answer.waitsFor { Self.drop(sequence, of: token, in: &waiting) }
      for token in answer.own { Self.drop(sequence, of: token, in: &owners) }
      if waiting[answer.token] == nil { judged.remove(answer.token) }
    }
  }

  private static func drop(
    _ sequence: Int64, of token: Token, in table: inout [Token: Set<Int64>]
  ) {
    guard var sequences = table.removeValue(forKey: token) else { return }
    sequences.remove(sequence)
    if !sequences.isEmpty { table[token] = sequences }
  }

  /// Whether the orphan under this reference was told before; a reference is told once.
  mutating func isFirstJudged(_ token: Token) -> Bool {
    judged.insert(token).inserted
  }
}
