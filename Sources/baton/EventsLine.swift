import HandoffCodecs
import HandoffCore

/// One record in one line for people: when, where, what, between whom.
struct EventLine {
  private let stored: StoredRecord
  private let content: EventRecord.Content?

  init(_ stored: StoredRecord, _ content: EventRecord.Content?) {
    self.stored = stored
    self.content = content
  }

  func text(_ style: Style) -> String {
    let time = RFC3339.text(stored.brokerAt)
    let place = "\(stored.coordinates.partition)@\(stored.coordinates.offset)"
    return "\(style.dim(time))  \(style.dim(place))  \(what(style))"
  }

  private func what(_ style: Style) -> String {
    switch content {
    case .event(let held): describe(held.value, style)
    case .tick: style.dim("tick")
    case .sourceState(let state): "source \(state.source) is \(state.condition.rawValue)"
    case .rulesActivation(let activation):
      "rules \(activation.rulesVersion), policy \(activation.policyHash.description.prefix(12))"
        + (activation.profile.map { ", profile \($0)" } ?? "")
        + (activation.isCommanded ? ", by command" : "")
    case .transfer(let transfer):
      style.bold("PersonTransfer") + " of \(transfer.person.handoffs.count) handoffs"
    case .unusable, nil: style.red("unreadable record")
    }
  }

  private func describe(_ event: HandoffEvent, _ style: Style) -> String {
    var parts = [style.bold(event.type.rawValue)]
    if let kind = event.kind { parts.append("\(kind)") }
    if let priority = event.priority { parts.append("\(priority)") }
    if event.from != nil || event.to != nil {
      let from = event.from.map { "\($0.organisation)" } ?? "?"
      let to = event.to.map { "\($0.organisation)" } ?? "?"
      parts.append("\(from) → \(to)")
    }
    if let reason = event.reason { parts.append("because \(reason)") }
    if let handoff = event.handoffID { parts.append("handoff \(handoff.description.prefix(12))") }
    parts.append(style.dim("via \(event.source)"))
    return parts.joined(separator: "  ")
  }
}
