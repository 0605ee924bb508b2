/// What one record of the events topic adds to the second count of its partition.
///
/// The second count knows nothing of states, clocks and windows: it is of who was asked for, and
/// where. Whatever of it depends on what the reducer remembers is counted as unsure.
public struct CountedFact: Hashable, Sendable {
  /// What of the record counts.
  public enum Content: Hashable, Sendable {
    /// A sender asks for a handoff; asked again, it is the same handoff.
    case request(HandoffID, HandoffKind?)
    /// A sender changes what it asked for, perhaps its kind.
    case amendment(HandoffID, HandoffKind?)
    /// The person goes on under another key.
    case departure
    /// A person comes from another key, with these handoffs that were requested there; `isWhole`
    /// where nothing keeps a reducer from taking it in.
    case arrival(EventID, [HandoffID], isWhole: Bool)
    /// An event that changes no count but that of events.
    case other
  }

  public var person: PatientKey
  public var content: Content
  /// The broker's timestamp.
  public var at: Timestamp

  public init(person: PatientKey, content: Content, at: Timestamp) {
    self.person = person
    self.content = content
    self.at = at
  }

  /// Reads what counts of a record; `nil` where nothing does: ticks, switches, what is unusable.
  public init?(_ record: EventRecord) {
    switch record.content {
    case .tick, .sourceState, .rulesActivation, .unusable: return nil
    case .event(let held):
      self.init(
        person: held.brief.patientKey, content: Content(held.brief), at: record.brokerAt)
    case .transfer(let transfer):
      let isWhole =
        transfer.path.first == transfer.person.key
        && transfer.path.count <= PersonTransfer.pathMax
        && transfer.person.ordinals.allSatisfy { Int($0) < transfer.activations.count }
      let handoffs = transfer.person.handoffs.filter(\.current.isRequested).map(\.id)
      self.init(
        person: transfer.to, content: .arrival(transfer.id, handoffs, isWhole: isWhole),
        at: record.brokerAt)
    }
  }

  /// Whether it is an event, and no transfer.
  public var isEvent: Bool {
    if case .arrival = content { false } else { true }
  }
}

extension CountedFact.Content {
  fileprivate init(_ event: EventBrief) {
    guard event.movesTo == nil else {
      self = .departure
      return
    }
    guard let id = event.handoffID, Lifecycle.may(event.said.speaker, say: event.type) else {
      self = .other
      return
    }
    self =
      switch event.type {
      case .handoffRequested: .request(id, event.said.kind)
      case .handoffAmended: .amendment(id, event.said.kind)
      default: .other
      }
  }
}
