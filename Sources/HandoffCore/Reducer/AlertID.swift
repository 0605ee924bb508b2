import Crypto

extension Identifier<AlertKind> {
  /// HMAC-SHA-256 over rule, person, handoff, the event or message of the episode, and cause; the
  /// first 128 bits.
  ///
  /// No offset and no time: the same episode has the same id on every replay, whatever order its
  /// records arrived in. The key is a constant that only keeps this hash apart from every other
  /// use: all inputs are keyed hashes already, so there is no identity to guess.
  init(rule: Rule, person: PatientKey, handoffID: HandoffID?, episode: Token, cause: Code?) {
    var mac = HMAC<SHA256>(key: SymmetricKey(data: Array("baton alert id v1".utf8)))
    var message = Array(rule.rawValue.utf8)
    message.append(UInt8(truncatingIfNeeded: person.epoch >> 8))
    message.append(UInt8(truncatingIfNeeded: person.epoch))
    message += person.hash
    message += handoffID?.bytes ?? [UInt8](repeating: 0, count: 16)
    message += episode.bytes
    if let cause { message += Array(cause.description.utf8) }
    mac.update(data: message)
    self.init(mac)
  }

  /// The same for what is wrong with the bus itself in one partition: `episode` tells one time that
  /// it went wrong from another.
  public init(rule: Rule, partition: Int32, episode: [UInt8], cause: Code?) {
    var mac = HMAC<SHA256>(key: SymmetricKey(data: Array("baton self-alert id v1".utf8)))
    var message = Array(rule.rawValue.utf8)
    for shift in stride(from: 24, through: 0, by: -8) {
      message.append(UInt8(truncatingIfNeeded: partition >> Int32(shift)))
    }
    message.append(UInt8(truncatingIfNeeded: episode.count))
    message += episode
    if let cause { message += Array(cause.description.utf8) }
    mac.update(data: message)
    self.init(mac)
  }

  /// The same for what is wrong with a source, or with the bus as the sources topic shows it.
  init(rule: Rule, subject: Verdict.Subject, episode: [UInt8], cause: Code?) {
    var mac = HMAC<SHA256>(key: SymmetricKey(data: Array("baton source-alert id v1".utf8)))
    var message = Array(rule.rawValue.utf8)
    for part in [Array(subject.recordKey.utf8), episode, Array((cause?.description ?? "").utf8)] {
      message.append(UInt8(truncatingIfNeeded: part.count))
      message += part
    }
    mac.update(data: message)
    self.init(mac)
  }

  private init(_ mac: HMAC<SHA256>) {
    let value = mac.finalize().prefix(16).reduce(0 as UInt128) { $0 << 8 | UInt128($1) }
    self.init(rawValue: value)
  }
}
