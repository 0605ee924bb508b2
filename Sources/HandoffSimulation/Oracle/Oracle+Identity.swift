import HandoffCore

/// A16: one person under two keys, of which a merge makes one.
extension Oracle {
  /// The alerts of one merge: what was open under both keys, and who goes on using the old number.
  ///
  /// `records` are everything about the two keys, the merge among it.
  func identityEpisodes(of records: [EventRecord], until end: Timestamp) -> [Episode] {
    var known = Recognition()
    var time = Timestamp.distantPast
    var merge: (from: PatientKey, occurredAt: Timestamp)?
    var split: Timestamp?
    var uses: [Code: [Timestamp]] = [:]
    var episodes: [Episode] = []
    func resolve(at moment: Timestamp) {
      guard let opened = split else { return }
      let key = Claim.Key(rule: .a16, handoff: nil, cause: "", event: nil)
      episodes.append(Episode(key: key, opened: opened, resolved: moment))
      split = nil
    }
    for (index, record) in records.enumerated() {
      time = max(time, record.brokerAt)
      guard let event = record.content.event else { continue }
      let arrival = Arrival(event: event, at: time, policy: first)
      if event.movesTo != nil {
        guard merge == nil else { continue }
        merge = (event.patientKey, event.occurredAt)
        let open = PersonView(known, at: time).requested.filter(\.isOpen)
        let keys = Set(open.compactMap { $0.request?.event.patientKey })
        if keys.count > 1, event.type == .patientMerged { split = time }
      } else {
        known.take(arrival, index: index)
        if let merge, event.patientKey == merge.from,
          event.occurredAt > merge.occurredAt.advanced(by: first.windows.supersededGrace)
        {
          uses[event.source, default: []].append(time)
        }
      }
      if split != nil, !Self.isNeedDoubled(PersonView(known, at: time)) { resolve(at: time) }
    }
    if let opened = split {
      let key = Claim.Key(rule: .a16, handoff: nil, cause: "", event: nil)
      episodes.append(Episode(key: key, opened: opened, resolved: nil))
    }
    return episodes + uses.values.flatMap { superseded($0, until: max(time, end)) }
  }

  /// One need is open twice, and neither handoff is part of the other.
  ///
  /// Need keys are made with the patient key: of two keys only the need itself can be compared.
  private static func isNeedDoubled(_ view: PersonView) -> Bool {
    let open = view.requested.filter(\.isOpen)
    return open.indices.contains { left in
      open[(left + 1)...].contains { right in
        guard let one = open[left].content, let two = right.content,
          one.parentHandoffID != right.id, two.parentHandoffID != open[left].id
        else { return false }
        if let need = one.needKey, need == two.needKey { return true }
        let isOfTwoKeys =
          open[left].request?.event.patientKey != right.request?.event.patientKey
        return isOfTwoKeys && one.needCode != nil && one.needCode == two.needCode
      }
    }
  }

  /// An old number that a source still uses, until it has not for thirty days.
  private func superseded(_ moments: [Timestamp], until end: Timestamp) -> [Episode] {
    let key = Claim.Key(rule: .a16, handoff: nil, cause: "superseded-number", event: nil)
    var episodes: [Episode] = []
    for moment in moments {
      let over = moment.advanced(by: first.windows.memory)
      if let last = episodes.indices.last, let resolved = episodes[last].resolved,
        moment < resolved
      {
        episodes[last].resolved = over
      } else {
        episodes.append(Episode(key: key, opened: moment, resolved: over))
      }
    }
    return episodes.map { episode in
      var episode = episode
      if let resolved = episode.resolved, resolved > end { episode.resolved = nil }
      return episode
    }
  }
}
