import HandoffCodecs
import HandoffConnectors
import HandoffCore

@testable import HandoffBus

/// Messages between RTH and RXQ by every way that there is.
enum Conversation {
  static let ubrn = "000012345678"
  static let person = "9990000018"
  static let other = "9990000026"

  static func connector(
    _ name: StaticString, _ change: (inout ConnectorConfiguration) -> Void = { _ in }
  ) -> ConnectorConfiguration {
    var connector = ConnectorConfiguration(
      name: ingestCode(name), source: .dropFolder(DropFolderSettings()))
    connector.mapping.namesAreODSCodes = true
    change(&connector)
    return connector
  }

  /// REF^I12 with any ids.
  static func referral(
    message: String = "M1", id: String = ubrn + "^ERS", nhs: String? = person,
    locals: [String] = [], extra: [String] = [], from: String = "RTH"
  ) -> String {
    let ids = [nhs.map { "\($0)^^^NHS^NH" }].compactMap(\.self) + locals
    return
      ([
        "MSH|^~\\&|PAS|\(from)|EPR|RXQ|20231114220000||REF^I12|\(message)|P|2.4",
        "RF1|P|R|MED|||\(id)", "PRD|RP|GPNAME^GIVEN",
        "PID|1||\(ids.joined(separator: "~"))||CANARYNAME^GIVENNAME||19700101|F",
      ] + extra).joined(separator: "\r") + "\r"
  }

  /// RRI^I12 without a patient unless `locals` or `nhs` name one.
  static func answer(
    message: String = "R1", to request: String = "M1", status: String = "A", id: String = "",
    nhs: String? = nil, locals: [String] = [], from: String = "RXQ", sender: String = "RTH"
  ) -> String {
    let ids = [nhs.map { "\($0)^^^NHS^NH" }].compactMap(\.self) + locals
    return
      ([
        "MSH|^~\\&|EPR|\(from)|PAS|\(sender)|20231114220500||RRI^I12|\(message)|P|2.4",
        "MSA|AA|\(request)", "RF1|\(status)|R|MED|||\(id)",
      ] + (ids.isEmpty ? [] : ["PID|1||\(ids.joined(separator: "~"))||N^G"]))
      .joined(separator: "\r") + "\r"
  }

  static func acknowledgement(
    message: String = "K1", to request: String, code: String = "AA",
    parties: String = "EPR|RXQ|PAS|RTH"
  ) -> String {
    "MSH|^~\\&|\(parties)|20231114220600||ACK|\(message)|P|2.4\rMSA|\(code)|\(request)\r"
  }

  /// A submission of a thin client; `members` are more of its data.
  static func submission(
    _ type: String, id: String, members: String, source: String = "/portal", from: String = "RTH",
    to: String = "RXQ"
  ) -> String {
    """
    {"specversion":"1.0","id":"\(id)","source":"\(source)","type":\
    "baton.handoff.v1.HandoffSubmission","data":{"type":"\(type)","from":{"odsCode":"\(from)"},\
    "to":{"odsCode":"\(to)"},\(members),"occurredAt":"2023-11-14T22:05:00Z"}}
    """
  }

  static func reference(
    _ name: String, _ system: String, _ value: String, _ assigner: String? = nil
  ) -> String {
    let assigner = assigner.map { #","assigner":"\#($0)""# } ?? ""
    return #""\#(name)":{"system":"\#(system)","value":"\#(value)"\#(assigner)}"#
  }

  /// A BaRS message between RTH and RXQ; an answer where `answers` names a Bundle.id.
  static func bars(
    bundle: String, identifier: (system: String, value: String)?, nhs: String?,
    answers: String? = nil, encounter: String? = nil, members: String = ""
  ) -> String {
    let event = answers == nil ? "servicerequest-request" : "servicerequest-response"
    let (from, to) = answers == nil ? ("RTH", "RXQ") : ("RXQ", "RTH")
    var entries = [
      """
      {"fullUrl":"urn:uuid:m","resource":{"resourceType":"MessageHeader","eventCoding":{"code":\
      "\(event)"},"destination":[{"endpoint":"to","receiver":{"reference":"urn:uuid:to"}}],\
      "sender":{"reference":"urn:uuid:from"},"source":{"endpoint":"from"},\
      "reason":{"coding":[{"code":"new"}]},\
      \(answers.map { #""response":{"identifier":"\#($0)","code":"ok"},"# } ?? "")\
      "focus":[{"reference":"urn:uuid:\(encounter == nil ? "sr" : "enc")"}]}}
      """,
      organisation("from", from), organisation("to", to),
    ]
    if let identifier {
      entries.append(
        """
        {"fullUrl":"urn:uuid:sr","resource":{"resourceType":"ServiceRequest","status":"active",\
        "identifier":[{"system":"\(identifier.system)","value":"\(identifier.value)"}],\(members)\
        "category":[{"coding":[{"code":"referral"}]}],"priority":"routine",\
        "authoredOn":"2023-11-14T22:00:00Z","subject":{"reference":"urn:uuid:p"}}}
        """)
    }
    if let nhs {
      entries.append(
        """
        {"fullUrl":"urn:uuid:p","resource":{"resourceType":"Patient","identifier":[{"system":\
        "https://fhir.nhs.uk/Id/nhs-number","value":"\(nhs)"}]}}
        """)
    }
    if let encounter {
      entries.append(
        """
        {"fullUrl":"urn:uuid:enc","resource":{"resourceType":"Encounter","status":\
        "\(encounter)","meta":{"lastUpdated":"2023-11-14T22:05:00Z"}}}
        """)
    }
    return """
      {"resourceType":"Bundle","id":"\(bundle)","type":"message",\
      "timestamp":"2023-11-14T22:05:00Z","entry":[\(entries.joined(separator: ","))]}
      """
  }

  private static func organisation(_ id: String, _ code: String) -> String {
    """
    {"fullUrl":"urn:uuid:\(id)","resource":{"resourceType":"Organization","identifier":[{"system":\
    "https://fhir.nhs.uk/Id/ods-organization-code","value":"\(code)"}]}}
    """
  }
}
