import Foundation
package import HandoffCore
import SwiftProtobuf

/// What an organisation is told, in clear: it is sealed before it goes anywhere.
package struct Notice: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
  /// An id that another system gave, in clear.
  package struct Reference: Hashable, Sendable {
    package var role: String
    package var system: String
    package var value: String
    package var assigner: String?

    package init(role: String, system: String, value: String, assigner: String?) {
      self.role = role
      self.system = system
      self.value = value
      self.assigner = assigner
    }
  }

  /// A person in clear.
  package struct Person: Hashable, Sendable {
    package var nhsNumber: String?
    package var nhsNumberStatus: String
    package var localIDs: [(value: String, assigner: String?, type: String?)]
    package var familyName: String?
    package var givenName: String?
    package var birthDate: String?
    package var postcode: String?

    package init(
      nhsNumber: String?, nhsNumberStatus: String,
      localIDs: [(value: String, assigner: String?, type: String?)], familyName: String?,
      givenName: String?, birthDate: String?, postcode: String?
    ) {
      self.nhsNumber = nhsNumber
      self.nhsNumberStatus = nhsNumberStatus
      self.localIDs = localIDs
      self.familyName = familyName
      self.givenName = givenName
      self.birthDate = birthDate
      self.postcode = postcode
    }

    package static func == (left: Person, right: Person) -> Bool {
      left.message == right.message
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(message) }
  }

  /// What the sealed part of an event holds.
  package struct Identity: Hashable, Sendable {
    package var person: Person?
    package var priorPerson: Person?
    package var messageID: String?
    package var references: [Reference]

    package init(
      person: Person?, priorPerson: Person?, messageID: String?, references: [Reference]
    ) {
      self.person = person
      self.priorPerson = priorPerson
      self.messageID = messageID
      self.references = references
    }
  }

  private let message: Baton_Handoff_V1_Notice

  /// That something happened.
  package init(id: Token, of event: HandoffEvent, _ identity: Identity) {
    var message = Baton_Handoff_V1_Notice()
    message.noticeID = Data(id.bytes)
    if let handoff = event.handoffID { message.handoffID = Data(handoff.bytes) }
    if let from = event.from { message.from = Baton_Handoff_V1_Party(from) }
    if let to = event.to { message.to = Baton_Handoff_V1_Party(to) }
    message.cc = event.cc.map(Baton_Handoff_V1_Party.init)
    message.kind = event.kind?.description ?? ""
    message.priority = event.priority?.description ?? ""
    message.event = Baton_Handoff_V1_EventNotice(event, identity)
    self.message = message
  }

  /// That something is wrong with a handoff, or no longer.
  package init(id: Token, of verdict: Verdict) {
    var message = Baton_Handoff_V1_Notice()
    message.noticeID = Data(id.bytes)
    if let handoff = verdict.handoffID { message.handoffID = Data(handoff.bytes) }
    if let from = verdict.from { message.from.organisation = from.description }
    if let to = verdict.to { message.to.organisation = to.description }
    message.kind = verdict.kind?.description ?? ""
    message.priority = verdict.priority?.description ?? ""
    var told = Baton_Handoff_V1_VerdictNotice()
    told.alertID = Data(verdict.alertID.bytes)
    told.revision = verdict.revision
    told.rule = .init(rawValue: Int(verdict.rule.wireNumber)) ?? .unspecified
    told.action = .init(rawValue: Int(verdict.action.wireNumber)) ?? .unspecified
    told.severity = .init(rawValue: Int(verdict.severity.wireNumber)) ?? .unspecified
    told.opened = .init(verdict.opened)
    if let resolvedAt = verdict.resolvedAt { told.resolvedAt = .init(resolvedAt) }
    message.verdict = told
    self.message = message
  }

  /// Reads what was sealed.
  package init(protobuf bytes: [UInt8]) throws(WireError) {
    do {
      message = try Baton_Handoff_V1_Notice(serializedBytes: bytes)
    } catch {
      throw WireError(.malformed, "Notice")
    }
    guard message.noticeID.count == 16 else { throw WireError(.fieldInvalid, "Notice.notice_id") }
    guard message.subject != nil else { throw WireError(.fieldMissing, "Notice.subject") }
  }

  package var id: Token? { Token(bytes: message.noticeID) }

  package var protobuf: [UInt8] { (try? message.serializedBytes()) ?? [] }

  /// One line of JSON, in proto3's mapping, without its line end: what a sink writes.
  package var json: [UInt8] { (try? message.jsonUTF8Bytes()) ?? [] }

  package var description: String { "Notice(redacted)" }
  package var customMirror: Mirror { Mirror(self, children: []) }
}

extension Notice.Person {
  fileprivate var message: Baton_Handoff_V1_SubmittedPerson {
    var message = Baton_Handoff_V1_SubmittedPerson()
    message.nhsNumber = nhsNumber ?? ""
    message.nhsNumberStatus = nhsNumberStatus
    message.localIds = localIDs.map { id in
      var local = Baton_Handoff_V1_SubmittedLocalId()
      local.value = id.value
      local.assigner = id.assigner ?? ""
      local.type = id.type ?? ""
      return local
    }
    message.familyName = familyName ?? ""
    message.givenName = givenName ?? ""
    message.birthDate = birthDate ?? ""
    message.postcode = postcode ?? ""
    return message
  }
}

extension Baton_Handoff_V1_Party {
  fileprivate init(_ party: Party) {
    self.init()
    organisation = party.organisation.description
    system = party.system?.description ?? ""
    role = party.role?.description ?? ""
  }
}

extension Baton_Handoff_V1_EventNotice {
  fileprivate init(_ event: HandoffEvent, _ identity: Notice.Identity) {
    self.init()
    type = .init(rawValue: Int(event.type.wireNumber)) ?? .unspecified
    spokenBy = event.spokenBy?.description ?? ""
    occurredAt = .init(event.occurredAt)
    reason = event.reason?.description ?? ""
    outcome = event.outcome?.description ?? ""
    if let time = event.bookedFor { bookedFor = .init(time) }
    if let one = identity.person { person = one.message }
    if let one = identity.priorPerson { priorPerson = one.message }
    messageID = identity.messageID ?? ""
    references = identity.references.map { reference in
      var message = Baton_Handoff_V1_NoticeReference()
      message.role = reference.role
      message.system = reference.system
      message.value = reference.value
      message.assigner = reference.assigner ?? ""
      return message
    }
  }
}

extension Google_Protobuf_Timestamp {
  fileprivate init(_ time: Timestamp) {
    let (quotient, remainder) = time.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    self.init(
      seconds: remainder < 0 ? quotient - 1 : quotient,
      nanos: Int32(remainder < 0 ? remainder + 1_000_000_000 : remainder))
  }
}
