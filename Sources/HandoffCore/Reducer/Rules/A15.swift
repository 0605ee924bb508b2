// A15, sent to and fro: within 30 days one need, journey or line of handoffs comes back to a service
// that had given it up, or makes three hops without a start. A hop is a Rejected or Redirected, a
// visit a request that arrives. Guards: a start in between, a resubmission that was asked for
// (reason 03), and the sender's word that no need is left.

extension Person {
  func judgeBounces(_ moment: Moment, _ open: inout [Condition]) {
    guard isAnyHop else { return }
    for line in lines {
      guard let bounce = bounce(line, moment.inForce.windows) else { continue }
      open.append(
        Condition(
          .a15, of: bounce.handoff, began: bounce.witness, opened: bounce.witness.arrivedAt,
          count: UInt32(bounce.hops.count), witnesses: bounce.hops + [bounce.witness]))
    }
  }

  private var isAnyHop: Bool {
    for index in handoffs.indices {
      // The state first, which is read in place: a copy of a handoff costs more than all else here.
      switch handoffs[index].current.state {
      case .rejected, .redirected: if handoffs[index].isHop { return true }
      default: break
      }
    }
    return false
  }

  /// The handoffs that belong together, each line in the order of ids.
  private var lines: [[Int]] {
    // What nobody requested, and only a stray word is known of, links nothing.
    var rest = Set(handoffs.indices.filter { handoffs[$0].current.isRequested })
    var lines: [[Int]] = []
    for index in handoffs.indices where rest.remove(index) != nil {
      var line = [index]
      var next = 0
      while next < line.count {
        for other in handoffs.indices where rest.contains(other) {
          guard handoffs[other].isLinked(with: handoffs[line[next]]) else { continue }
          rest.remove(other)
          line.append(other)
        }
        next += 1
      }
      lines.append(line.sorted())
    }
    return lines
  }

  private func bounce(_ line: [Int], _ windows: RuleWindows) -> Bounce? {
    var events = line.flatMap { handoffs[$0].bounceEvents }
    events.sort {
      ($0.witness.occurredAt, $0.rank, $0.handoff) < ($1.witness.occurredAt, $1.rank, $1.handoff)
    }
    var hops: [(service: OrganisationID?, witness: Witness)] = []
    var found: Bounce?
    for event in events {
      hops.removeAll { event.witness.occurredAt.since($0.witness.occurredAt) > windows.bounce }
      switch event.kind {
      case .start, .disposition:
        hops = []
        found = nil
        continue
      case .hop(let service):
        hops.append((service, event.witness))
        guard hops.count >= 3 else { continue }
      case .visit(let service):
        guard let service, hops.contains(where: { $0.service == service }) else { continue }
      }
      found =
        found
        ?? Bounce(handoff: event.handoff, witness: event.witness, hops: hops.map(\.witness))
    }
    return found
  }
}

private struct Bounce {
  var handoff: HandoffID
  var witness: Witness
  var hops: [Witness]
}

private struct BounceEvent {
  enum Kind {
    case visit(OrganisationID?)
    case hop(OrganisationID?)
    case start
    case disposition
  }

  var kind: Kind
  var handoff: HandoffID
  var witness: Witness

  /// Of what happened at one moment an end comes before the request that follows from it.
  var rank: Int {
    switch kind {
    case .start: 0
    case .hop: 1
    case .disposition: 2
    case .visit: 3
    }
  }
}

extension Handoff {
  fileprivate var isHop: Bool {
    guard current.state == .rejected || current.state == .redirected else { return false }
    // The sender was asked to complete it and to send it again.
    guard let reason = current.endReason?.description else { return true }
    return reason != "03" && !reason.hasSuffix(":03")
  }

  fileprivate var bounceEvents: [BounceEvent] {
    guard let requested = current.witness(of: .requested) else { return [] }
    func event(_ kind: BounceEvent.Kind, _ witness: Witness) -> BounceEvent {
      BounceEvent(kind: kind, handoff: id, witness: witness)
    }
    var events = [event(.visit(current.to), requested)]
    let ended = current.witness(of: .ended)
    if isHop, let ended { events.append(event(.hop(current.to), ended)) }
    if let disposition = current.witness(of: .disposition) {
      events.append(event(.disposition, disposition))
    }
    // What was done was begun; a letter is done with when it is read.
    let read = current.state == .closed ? ended : nil
    let began = current.witness(of: .started) ?? current.witness(of: .completed) ?? read
    if let began { events.append(event(.start, began)) }
    return events
  }
}
