extension Verdict {
  private var why: String { cause.map { " (\($0))" } ?? "" }
  private var owner: String { sourceCode?.description ?? "the bus" }
  private var records: String { count == 1 ? "1 record" : "\(count) records" }

  /// What is wrong with the bus itself, in words.
  var whatHappenedToUs: String {
    let at = "\(LondonTime(opened))"
    return switch rule {
    case .s01: "\(records) of the events topic could not be read\(why), the first at \(at)."
    case .s02: "\(records) lay in a partition that the key does not belong to, the first at \(at)."
    case .s03: "The events topic ended before what had been read of it, seen at \(at)."
    case .s04: "The clock of a reconciler was more than five minutes off the broker's at \(at)."
    case .s05 where cause == .unknownProfile:
      "The log switched at \(at) to a profile that the policy does not have."
    case .s05:
      "The log switched at \(at) to a \(cause?.description ?? "policy") whose bytes nobody has "
        + "given us."
    case .s06:
      switch cause {
      case .recount:
        "A restart found other open handoffs than the books of the partition have, at \(at)."
      case .secondCount:
        "The books of a partition were not what audit counted from its events, at \(at)."
      default: "The books of a partition did not balance at \(at)."
      }
    case .s07: "A person's transfer on the log is not what its cause gives\(why), seen at \(at)."
    case .s08: "\(records) did not bear the mark of our writers\(why), the first at \(at)."
    case .s09:
      severity == .critical
        ? "A certificate of \(owner) cannot be used\(why), seen at \(at)."
        : "A certificate of \(owner) ends soon\(why), seen at \(at)."
    case .s10:
      "A table of \(owner) was filled to \(count) % of what it may hold\(why), seen at \(at)."
    case .s11: "\(records) of \(owner) from outside were refused\(why), the first at \(at)."
    default: "The bus is flagged\(why), at \(at)."
    }
  }

  /// What operators do about it.
  var whatToDoAboutUs: String {
    switch rule {
    case .s01: "Look at the record where it stands, and at the writer of that moment."
    case .s02: "Find who wrote it without our partitioner; its events must be sent again."
    case .s03: "Treat it as an incident: events may be lost. Compare with the audit log."
    case .s04: "Set the clock of that machine right; until then it writes no ticks."
    case .s05 where cause == .unknownProfile:
      "Activate a profile that `baton policy show` lists; until then the policy holds without one."
    case .s05:
      "Have its bytes written to the config topic; until then the one before it is in force."
    case .s06 where cause == .secondCount:
      "`baton audit balance` says which number it is. Rebuild that partition's state from the "
        + "events, and report a defect of Baton."
    case .s06: "Rebuild that partition's state from the events, and report a defect of Baton."
    case .s07:
      "Check whether rules or policy were changed under a rebuilt state; else report a defect."
    case .s08:
      "Ask first whether a process of yours runs without the bus's record secrets, or with others: "
        + "give it the same file. If none does, it is an incident: somebody writes who may not."
    case .s09: "Renew it; `baton doctor` says which file it is and when it ends."
    case .s10:
      "Give it more room, or keep ids for less long; when it is full, senders are told to wait."
    case .s11: "Find out who sent them and with which key; nothing of them was taken in."
    default: "Report it to who runs Baton."
    }
  }
}
