import Foundation
import HTTPTypes
import HandoffCodecs
import HandoffCore

/// One answer, ready to be written.
struct FHIRAnswer: Sendable {
  var status: HTTPResponse.Status
  var fields: HTTPFields = [:]
  var body: [UInt8]
  var closesConnection = false

  /// What every answer carries; ids of the request are given back as they were read.
  fileprivate init(_ status: HTTPResponse.Status, _ body: some Encodable, to head: FHIRHead?) {
    self.status = status
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Our own values of text and numbers only: they encode.
    self.body = (try? encoder.encode(body)).map(Array.init) ?? []
    fields[.contentType] = "application/fhir+json; charset=utf-8"
    // Answers may say something of a person's message: nobody on the way keeps them.
    fields[.cacheControl] = "no-store"
    fields[.requestID] = head?.transport.requestID
    fields[.correlationID] = head?.transport.correlationID
  }
}

extension FHIRAnswer {
  init(_ refusal: FHIRRefusal, to head: FHIRHead?, settings: FHIRSettings) {
    self.init(refusal.status, FHIRResources.outcome(of: refusal), to: head)
    if !refusal.allow.isEmpty { fields[.allow] = refusal.allow.joined(separator: ", ") }
    if refusal.isTemporary {
      let seconds = max(1, settings.retryAfter.components.seconds)
      fields[.retryAfter] = String(seconds)
    }
    closesConnection = refusal.closesConnection
  }

  /// The transport acknowledgement: the bytes are safe, and nothing more is claimed.
  static func taken(
    _ glance: FHIRGlance, receptionID: ReceptionID?, route: FHIRRoute, to head: FHIRHead,
    at time: Timestamp
  ) -> FHIRAnswer {
    let id = receptionID?.description.lowercased() ?? UUID().uuidString.lowercased()
    let outcome = FHIRResources.acknowledgement
    guard route == .processMessage else {
      // 202, not 201: nothing was created that could be read back.
      return FHIRAnswer(.accepted, outcome, to: head)
    }
    return FHIRAnswer(
      .ok, FHIRResources.response(to: glance, id: id, at: time, outcome: outcome), to: head)
  }

  static func capabilities(_ settings: FHIRSettings, at time: Timestamp) -> FHIRAnswer {
    FHIRAnswer(.ok, FHIRResources.capabilities(settings, at: time), to: nil)
  }
}
