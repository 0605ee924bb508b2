import Foundation
import HandoffCore

/// Writes the messages of the demo as the systems of its organisations would.
struct DemoPen: Sendable {
  let start: Date
  let run: String

  /// The sender's id of a person's handoff.
  func id(_ person: String) -> String { "H-\(run)-\(person)" }

  /// REF^I12: a request by HL7 v2.
  ///
  /// With `handoff` it is another referral of the same person under the same message id.
  func referral(
    _ person: String, at second: Double, to receiver: DemoOrganisation, code: String,
    priority: String, handoff: String? = nil
  ) -> [UInt8] {
    message([
      header(.surgery, to: receiver, "REF^I12^REF_I12", "M-\(run)-\(person)", second),
      "RF1|P^Pending^HL70283|\(priority)^^HL70280|\(code)^^SCT|||\(id(handoff ?? person))^Z99101",
      "PRD|RP^Referring Provider^HL70286|Marsh Lane Surgery",
      patient(person),
    ])
  }

  /// RRI^I12: the receiver's answer; `status` is a letter of HL7 table 0283.
  func answer(
    _ person: String, at second: Double, by receiver: DemoOrganisation, status: String,
    reason: String = ""
  ) -> [UInt8] {
    message([
      header(receiver, to: .surgery, "RRI^I12^RRI_I12", "R-\(run)-\(person)", second),
      "MSA|AA|M-\(run)-\(person)",
      "RF1|\(status)^^HL70283|R^^HL70280||||\(id(person))^Z99101||||\(reason)",
      patient(person),
    ])
  }

  /// ADT^A08: news about a person, and none about a handoff.
  func update(_ person: String, at second: Double) -> [UInt8] {
    message([
      header(.hospital, to: .surgery, "ADT^A08^ADT_A01", "U-\(run)-\(person)", second),
      "EVN|A08|\(stamp(second))", patient(person), "PV1|1|N",
    ])
  }

  /// A referral that nobody can work with: no patient in it.
  func brokenReferral(at second: Double) -> [UInt8] {
    message([
      header(.surgery, to: .hospital, "REF^I12^REF_I12", "M-\(run)-X", second),
      "RF1|P^Pending^HL70283|R^^HL70280||||\(id("X"))^Z99101",
    ])
  }

  /// One line of NDJSON, as a council or a voluntary body sends it.
  func submission(
    _ person: String, at second: Double, type: String, from: DemoOrganisation,
    to: DemoOrganisation, kind: String, more: [String: String]
  ) -> [UInt8] {
    let isRequest = type == "HandoffRequested"
    let speaks = isRequest || more["speaker"] == "sender" ? from : to
    var data: [String: Any] = [
      "type": type, "system": speaks.system, "from": party(from), "to": party(to),
      "handoff": ["system": "case-number", "value": id(person), "assigner": from.rawValue],
      "kind": kind, "priority": "routine", "occurredAt": instant(second),
      "person": [
        "nhsNumber": Self.nhsNumber(person), "nhsNumberStatus": "number-present-and-verified",
        "familyName": "Example", "givenName": "Person \(person)",
      ],
    ]
    for (name, value) in more { data[name] = value }
    let event: [String: Any] = [
      "specversion": "1.0", "id": "\(id(person))-\(type)",
      "source": "/\(speaks.system.lowercased())",
      "type": "baton.handoff.v1.HandoffSubmission", "time": instant(second),
      "datacontenttype": "application/json", "data": data,
    ]
    let options: JSONSerialization.WritingOptions = [.sortedKeys, .withoutEscapingSlashes]
    let line = (try? JSONSerialization.data(withJSONObject: event, options: options)) ?? Data()
    return Array(line) + [0x0A]
  }

  /// A number of the test range with a right check digit, another for each letter.
  static func nhsNumber(_ person: String) -> String {
    let index = Int(person.unicodeScalars.first?.value ?? 0)
    for serial in stride(from: index * 7, to: index * 7 + 7, by: 1) {
      for digit in 0...9 {
        let text =
          "999" + String(repeating: "0", count: 6 - String(serial).count)
          + "\(serial)\(digit)"
        if (try? NHSNumber(text)) != nil { return text }
      }
    }
    return ""
  }
}

// MARK: - Parts

extension DemoPen {
  /// Segments end with a carriage return, the last one too.
  private func message(_ segments: [String]) -> [UInt8] {
    Array(segments.map { $0 + "\r" }.joined().utf8)
  }

  private func header(
    _ sender: DemoOrganisation, to receiver: DemoOrganisation, _ type: String, _ id: String,
    _ second: Double
  ) -> String {
    "MSH|^~\\&|\(sender.system)|\(facility(sender))|\(receiver.system)|\(facility(receiver))|"
      + "\(stamp(second))||\(type)|\(id)|T|2.5.1"
  }

  /// With the OID of the ODS register, so that the code is taken for what it is.
  private func facility(_ organisation: DemoOrganisation) -> String {
    "\(organisation.rawValue)^2.16.840.1.113883.2.1.3.2.4.18.48^ISO"
  }

  private func patient(_ person: String) -> String {
    "PID|1||\(Self.nhsNumber(person))^^^NHS^NH||Example^Person \(person)||19500101|U"
  }

  private func party(_ organisation: DemoOrganisation) -> [String: String] {
    organisation.isInRegister
      ? ["odsCode": organisation.rawValue, "system": organisation.system]
      : ["openReferralServiceId": organisation.rawValue, "system": organisation.system]
  }

  private func instant(_ second: Double) -> String {
    start.addingTimeInterval(second)
      .formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
  }

  /// `YYYYMMDDHHMMSS.sss+0000`.
  private func stamp(_ second: Double) -> String {
    let text = instant(second).filter { $0.isNumber || $0 == "." }
    return text + "+0000"
  }
}
