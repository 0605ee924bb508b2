/// One reviewed row of the table of samples: a file by its name, never its content.
struct SampleRow: Sendable {
  /// What the file is to Baton.
  enum Kind: Sendable {
    /// At least one message states a fact of a handoff.
    case handoff
    /// Understood, and nothing a handoff rests on.
    case nothing
    /// Truly broken, or nothing that is taken here: a dead letter.
    case broken
  }

  var file: String
  /// Every message in order, joined by `; `: its facts as `speaker:Type`, `none` and the reason, or
  /// `refused`, code and field.
  var summary: String
  var kind: Kind
  /// Why that is right, for whoever reviews it next.
  var note: String

  init(_ file: String, _ summary: String, _ kind: Kind, _ note: String) {
    self.file = file
    self.summary = summary
    self.kind = kind
    self.note = note
  }

  /// What the summary says the file is.
  var kindOfSummary: Kind {
    let messages = summary.split(separator: "; ")
    if messages.contains(where: { !$0.hasPrefix("none ") && !$0.hasPrefix("refused ") }) {
      return .handoff
    }
    return messages.contains { $0.hasPrefix("refused ") } ? .broken : .nothing
  }
}
