import HandoffCore

/// Whether JSON is the answer of MESH's tracking, in either spelling of its API.
enum MESHTracking {
  static func isTracking(_ json: JSONValue) -> Bool {
    json["resourceType"] == nil && json["specversion"] == nil
      && (json["message_id"] != nil || json["messageId"] != nil) && json["status"] != nil
  }
}

/// MESH: what became of a message in somebody's mailbox (domain.md §1.2).
///
/// A report, the tracking of a message and the control file beside one say the same in three ways.
struct MESHMapper: Sendable {
  let context: MappingContext

  /// Statuses of tracking.
  static let statuses: [StatusRow] = [
    .init("accepted", .platform(.transportAccepted)),
    .init("acknowledged", .platform(.delivered)),
    .init("undeliverable", .platform(.transportFailed)),
    .init("error", .platform(.transportFailed)),
    .init("uploading", nothing: "mesh.uploading"),
  ]

  /// 14: nobody fetched it in five days; it is not lost on the way but left lying (§8).
  private static let unread = "14"

  // MARK: Reports

  /// `Mex-MessageType: REPORT`.
  func report(_ headers: FrameHeaders) -> MappingOutcome {
    var result = MappedMessage(messageType: "MESH REPORT")
    result.provenance["messageType"] = "Mex-MessageType"
    result.take(\.messageID, "messageID", headers.mesh("MessageID"))
    let isSuccess = headers.mesh["statussuccess"]?.lowercased() == "success"
    guard !isSuccess else { return .noHandoffFact(result, reason: code("mesh.report-of-success")) }
    let time = headers.mesh("StatusTimestamp").flatMap { found in
      found.map { HL7Time($0, localTime: context.localTime)?.timestamp }
    }
    return failed(
      result, status: headers.mesh("StatusCode"), linked: headers.mesh("LinkedMsgID"),
      local: headers.mesh("LocalID"), mailbox: headers.mesh("To")?.value,
      from: .init("Mex-MessageType", "Mex-MessageType"), at: time)
  }

  /// The control file that the MESH client writes beside a message.
  func control(_ control: XMLPlace) throws(MappingError) -> MappingOutcome {
    var result = MappedMessage(messageType: "MESH control")
    result.provenance["messageType"] = control.path
    let id = control["DTSId"]?.found
    result.take(\.messageID, "messageID", id)
    let status = control["StatusRecord"]
    let type = control["MessageType"]?.found
    guard type?.value.lowercased() == "report", let type else {
      // Beside data it says that the client has it: the message itself is in the other file.
      return .noHandoffFact(result, reason: code("mesh.control-of-data"))
    }
    if status?["Status"]?.found?.value.uppercased() == "SUCCESS" {
      return .noHandoffFact(result, reason: code("mesh.report-of-success"))
    }
    let time = status?["DateTime"]?.found.flatMap { found in
      found.map { HL7Time($0, localTime: context.localTime)?.timestamp }
    }
    return failed(
      result, status: status?["StatusCode"]?.found, linked: id,
      local: control["LocalId"]?.found, mailbox: control["To_DTS"]?.found?.value, from: type,
      at: time)
  }

  // MARK: Tracking

  func map(_ json: JSONValue) -> MappingOutcome {
    let root = FHIRNode(value: json, path: "$")
    func member(_ names: String...) -> Found<String>? {
      names.lazy.compactMap { root[$0]?.found }.first
    }
    var result = MappedMessage(messageType: "MESH tracking")
    let id = member("message_id", "messageId")
    result.provenance["messageType"] = id?.path
    let status = root["status"]?.found
    guard let meaning = Self.statuses.meaning(of: status?.value.lowercased()), let status else {
      return .refused(
        MappingError(
          code("mesh.status-unknown"), field: "$.status",
          explanation: "the status is none that MESH publishes", messageType: "MESH tracking"))
    }
    guard case .says(let said) = meaning, let said = said.first else {
      return .noHandoffFact(result, reason: code("mesh.uploading"))
    }
    let local = member("local_id", "localId")
    let mailbox = member("sender")?.value
    let code = member("status_code", "statusCode")
    if said.type == .transportFailed {
      return failed(
        result, status: code, linked: id, local: local, mailbox: mailbox, from: status, at: nil)
    }
    var fact = answer(
      said.type, linked: id, local: local, mailbox: mailbox, path: status.path)
    let time = member(
      "download_timestamp", "downloadTimestamp", "upload_timestamp", "uploadTimestamp")
    fact.take(
      \.occurredAt, "occurredAt",
      time.flatMap { found in
        found.map {
          HL7Time($0, localTime: context.localTime)?.timestamp
            ?? ISOTime($0, localTime: context.localTime)?.timestamp
        }
      })
    result.facts = [fact]
    return .mapped(result)
  }

  // MARK: Parts

  private func failed(
    _ result: MappedMessage, status: Found<String>?, linked: Found<String>?,
    local: Found<String>?, mailbox: String?, from source: Found<String>,
    at time: Found<Timestamp>?
  ) -> MappingOutcome {
    guard linked != nil || local != nil else {
      return .refused(
        MappingError(
          code("mesh.field-missing"), field: "Mex-LinkedMsgID",
          explanation: "nothing names the message that this is about",
          messageType: result.messageType))
    }
    let isUnread = status?.value == Self.unread
    var fact = answer(
      isUnread ? .expired : .transportFailed, linked: linked, local: local, mailbox: mailbox,
      path: [source.path, status?.path].compactMap(\.self).joined(separator: ", "))
    fact.take(\.reason, "reason", status?.map { Code("mesh:\($0)") })
    fact.take(\.occurredAt, "occurredAt", time)
    var result = result
    result.facts = [fact]
    return .mapped(result)
  }

  private func answer(
    _ type: EventType, linked: Found<String>?, local: Found<String>?, mailbox: String?,
    path: String
  ) -> MappedFact {
    let limit = context.limits.identifierMax
    func reference(
      _ found: Found<String>?, _ system: StaticString, of assigner: String? = nil
    ) -> Found<RawReference>? {
      guard let found, found.value.utf8.count <= limit else { return nil }
      return found.map { RawReference(system: code(system), value: $0, assigner: assigner) }
    }
    var fact = MappedFact(type: type, speaker: .platform)
    fact.provenance["type"] = path
    let mesh = reference(linked, "Mex-MessageID")
    // What is about a message goes to the mailbox that sent it.
    let own = reference(local, "Mex-LocalID", of: mailbox)
    fact.take(\.answers, "answers", mesh ?? own)
    fact.take(\.conversation, "conversation", mesh ?? own)
    fact.refer([mesh == nil ? nil : own], limit: limit)
    return fact
  }
}
