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
    let value = mac.finalize().prefix(16).reduce(0 as UInt128) { $0 << 8 | UInt128($1) }
    self.init(rawValue: value)
  }
}
