import HandoffCore
import Testing

/// The table of domain.md §2.3, transcribed by hand from the page and the readings of §8, apart from
/// the code: a word for each cell, a column for each event, in the order of the page.
///
/// `=` no change, `am` no change but must be seen, `<-` back to before the hold, `late`, `dup`, `x`
/// illegal, `A12` flagged, `A11:Rejected` flagged and on to a state, `c:dup` repeat of the same
/// receiver or A05, `re:X` refuted and on to a state.
private let transcript = """
  state      Amended TransportAccepted Delivered TransportFailed Received RecipientRefusedPatient Accepted Rejected InfoRequested Redirected Booked NotAttended Started Completed FeedbackSent FeedbackAcknowledged Cancelled Voided Expired Interim CouldNotComplete Disposition
  Requested  =       InTransit         Delivered Failed          Received Failed                  Accepted Rejected OnHold        Redirected Booked x           Started x         x            x                    Cancelled Voided Expired x       x                x
  InTransit  =       dup               Delivered Failed          Received Failed                  Accepted Rejected OnHold        Redirected Booked x           Started x         x            x                    Cancelled Voided Expired x       x                x
  Delivered  am      late              dup       A22:Failed      Received Failed                  Accepted Rejected OnHold        Redirected Booked x           Started x         x            x                    Cancelled Voided Expired x       x                x
  Received   am      late              late      x               dup      x                       Accepted Rejected OnHold        Redirected Booked x           Started x         x            x                    Cancelled Voided Expired x       x                x
  OnHold     <-      late              late      x               dup      x                       Accepted Rejected dup           Redirected Booked x           Started x         x            x                    Cancelled Voided Expired x       x                x
  Accepted   am      late              late      x               late     x                       c:dup    A11:Rejected OnHold    Redirected Booked x           Started Completed =            x                    Cancelled Voided Expired =       Failed           x
  Booked     am      late              late      x               late     x                       c:dup    A11:Rejected OnHold    Redirected =      Accepted    Started Completed =            x                    Cancelled Voided Expired =       Failed           x
  Started    A24     late              late      x               late     x                       c:late   A12      =             Redirected =      x           dup     Completed =            x                    A12       Voided x       =       Failed           x
  Completed  A24     late              late      x               late     x                       c:late   A12      x             x          x      x           late    dup       =            Closed               A12       Voided x       =       dup              x
  Closed     A24     late              late      x               late     x                       late     A12      x             x          x      x           late    dup       dup          dup                  A12       Voided x       =       dup              =
  Rejected   A24     late              late      late            late     late                    A12      dup      x             Redirected A12    A12         A12     A12       late         late                 dup       Voided dup     late    A12              =
  Redirected A24     late              late      late            late     late                    A12      A12      x             Redirected A12    A12         A12     A12       late         late                 dup       Voided dup     late    A12              =
  Cancelled  A24     late              late      late            late     late                    A12      late     x             Redirected A12    A12         A12     A12       late         late                 dup       Voided dup     late    A12              =
  Voided     A24     late              late      late            late     late                    A12      A12      x             Redirected A12    A12         A12     A12       late         late                 dup       dup    dup     late    A12              =
  Failed     A24     late              late      late            re:Received late                 re:Accepted A12   x             Redirected re:Booked A12      re:Started A12    late         late                 dup       Voided dup     late    A12              =
  Expired    A24     late              late      late            re:Received late                 re:Accepted A12   x             Redirected re:Booked A12      re:Started A12    late         late                 dup       Voided dup     late    A12              =
  """

private let rows = transcript.split(separator: "\n").map {
  $0.split(separator: " ").map(String.init)
}

private func cell(_ word: String) -> Cell? {
  let parts = word.split(separator: ":").map(String.init)
  if let rule = Rule(rawValue: parts[0]) {
    return .flag(rule, to: parts.count > 1 ? HandoffState(rawValue: parts[1]) : nil)
  }
  switch word {
  case "=": return .same
  case "am": return .amend
  case "<-": return .release
  case "late": return .late
  case "dup": return .duplicate
  case "x": return .illegal
  case "c:dup": return .confirm(isDuplicate: true)
  case "c:late": return .confirm(isDuplicate: false)
  default:
    guard let state = HandoffState(rawValue: parts[parts.count - 1]) else { return nil }
    return parts[0] == "re" ? .refute(state) : .to(state)
  }
}

@Suite struct TransitionTableTests {
  @Test(arguments: HandoffState.allCases)
  func `every cell of a state says what the page says`(state: HandoffState) throws {
    let row = try #require(rows.first { $0[0] == state.rawValue })
    #expect(row.count == rows[0].count)
    for (column, word) in row.enumerated().dropFirst() {
      let name = rows[0][column] == "Amended" ? "HandoffAmended" : rows[0][column]
      let event = try #require(EventType(rawValue: name))
      let expected = try #require(cell(word), "\(word) is no cell")
      #expect(Lifecycle.cell(state, event) == expected, "\(state.rawValue) × \(name)")
    }
  }

  @Test func `the page has every state and every event of a handoff`() {
    #expect(Set(rows.dropFirst().map { $0[0] }) == Set(HandoffState.allCases.map(\.rawValue)))
    let columns = Set(rows[0].dropFirst().map { $0 == "Amended" ? "HandoffAmended" : $0 })
    #expect(columns == Set(Lifecycle.columns.map(\.rawValue)))
  }

  @Test(arguments: HandoffState.allCases)
  func `a request that is no repeat is an amendment`(state: HandoffState) {
    #expect(
      Lifecycle.cell(state, .handoffRequested) == Lifecycle.cell(state, .handoffAmended))
  }

  @Test func `what is no step of a handoff has no cell`() {
    for event in EventType.allCases where !event.isLifecycle {
      #expect(Lifecycle.cell(.requested, event) == nil)
    }
    #expect(EventType.allCases.filter(\.isLifecycle).count == Lifecycle.columns.count + 1)
  }

  @Test func `who may say what is as the page has it`() {
    func events(of role: SpeakerRole) -> Set<EventType> {
      Set(EventType.allCases.filter { $0.isLifecycle && Lifecycle.may(role, say: $0) })
    }
    #expect(
      events(of: .sender) == [
        .handoffRequested, .handoffAmended, .cancelled, .voided, .disposition, .redirected,
        .feedbackAcknowledged,
      ])
    #expect(
      events(of: .receiver) == [
        .received, .recipientRefusedPatient, .accepted, .rejected, .infoRequested, .redirected,
        .booked, .notAttended, .started, .interim, .completed, .couldNotComplete, .feedbackSent,
        .delivered, .transportFailed, .expired,
      ])
    #expect(
      events(of: .platform) == [
        .transportAccepted, .delivered, .transportFailed, .expired, .feedbackAcknowledged,
      ])
  }
}
