/// The words of one sheet.
struct RuleWords {
  var predicate: String
  var guards: String
  var resolution: String
  var hazard: String
  var remembers: String

  init(
    _ predicate: String, not guards: String, until resolution: String, hazard: String,
    remembers: String
  ) {
    self.predicate = predicate
    self.guards = guards
    self.resolution = resolution
    self.hazard = hazard
    self.remembers = remembers
  }

  static let steps = "the steps of the handoff while it is open, about 100 bytes a step."
  static let finding = "one finding a handoff and cause, about 150 bytes, until it is forgotten."
  static let pairs = "nothing beside the open handoffs of the person and their needs."
  static let stay =
    "what was said of the stay, about 150 bytes a statement, for 30 days; what the alert rests on, and "
    + "the handoffs of the stay, for as long as it is open."
  static let repeats =
    "every event for 30 days, about 85 bytes; an episode for 30 days, about 300 bytes."
}

extension Rule {
  var words: RuleWords? {
    transportWords ?? silenceWords ?? personWords ?? sourceWords ?? ownWords
  }

  private var transportWords: RuleWords? {
    switch self {
    case .a01:
      RuleWords(
        "a message of a sender arrives again: the same event under another reception; of a source "
          + "when at least 10 of the messages of its last hour, and 1 %, are repeats.",
        not: "the bus itself delivers it again; it is the retry of a request that had failed when "
          + "it was received again; or the receiver says of an amendment what it said of the "
          + "request.",
        until: "an hour passes without another; of a source when its hour is below the limit.",
        hazard: "Work is done twice, or a real second request is taken for a repeat.",
        remembers: RuleWords.repeats)
    case .a02:
      RuleWords(
        "the same content of the same handoff arrives under another message id, a day or more "
          + "after the first, or after the handoff has moved on.",
        not: "it comes within a day and nothing came in between: then it is A01.",
        until: "an hour passes without another.",
        hazard: "An engine plays a day again, and what has changed since is undone.",
        remembers: RuleWords.repeats)
    case .a03:
      RuleWords(
        "a message id comes again with other content; of a source when the two are about two "
          + "persons.",
        not: "the message type differs, or the message says what it supersedes.",
        until: "30 days pass without another.",
        hazard: "A system that knows messages by id throws a real one away as a repeat.",
        remembers: RuleWords.repeats)
    case .a13:
      RuleWords(
        "an answer names a handoff, or of a source a message, that nobody has sent, 24 h 15 min "
          + "after it arrived.",
        not: "the request arrives by then, or the answer came before the source was onboarded; one "
          + "alert a handoff or reference, however many answers.",
        until: "the request arrives; what was said before then applies.",
        hazard: "A request went past the bus, or was lost before it.",
        remembers: "the answers, about 300 bytes each, for 30 days at most.")
    case .a14:
      RuleWords(
        "a step is reported that is not possible in the handoff's state, 15 min after it arrived.",
        not: "a missing step arrives by then; late evidence of what is known is none.",
        until: "a step arrives that makes it possible.",
        hazard: "A step was lost, or a system reports what cannot be.",
        remembers: "the event, about 300 bytes, for 30 days at most.")
    case .a24:
      RuleWords(
        "a request was amended after delivery and the receiver has not been heard of since, by "
          + "T_ack; was amended when it was too late; or an answer that is no mere receipt names a "
          + "version that an amendment replaced (older-version), at once. An answer names the "
          + "message that it answers (MSA-2, `MessageHeader.response.identifier`, "
          + "`Mex-LinkedMsgID`).",
        not: "the amendment answered a question; or the receiver's next word comes in time and "
          + "names the version that stands, or none: a state that is polled (e-RS, Task) names no "
          + "version, and is judged by when it was said.",
        until: "the receiver is heard of again, not of an older version; or the handoff ends.",
        hazard: "A service acts on what is no longer so.",
        remembers: "one finding a handoff and cause, about 150 bytes, and 4 bytes a version, of "
          + "the last nine, until it is forgotten.")
    default: nil
    }
  }

  private var silenceWords: RuleWords? {
    switch self {
    case .a07:
      RuleWords(
        "nothing proves by T_ack that the receiver has the request; a transport's acceptance "
          + "moves the deadline once.",
        not: "the request is history loaded later, or has another next step.",
        until: "the receiver is heard of, or the handoff ends.",
        hazard: "A request is lost in transport, and nobody is waiting for it.",
        remembers: RuleWords.steps)
    case .a08:
      RuleWords(
        "the receiver has the request and neither accepts nor refuses it by T_accept, or a "
          + "question to the sender stays open beyond T_hold.",
        not: "the sender was asked a question: its time is not counted, up to 10 working days; "
          + "or the person has died.",
        until: "it is accepted, refused, booked or begun, or the question is answered.",
        hazard: "A request lies in a list that nobody owns.", remembers: RuleWords.steps)
    case .a09:
      RuleWords(
        "an accepted handoff has not begun by T_start, or a day after its appointment.",
        not: "an appointment lies later, or the person has died.",
        until: "it begins, or ends.",
        hazard: "Care that was promised does not begin.", remembers: RuleWords.steps)
    case .a10:
      RuleWords(
        "begun care has no outcome by T_complete, completed care no acknowledged feedback by T_fb, "
          + "or a pathway no outcome by its national clock.",
        not: "no feedback is owed, or the person has died.",
        until: "the outcome or the acknowledgement arrives.",
        hazard: "The outcome never reaches who must act on it.", remembers: RuleWords.steps)
    case .a11:
      RuleWords(
        "a handoff was refused, failed or expired, and no next step is known by T_reroute; a "
          + "receiver that withdraws after acceptance at once.",
        not: "another handoff of the need or journey takes it up, the sender says that no need is "
          + "left, or the person has died.",
        until: "a next step or the sender's word arrives.",
        hazard: "A person whom one service refused is with no service at all.",
        remembers: "the end of a handoff and its links, about 600 bytes, for 30 days.")
    case .a22:
      RuleWords(
        "the receiver or its mailbox does not know or want the person (30002, 30003, 2xxxx, "
          + "EPL-15x) and the sender has done nothing by T_neg; at once where it says that the "
          + "person has died (30004).",
        not: "the code says duplicate or success, or the sender retries, refers on or closes.",
        until: "the sender acts.",
        hazard: "The request lies with nobody; or letters go to a family in mourning.",
        remembers: RuleWords.steps)
    default: nil
    }
  }

  private var personWords: RuleWords? {
    switch self {
    case .a04:
      RuleWords(
        "two handoffs of one need to one service are open, requested within 14 days (48 h where "
          + "urgent).",
        not: "no need is coded, one is part of the other, or they are offers of one request.",
        until: "one of them ends.",
        hazard: "A person is seen twice, and another waits longer.", remembers: RuleWords.pairs)
    case .a05:
      RuleWords(
        "a second service accepts or starts a handoff, or another handoff of the same need, and "
          + "both stand 2 h later; one that is no party, alone, at once.",
        not: "the second shares the care (cc), is the successor or agent of the first, or takes up "
          + "what its agent accepted; or one handoff is part of the other.",
        until: "one of them ends or gives it up.",
        hazard: "Two services prepare for one person, or each relies on the other.",
        remembers: RuleWords.finding)
    case .a06:
      RuleWords(
        "handoffs of one need to two services are open, requested within 14 days (48 h where "
          + "urgent).",
        not: "no need is coded, one is part of the other, or they are offers of one request: then "
          + "2 h after the first acceptance.",
        until: "one of them ends.",
        hazard: "Two services work on one need and do not know of each other.",
        remembers: RuleWords.pairs)
    case .a12:
      RuleWords(
        "a handoff has two ends that cannot both be, or goes on after its end.",
        not: "both say no, the end was the platform's, or it was entered in error.",
        until: "it is voided.",
        hazard: "Services disagree on whether care goes on.", remembers: RuleWords.finding)
    case .a15:
      RuleWords(
        "within 30 days one need, journey or line of handoffs comes back to a service that gave it "
          + "up, or makes three hops without a start.",
        not: "care began in between, a complete resubmission was asked for (reason 03), or the "
          + "sender says that no need is left.",
        until: "care begins, or the sender says that no need is left.",
        hazard: "Each service thinks that another has the person.",
        remembers: "nothing beside the ended handoffs of 30 days.")
    case .a16:
      RuleWords(
        "two records of a person are merged while something is open under both; or a number that a "
          + "merge has done away with is still in use a day later; or a merge cannot be followed; or "
          + "of a source when an id of one person comes with another.",
        not: "a key changes by rotation, or a local id turns out to be an NHS number.",
        until: "no need is open twice; the old number is not used for 30 days.",
        hazard: "Half of what is known of a person lies under another number.",
        remembers: "a link a merged key, about 250 bytes, for good; uses for 30 days.")
    case .a17:
      RuleWords(
        "an organisation that is no party reports a step, or a party what only another may say; a "
          + "party of a request or amendment is unknown to the register, not open yet, closed on "
          + "the local day on which it happened (low for 90 days after its last day, high then), "
          + "has no role for the kind, or is outside the catchment; the receiver is V81999; MESH "
          + "gives back with 12 or 17, ITK3 with 20002, 20003 or 20012.",
        not: "no register is in force; the register is not whole (nobody is unknown); the "
          + "organisation is a successor or registered agent of the party, only accepts or starts "
          + "(A05), or shares the care (cc).",
        until:
          "the handoff ends, an amendment puts it right, or the sender acts on what came back.",
        hazard: "A message went to, or came from, who has no part in it.",
        remembers: RuleWords.finding)
    case .a20:
      RuleWords(
        "a person was discharged on pathway 1 to 3, and 2 h later (4 h on pathways 2 and 3) no "
          + "receiving service has begun or has an appointment by then.",
        not: "the discharge was cancelled, the person died, or the pathway is 0 or unknown.",
        until: "a receiving service begins, or the discharge is cancelled.",
        hazard: "A person who needs help at home is at home without it.", remembers: RuleWords.stay)
    case .a21:
      RuleWords(
        "a person is ready for discharge and nothing is requested within 2 h, or nobody has "
          + "accepted within 24 h.",
        not: "the criteria to reside are met again, the person is discharged or dies, or the "
          + "pathway is 0.",
        until: "it is requested, or accepted; or the person is discharged.",
        hazard: "A person loses strength in a bed that another needs.", remembers: RuleWords.stay)
    case .a23:
      RuleWords(
        "people act for a person after the end of the local day of death, or an appointment after it "
          + "stands when the death is reported.",
        not: "a machine speaks, it is an end or an acknowledgement, the date is corrected or the "
          + "death taken back (reason `retracted`), or the kind begins with a death (mortuary, "
          + "coroner, medical examiner, bereavement). A receiver's 30004 is a death on its day "
          + "while no register says otherwise.",
        until: "the handoff ends, or the date is corrected; one alert a handoff, however much is "
          + "done.",
        hazard: "Letters, calls and visits go to a family in mourning.",
        remembers: "the death, about 150 bytes, for a year at least, and as long as a handoff is.")
    default: nil
    }
  }

  private var ownWords: RuleWords? {
    let memory = "an episode a cause, about 250 bytes, until an hour after the last."
    let hazard = "The bus misses what it is there to find, and nobody knows."
    func own(_ predicate: String, not guards: String = "it is over.") -> RuleWords {
      RuleWords(
        predicate, not: guards, until: "an hour passes without another.", hazard: hazard,
        remembers: memory)
    }
    switch self {
    case .s01: return own("a record of the events topic cannot be read; it counts as a tick.")
    case .s02: return own("a record lies where its key does not belong; it counts as a tick.")
    case .s03:
      return RuleWords(
        "the log is shorter than what was read from it.", not: "it only grew.",
        until: "people say so.", hazard: hazard, remembers: "nothing: it is said when it is seen.")
    case .s04:
      return RuleWords(
        "a reconciler's clock is more than five minutes off the broker's.",
        not: "it is within them.", until: "it is right again.", hazard: hazard,
        remembers: "nothing: it is said when it is seen.")
    case .s05:
      return RuleWords(
        "the log activates a policy or a register of organisations whose bytes nobody has: the one "
          + "before stays in force.",
        not: "they are in the config topic.", until: "known ones are activated.", hazard: hazard,
        remembers: memory)
    case .s06:
      return RuleWords(
        "the books of a partition do not balance, looked at once a minute; or at a restart as many "
          + "handoffs are not open as they have open (cause `recount`); or audit counts otherwise "
          + "from the events alone (cause `second-count`).", not: "they do.",
        until: "they balance again, or audit comes to the same; what a restart found, never by "
          + "itself.", hazard: hazard, remembers: memory)
    case .s07:
      return own("a transfer of a person comes again and is another, or cannot be taken in.")
    case .s08: return own("a record does not bear the mark of our writers; it counts as a tick.")
    case .s09:
      return RuleWords(
        "a certificate ends within 30 days (medium), within 7 (high), or cannot be used (critical).",
        not: "it is renewed in time.", until: "a later one is read in its place.", hazard: hazard,
        remembers: "an episode a certificate, about 250 bytes, while it lasts.")
    case .s10:
      return RuleWords(
        "a table that stops intake when it is full is filled to 80 % (medium), 90 % (high) or "
          + "95 % (critical).",
        not: "less is in it.", until: "less than 80 % is in it.", hazard: hazard,
        remembers: "an episode a table, about 250 bytes, while it lasts.")
    case .s11:
      return own(
        "frames that came over the inbox of an organisation are refused: damaged, replayed, sealed "
          + "to or by another.")
    default: return nil
    }
  }
}
