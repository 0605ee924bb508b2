// A22, a refusal of the person that the sender has not acted on by T_neg. Guards: a retry, a next
// step or a disposition of the sender; 30004 (deceased) speaks at once, under a limb of its own.

extension HandoffFacts {
  /// Whether it came back because the receiver, or its mailbox, does not know or want this person.
  var isNegativelyAnswered: Bool {
    guard state == .failed else { return false }
    if let endReason, endReason.isNegativeAnswer { return true }
    switch stateBeforeEnd {
    // Taken by the receiver's system, and then given back.
    case .delivered: return true
    case .requested, .inTransit: return !isEndedByPlatform
    default: return false
    }
  }
}

extension Code {
  /// ITK3 30002 to 30004 and 2xxxx, but for a duplicate and a success, and MESH's EPL-15x.
  fileprivate var isNegativeAnswer: Bool {
    let digits = description.utf8.reversed().prefix { (0x30...0x39).contains($0) }
    let text = String(decoding: digits.reversed(), as: UTF8.self)
    if description.uppercased().contains("EPL-") {
      return ["150", "151", "152", "153", "154"].contains(text)
    }
    switch text {
    case "30002", "30003", "30004": return true
    case "20007", "20008", "20013": return false
    default: return text.count == 5 && text.hasPrefix("200")
    }
  }
}
