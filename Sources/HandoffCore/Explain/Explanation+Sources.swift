extension Verdict {
  /// The source it is about; `nil` where it is about something else.
  var sourceCode: Code? {
    if case .source(let code) = subject { code } else { nil }
  }

  /// How often, in words.
  var times: String { count == 1 ? "once" : "\(count) times" }

  /// What is wrong with a source, in words.
  func whatHappened(to source: Code) -> String {
    let at = "\(LondonTime(opened))"
    let messages = count == 1 ? "1 message" : "\(count) messages"
    let were = count == 1 ? "was" : "were"
    return switch (rule, cause?.description) {
    case (.a01, _): "\(source) sent \(messages) again within an hour, seen at \(at)."
    case (.a03, _):
      "\(source) used one message id for different persons, \(times), first at \(at)."
    case (.a13, "more"):
      "\(source) sent \(messages) more that answer what nobody had sent, first due \(at)."
    case (.a13, _): "\(source) sent an answer to a message that nobody had sent by \(at)."
    case (.a16, _):
      "\(source) used an id of one person for another, \(times), first at \(at)."
    case (.a18, "behind"):
      "\(source) speaks, and had not handed over what it received for three intervals at \(at)."
    case (.a18, _): "Nothing had been heard of \(source) for three intervals at \(at)."
    case (.a19, "future"):
      "\(source) sent \(messages) of what had not happened yet, first at \(at)."
    case (.a19, "zone"):
      "\(source) sent \(messages) with a time in the hour that comes twice, first at \(at)."
    case (.a19, "connector-clock"): "The clock of \(source) was ahead of the broker's at \(at)."
    case (.a19, _):
      "\(source) sent \(messages) with a time of making far from its arrival, first at \(at)."
    case (.a25, _): "\(messages) in the sequence of \(source) had not arrived by \(at)."
    case (.a26, "surplus"):
      "\(messages) more \(were) counted of \(source) than it says it took in, at \(at)."
    case (.a26, _): "\(messages) that \(source) says it took in \(were) not counted by \(at)."
    case (.a27, let reason):
      severity == .low
        ? "\(source) sent \(messages) taken with a fault (\(reason ?? "unknown")), first at \(at)."
        : "\(messages) of \(source) \(were) refused (\(reason ?? "unknown")), the first at \(at)."
    default: "\(source) is flagged, at \(at)."
    }
  }

  /// What to do about a source.
  func whatToDo(about source: Code) -> String {
    switch (rule, cause?.description) {
    case (.a01, _): "Ask who runs it why it sends again; answers of ours may not reach it."
    case (.a03, _):
      "Have its message ids made unique: other systems drop what they think they know."
    case (.a13, _): "Look for the request at its sender: it went past the bus, or was lost."
    case (.a16, _): "Check whose number it is at the source; nothing was linked or moved."
    case (.a18, "behind"): "Look at its connector and at what waits in its outbox."
    case (.a18, _): "Look at the connector, the line to it and the system behind it, now."
    case (.a19, "zone"): "Ask who runs it to send times with their zone."
    case (.a19, _): "Have its clock set right."
    case (.a25, _): "Ask who runs it for the missing messages, by their numbers."
    case (.a26, "surplus"): "Ask who runs it what it counts; look for frames that were taken twice."
    case (.a26, _): "Look for what its connector took in and never published."
    case (.a27, _):
      "Look at the dead letters of that reason (`baton deadletter list --source \(source)`), mend "
        + "the cause, have them sent again."
    default: "Ask who runs \(source)."
    }
  }
}
