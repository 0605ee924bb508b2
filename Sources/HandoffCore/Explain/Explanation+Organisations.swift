extension Verdict {
  /// What is wrong with an organisation of a handoff, by the limb of A17.
  func wrongOrganisation(_ cause: String) -> String {
    let sender = from?.spoken ?? "The sender"
    let receiver = to?.spoken ?? "the receiver"
    let follows = successor.map { "; \($0.spoken) took over" } ?? ""
    let what =
      switch cause {
      case "sender-unknown": "\(sender), which sent it, is not in the register"
      case "receiver-unknown": "\(receiver), to which it is sent, is not in the register"
      case "sender-not-open": "\(sender) sent it before it was open"
      case "receiver-not-open": "\(receiver), to which it is sent, is not open yet"
      case "sender-closed": "\(sender) sent it more than 90 days after it was closed\(follows)"
      case "receiver-closed": "\(receiver) was closed more than 90 days before\(follows)"
      case "sender-closed-in-grace": "\(sender) sent it after it was closed\(follows)"
      case "receiver-closed-in-grace": "\(receiver) was closed by then\(follows)"
      case "sender-role": "\(sender) may not send such a handoff"
      case "receiver-role": "\(receiver) may not receive such a handoff"
      case "outside-catchment": "\(receiver) takes nobody from the place of \(sender)"
      case "no-practice": "The code V81999 stands for a practice that nobody knows"
      case "receiver-unrecognised": "The receiving system does not know the organisation it was for"
      case "sender-unrecognised": "The receiving system does not know \(sender)"
      case "sender-unauthorised": "The receiving system does not let \(sender) send to it"
      case "mailbox-unregistered": "MESH has no such mailbox"
      case "workflow-unregistered": "The mailbox is not registered for this workflow"
      default: "An organisation of the handoff is in doubt"
      }
    return "\(what), seen at \(LondonTime(opened))."
  }
}
