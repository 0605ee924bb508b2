public import HandoffCore

/// A naive judge of what must be said about people: from scratch after every record, quadratic, and
/// without a line of the reducer.
///
/// Written from domain.md §2 to §4 and §8 and from the pages of the rules. It remembers everything and
/// recomputes everything: its only cleverness is to be readable.
public struct Oracle: Sendable {
  /// An event with the partition time at which it was taken in, and the policy in force then.
  struct Arrival: Sendable {
    var event: HandoffEvent
    var at: Timestamp
    var policy: Policy
  }

  private let policies: [RecordHash: Policy]
  let first: Policy

  /// Judges under `policy`, and under `others` where the log activates them.
  public init(policy: Policy = .default, others: [Policy] = []) {
    first = policy
    policies = Dictionary(
      (others + [policy]).map { ($0.hash, $0) }, uniquingKeysWith: { $1 })
  }

  /// Every alert of every person over the records of one partition, up to `end`.
  public func episodes(
    of records: some Sequence<EventRecord>, until end: Timestamp
  ) -> [PatientKey: [Episode]] {
    var time = Timestamp.distantPast
    var policy = first
    var people: [PatientKey: [Arrival]] = [:]
    for record in records {
      time = max(time, record.brokerAt)
      switch record.content {
      case .event(let event):
        people[event.patientKey, default: []].append(
          Arrival(event: event, at: time, policy: policy))
      case .rulesActivation(let activation):
        guard let file = policies[activation.policyHash] else { continue }
        policy = activation.profile.flatMap(file.under) ?? file
      case .tick, .sourceState, .transfer, .unusable: break
      }
    }
    return people.mapValues { Self.episodes(of: $0, until: max(time, end)) }
  }

  /// The alerts of one person: what stands after each arrival, and what falls due before the next.
  private static func episodes(of arrivals: [Arrival], until end: Timestamp) -> [Episode] {
    var standing = Standing()
    var known = Recognition()
    for (index, arrival) in arrivals.enumerated() {
      standing.advance(to: arrival.at)
      known.take(arrival, index: index)
      standing.replace(with: PersonView(known, at: arrival.at).claims, at: arrival.at)
    }
    standing.advance(to: end)
    return standing.episodes.sorted()
  }
}

/// What stands as time passes and claims are made anew.
private struct Standing {
  private var claims: [Claim.Key: Claim] = [:]
  private var open: [Claim.Key: Timestamp] = [:]
  var ended: [Episode] = []

  /// What falls due opens, and what ends by itself is resolved.
  mutating func advance(to time: Timestamp) {
    for (key, claim) in claims {
      if claim.due <= time, open[key] == nil, claim.until.map({ $0 > claim.due }) ?? true {
        open[key] = claim.due
      }
      guard let until = claim.until, until <= time else { continue }
      if let opened = open.removeValue(forKey: key) {
        ended.append(Episode(key: key, opened: opened, resolved: until))
      }
      claims[key] = nil
    }
  }

  /// A record was taken in: what is not claimed any more is resolved by it.
  mutating func replace(with new: [Claim], at time: Timestamp) {
    claims = [:]
    for claim in new where claim.until.map({ $0 > time }) ?? true {
      if let known = claims[claim.key], known.due <= claim.due { continue }
      if let forgotten = claim.forgotten, forgotten <= time, open[claim.key] == nil { continue }
      claims[claim.key] = claim
    }
    for (key, opened) in open {
      if let claim = claims[key], claim.due <= time {
        // Put in order anew it may have been due at another moment, which is the one that counts.
        if !claim.keepsOpening { open[key] = claim.due }
      } else {
        open[key] = nil
        ended.append(Episode(key: key, opened: opened, resolved: time))
      }
    }
    advance(to: time)
  }

  var episodes: [Episode] {
    ended + open.map { Episode(key: $0.key, opened: $0.value, resolved: nil) }
  }
}
