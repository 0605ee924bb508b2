/// A verdict in plain words: what happened, how we know, what to do.
///
/// Organisations, kind and local times only: a verdict holds no identity to name.
public struct Explanation: Hashable, Sendable {
  public var title: String
  public var whatHappened: String
  public var howWeKnow: String
  public var whatToDo: String

  /// Says a verdict in words.
  public init(_ verdict: Verdict) {
    title = "\(verdict.rule.rawValue) \(verdict.rule.title)"
    whatHappened = verdict.whatHappened + verdict.howItStands
    howWeKnow = verdict.howWeKnow
    whatToDo =
      switch verdict.action {
      case .resolved: "Nothing: it is resolved."
      case .undetermined: "See that the source comes back: then it is judged."
      case .opened, .changed: verdict.whatToDo
      }
  }
}

extension Explanation: CustomStringConvertible {
  public var description: String {
    "\(title)\n  What happened: \(whatHappened)\n  How we know: \(howWeKnow)\n"
      + "  What to do: \(whatToDo)"
  }
}

extension OrganisationID {
  /// The code that people know it by, without the name of its register where that is ODS.
  public var spoken: String {
    description.hasPrefix("ods:") ? String(description.dropFirst(4)) : description
  }
}

extension Elapsed {
  /// In the two largest units, such as `2 d 4 h` or `35 min`.
  public var spoken: String {
    let seconds = abs(nanoseconds / 1_000_000_000)
    let units: [(Int64, String)] = [(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")]
    guard let first = units.firstIndex(where: { seconds >= $0.0 }) else { return "0 s" }
    var words = ["\(seconds / units[first].0) \(units[first].1)"]
    if first + 1 < units.count {
      let rest = seconds % units[first].0 / units[first + 1].0
      if rest > 0 { words.append("\(rest) \(units[first + 1].1)") }
    }
    return (nanoseconds < 0 ? "-" : "") + words.joined(separator: " ")
  }
}

// MARK: What happened

extension Verdict {
  private var sender: String { from?.spoken ?? "the sender" }
  private var receiver: String { to?.spoken ?? "the receiver" }
  private var what: String {
    let urgency = priority.map { "\($0) " } ?? ""
    return "\(urgency)handoff\(kind.map { " of kind \($0)" } ?? "")"
  }
  private var parties: String { "The \(what) from \(sender) to \(receiver)" }
  private var due: String { "\(LondonTime(opened))" }

  fileprivate var whatHappened: String {
    if rule.isAboutOurselves { return whatHappenedToUs }
    if let sourceCode { return whatHappened(to: sourceCode) }
    return switch (rule, cause?.description) {
    case (.a01, _): "\(sender) sent the same message \(count + 1) times, first again at \(due)."
    case (.a02, _):
      "\(sender) sent what it had said of the \(what) again under another id, first at \(due)."
    case (.a04, _): "\(parties) is for a need for which another was open already at \(due)."
    case (.a06, _): "\(parties) is for a need that another service was asked for too, at \(due)."
    case (.a03, _):
      "One message id was used for \(count + 1) different contents; the second came at \(due)."
    case (.a05, "need"): "\(parties) was accepted, and so was another for the same need."
    case (.a05, _): "\(parties) was accepted or started by an organisation that it was not for."
    case (.a07, _): "\(receiver) has not shown that it has the \(what) from \(sender), due \(due)."
    case (.a08, "hold"):
      "\(receiver) asked \(sender) a question about the \(what); no answer was there by \(due)."
    case (.a08, _): "\(receiver) has the \(what) from \(sender) and had not accepted it by \(due)."
    case (.a09, _): "\(receiver) accepted the \(what) from \(sender) and had not begun by \(due)."
    case (.a10, "feedback"):
      "\(receiver) completed the \(what); \(sender) had no acknowledged feedback by \(due)."
    case (.a10, "outcome"):
      "The \(what) from \(sender) to \(receiver) had no outcome by \(due)."
    case (.a10, _): "\(receiver) began the \(what) from \(sender); no outcome was known by \(due)."
    case (.a11, "withdrawn"): "\(receiver) accepted the \(what) from \(sender) and withdrew."
    case (.a11, "redirected"):
      "\(parties) was redirected, and the handoff it went to was not requested by \(due)."
    case (.a11, _): "\(parties) came to nothing, and no next step was known by \(due)."
    case (.a12, _): "\(parties) has two ends that cannot both be, or went on after its end."
    case (.a13, _): "An answer came for a handoff of which no request was known by \(due)."
    case (.a15, _): "\(parties) goes to and fro: given up \(times) before \(due)."
    case (.a16, "superseded-number"):
      "A number that a merge had done away with was used \(times), first at \(due)."
    case (.a16, "cycle"): "A merge at \(due) would lead back to where the person came from."
    case (.a16, "second-target"): "One number was merged into a second one at \(due)."
    case (.a16, _): "Two records of a person were merged at \(due) with work open under both."
    case (.a20, _): "The person was discharged and nobody had begun or was booked by \(due)."
    case (.a21, "acceptance"): "The person was ready to leave and nobody had accepted by \(due)."
    case (.a21, _): "The person was ready to leave and nothing had been requested by \(due)."
    case (.a23, _): "\(parties) goes on after the person's death."
    case (.a14, _): "A step of the \(what) was reported that is not possible as things stand."
    case (.a17, "wrong-role"):
      "A party of the \(what) from \(sender) to \(receiver) reported what only another may say."
    case (.a17, "no-party"?), (.a17, nil):
      "An organisation that is no party reported a step of the \(what)."
    case (.a17, let cause?): wrongOrganisation(cause)
    case (.a22, nil):
      "\(receiver) does not know the person of the \(what); \(sender) did nothing by \(due)."
    case (.a22, _): "\(receiver) refused the \(what) because the person is reported to have died."
    case (.a24, "older-version"):
      "\(receiver) answered the \(what) at \(due) as it was before \(sender) changed it."
    case (.a24, _): "\(sender) changed the \(what); \(receiver) had not seen it by \(due)."
    default: "\(parties) is flagged, due \(due)."
    }
  }

  fileprivate var howItStands: String {
    switch action {
    case .resolved:
      guard let resolvedAt, let lateness else { return " It is resolved." }
      return rule.isSilence
        ? " Answered at \(LondonTime(resolvedAt)), \(lateness.spoken) late."
        : " Resolved at \(LondonTime(resolvedAt))."
    case .undetermined:
      let source = hangsOn.map { " (\($0))" } ?? ""
      return " A source that could carry the answer is behind\(source): not judged yet."
    case .opened, .changed:
      return state.map { " It stands at \($0.rawValue)." } ?? ""
    }
  }

  fileprivate var howWeKnow: String {
    let records = evidence.count == 1 ? "1 record" : "\(evidence.count) records"
    let places = evidence.compactMap(\.coordinates).map { "\($0.partition):\($0.offset)" }
    let coordinates = places.isEmpty ? "" : " (\(places.joined(separator: ", ")))"
    let topic = sourceCode == nil ? "events" : "sources"
    return "\(records) of the \(topic) topic\(coordinates), read up to offset \(readUpTo); rules "
      + "\(rulesVersion), policy \(policyHash.description.prefix(12))."
  }
}

// MARK: What to do

extension Verdict {
  fileprivate var whatToDo: String {
    if rule.isAboutOurselves { return whatToDoAboutUs }
    if let sourceCode { return whatToDo(about: sourceCode) }
    return switch (rule, cause?.description) {
    case (.a01, _): "Nothing for this person. If it is frequent, ask \(sender) why it sends again."
    case (.a02, _): "Ask \(sender) whether it played messages again, and from when on."
    case (.a04, _): "Ask \(sender) which of the two is meant, and to cancel the other."
    case (.a06, _): "Ask \(sender) whether both are meant, and to tell each of the other."
    case (.a03, _):
      "Check with \(sender) that every content reached \(receiver), and have the ids made unique."
    case (.a05, _): "Ask both organisations who has the person, and have the other stand down."
    case (.a07, _):
      "Ask \(receiver) whether the request is there; if not, have \(sender) send it again."
    case (.a08, "hold"): "Ask \(sender) to answer the question of \(receiver), or to withdraw."
    case (.a08, _): "Ask \(receiver) who decides on it, and for a yes or a no."
    case (.a09, _): "Ask \(receiver) when it begins, and tell the person."
    case (.a10, "feedback"): "Ask \(receiver) to send its feedback to \(sender), and see it arrive."
    case (.a10, _): "Ask \(receiver) for the outcome."
    case (.a11, _):
      "Ask \(sender) to refer on, or to record that no need is left and the person was told."
    case (.a12, _): "Ask \(sender) and \(receiver) which is right, and have the other corrected."
    case (.a13, _): "Look for the request at its sender: it went past the bus, or was lost."
    case (.a15, _): "Have one person at \(sender) settle by telephone who takes it."
    case (.a16, "superseded-number"): "Ask the source to take over the number that stands now."
    case (.a16, "cycle"), (.a16, "second-target"):
      "Ask who keeps the index of patients which merge is right; undo the other there."
    case (.a16, _): "Check what is open twice, and have one of each two cancelled."
    case (.a20, _): "Ring the person, and the service that was to begin, now."
    case (.a21, _): "Ask the transfer of care hub who is to have the person."
    case (.a23, _): "Have \(receiver) stop visits, calls and letters; check the date of death."
    case (.a14, _): "Look for the missing step; if the report is wrong, have its sender void it."
    case (.a17, "no-party"?), (.a17, "wrong-role"?), (.a17, nil):
      "Check who reported it and why; the handoff itself was not changed by it."
    case (.a17, _):
      successor.map {
        "Have it sent to \($0.spoken), and the address book of the sender corrected."
      }
        ?? "Ask \(sender) where it was meant to go, and have its address book corrected."
    case (.a22, nil): "Ask \(sender) to check number, practice and address, and to send again."
    case (.a22, _): "Tell \(sender), stop appointments and letters, and reroute nothing."
    case (.a24, "older-version"):
      "Ask \(receiver) to read the new version, and whether its answer still stands."
    case (.a24, _): "Ask \(receiver) to read the new version and to confirm it."
    default: "Ask \(sender) and \(receiver)."
    }
  }
}

extension Rule {
  /// Whether it speaks of an answer that did not come, so that lateness means something.
  public var isSilence: Bool {
    switch self {
    case .a07, .a08, .a09, .a10, .a11, .a18, .a20, .a21, .a22, .a24, .a25: true
    default: false
    }
  }
}
