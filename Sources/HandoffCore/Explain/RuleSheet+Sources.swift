extension Rule {
  /// The sheets of the rules that only the source reducer judges.
  var sourceWords: RuleWords? {
    switch self {
    case .a18:
      RuleWords(
        "nothing is heard of a source for three of its usual intervals (silent), or it beats and "
          + "what it received is not published for as long (behind).",
        not: "a maintenance window covers the moment: then three intervals after its end; or it "
          + "has never beaten.",
        until: "it is heard of again, or has caught up.",
        hazard: "Referrals and answers wait in a system that nobody watches.",
        remembers: "the last word of the source and how far it is, about 150 bytes, for good.")
    case .a19:
      RuleWords(
        "a message was made more than 5 min off its reception (sender-clock), reports what lies "
          + "more than 2 min ahead (future), or has a time without zone in the hour that comes "
          + "twice (zone); or a connector's clock is 5 min ahead of the broker's (connector-clock).",
        not: "it is history loaded later; what was spooled is held against its reception.",
        until: "an hour passes without another.",
        hazard: "Deadlines run from a moment that never was.",
        remembers: "an episode a cause, about 250 bytes, until an hour after the last.")
    case .a25:
      RuleWords(
        "the sequence of a source jumps, and 15 min later a number is still missing.",
        not: "the number arrives by then, is a repeat, or the sequence begins anew at 0 or 1.",
        until: "every number of the gap has arrived.",
        hazard: "A message was lost before it came to us, and only its number tells.",
        remembers: "at most 64 gaps a source, 100 bytes to 2 kB each, for 30 days.")
    case .a26:
      RuleWords(
        "2 h after a source gave its total fewer messages were counted that it had taken in by "
          + "then (shortfall); or more were than it gives (surplus), at once.",
        not: "the difference is made up in time by messages taken in before the total; the source "
          + "is behind and has not handed over what the total counts; the first 2 h of a source "
          + "whose total began before us are for learning where it began.",
        until: "the missing messages arrive, or a later total lacks nothing; a surplus when an "
          + "hour passes without another.",
        hazard: "Messages were lost, or made, between a system and the bus.",
        remembers: "at most 256 totals a source, 40 bytes each, until they are judged, and how "
          + "many came of the 64 latest seconds.")
    case .a27:
      RuleWords(
        "a message is refused and answered as such; one alert a source and reason.",
        not: "it is understood and hands nothing over. Where it is taken in all the same, such as "
          + "a wrong check digit kept as untraced, it is of low severity.",
        until: "an hour passes without another of that reason.",
        hazard: "A handoff that its sender believes sent is known to nobody else.",
        remembers: "an episode a reason, about 250 bytes, until an hour after the last.")
    default: nil
    }
  }
}
