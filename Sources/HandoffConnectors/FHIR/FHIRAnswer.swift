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
  private init(
    _ status: HTTPResponse.Status, _ body: FHIRElement, to head: FHIRHead?, as format: FHIRFormat
  ) {
    self.status = status
    self.body = body.bytes(format)
    fields[.contentType] = "\(format.mediaType); charset=utf-8"
    // Answers may say something of a person's message: nobody on the way keeps them.
    fields[.cacheControl] = "no-store"
    fields[.requestID] = head?.transport.requestID
    fields[.correlationID] = head?.transport.correlationID
  }
}

extension FHIRAnswer {
  /// A refusal, to a head as far as it was read.
  init(
    _ refusal: FHIRRefusal, to head: FHIRHead? = nil, as format: FHIRFormat? = nil,
    settings: FHIRSettings
  ) {
    self.init(
      refusal.status, FHIRResources.outcome(of: refusal), to: head,
      as: format ?? head?.answerFormat ?? .json)
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
    guard route == .processMessage else {
      // 202, not 201: nothing was created that could be read back.
      return FHIRAnswer(.accepted, FHIRResources.acknowledgement, to: head, as: head.answerFormat)
    }
    return FHIRAnswer(
      .ok, FHIRResources.response(to: glance, id: id, at: time), to: head, as: head.answerFormat)
  }

  static func capabilities(
    _ settings: FHIRSettings, at time: Timestamp, as format: FHIRFormat
  ) -> FHIRAnswer {
    FHIRAnswer(.ok, FHIRResources.capabilities(settings, at: time), to: nil, as: format)
  }
}
