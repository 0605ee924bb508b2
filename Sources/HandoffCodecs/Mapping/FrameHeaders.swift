import HandoffCore

/// What the transport said beside a message: the HTTP headers of BaRS and of MESH, and the status.
///
/// Ids of the transport are the sender's own and are bounded, not trusted: one that is too long or
/// holds other than printable ASCII is left out, as if it had not been sent.
package struct FrameHeaders: Hashable, Sendable {
  /// `X-Request-ID`: one message; a retry carries the same one.
  package var requestID: String?
  /// `X-Correlation-ID`: one conversation; kept over updates, answers and onward referrals.
  package var correlationID: String?
  /// `NHSD-Target-Identifier`: the service meant, as `system|value`.
  package var target: String?
  /// The HTTP status, where the message is an answer.
  package var status: Int?
  /// The headers of a MESH mailbox, by lower-case name without `mex-`.
  package var mesh: [String: String] = [:]

  package init() {}

  /// Reads the headers that bear on what a message means; names are compared without case.
  ///
  /// The first of several of one name counts. All others are left out.
  package init(_ headers: some Sequence<(name: String, value: String)>, status: Int? = nil) {
    self.status = status
    for (name, value) in headers where Self.isKept(name, value) {
      let text = value.split(separator: " ").joined(separator: " ")
      guard !text.isEmpty else { continue }
      let name = name.lowercased()
      switch name {
      case "x-request-id": requestID = requestID ?? text
      case "x-correlation-id": correlationID = correlationID ?? text
      case "nhsd-target-identifier": target = target ?? Self.service(text)
      default:
        let key = String(name.dropFirst(Self.meshPrefix.count))
        mesh[key] = mesh[key] ?? text
      }
    }
  }

  /// Bytes of one header that is kept.
  package static let lengthMax = 1_024
  private static let meshPrefix = "mex-"
  private static let meshNames: Set = [
    "messageid", "messagetype", "linkedmsgid", "localid", "statuscode", "statusevent",
    "statussuccess", "statustimestamp", "workflowid", "from", "to",
  ]

  /// Whether a header bears on a message and is safe to keep.
  static func isKept(_ name: String, _ value: String) -> Bool {
    guard value.utf8.count <= lengthMax, value.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
    else { return false }
    let name = name.lowercased()
    return ["x-request-id", "x-correlation-id", "nhsd-target-identifier"].contains(name)
      || name.hasPrefix(meshPrefix) && meshNames.contains(String(name.dropFirst(meshPrefix.count)))
  }

  /// Base64 of `{"system": …, "value": …}`; `nil` for anything else.
  private static func service(_ value: String) -> String? {
    guard let bytes = Base64.decode(value),
      let json = try? JSONParser.parse(bytes[...], limits: MappingLimits()),
      let id = json["value"]?.text
    else { return nil }
    return json["system"]?.text.map { "\($0)|\(id)" } ?? id
  }
}

extension FrameHeaders {
  /// A header of MESH and its name.
  func mesh(_ name: String) -> Found<String>? {
    mesh[name.lowercased()].map { Found($0, "Mex-\(name)") }
  }

  /// Whether MESH itself reports what became of a message.
  var isReport: Bool { mesh["messagetype"]?.uppercased() == "REPORT" }

  /// The request that an answer is to: both carry its id.
  var answered: RawReference? {
    status == nil
      ? nil : requestID.map { RawReference(system: code("X-Request-ID"), value: $0) }
  }

  /// The message with what these headers say of it.
  ///
  /// The request's id is the message's (domain.md §2.1), because senders repeat `Bundle.id`; an
  /// answer still names the message by that.
  func applied(to outcome: MappingOutcome) -> MappingOutcome {
    guard case .mapped(var message) = outcome, !isReport else { return outcome }
    if status == nil {
      message.take(
        \.messageID, "messageID",
        requestID.map { Found($0, "X-Request-ID") } ?? mesh("MessageID"))
      let isRequest = message.facts.allSatisfy { $0.answers == nil }
      let names =
        isRequest
        ? [
          requestID.map { Found(reference("X-Request-ID", $0), "X-Request-ID") },
          mesh("MessageID")?.map { reference("Mex-MessageID", $0) },
          // The sender knows this one alone until MESH has given the message its own; each mailbox
          // counts for itself.
          mesh("LocalID")?.map {
            RawReference(system: code("Mex-LocalID"), value: $0, assigner: mesh("From")?.value)
          },
        ] : []
      for index in message.facts.indices {
        message.facts[index].refer(names, limit: Self.lengthMax)
      }
    }
    if message.receivingSystem == nil, let target {
      message.take(
        \.receivingSystem, "receivingSystem", Found(target, "NHSD-Target-Identifier"))
    }
    if let correlationID {
      for index in message.facts.indices {
        message.facts[index].take(
          \.conversation, "conversation",
          Found(reference("X-Correlation-ID", correlationID), "X-Correlation-ID"))
      }
    }
    return .mapped(message)
  }

  private func reference(_ system: StaticString, _ value: String) -> RawReference {
    RawReference(system: code(system), value: value)
  }
}

extension FrameHeaders: CustomStringConvertible, CustomReflectable {
  package var description: String { "FrameHeaders(redacted)" }
  package var customMirror: Mirror { Mirror(self, children: []) }
}
