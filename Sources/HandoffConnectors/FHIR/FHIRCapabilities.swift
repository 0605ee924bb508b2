import HandoffCodecs
import HandoffCore

extension FHIRResources {
  struct Capabilities: Encodable {
    struct Software: Encodable {
      let name = "Baton"
    }

    struct Implementation: Encodable {
      var description: String
    }

    struct Rest: Encodable {
      let mode = "server"
      var documentation: String
      var security: Security
      var resource: [ResourceTaken]
      var operation: [Operation]
    }

    struct Security: Encodable {
      var description: String
    }

    struct ResourceTaken: Encodable {
      var type: String
      var documentation: String
      var interaction: [Interaction]
      let versioning = "no-version"
      let readHistory = false
      let updateCreate = true
    }

    struct Interaction: Encodable {
      var code: String
      var documentation: String
    }

    struct Operation: Encodable {
      let name = "process-message"
      let definition = "http://hl7.org/fhir/OperationDefinition/MessageHeader-process-message"
      var documentation: String
    }

    let resourceType = "CapabilityStatement"
    let status = "active"
    var date: String
    let kind = "instance"
    let fhirVersion = "4.0.1"
    let format = ["application/fhir+json"]
    let software = Software()
    var implementation: Implementation
    var rest: [Rest]
  }

  /// What this end does and does not, as it is configured.
  static func capabilities(_ settings: FHIRSettings, at time: Timestamp) -> Capabilities {
    let security =
      switch (settings.tls, settings.tls?.clientCA) {
      case (nil, _): "No TLS: for this machine or a trusted network only."
      case (_, nil): "TLS 1.2 or newer. Clients are not authenticated here."
      case (_, _?): "TLS 1.2 or newer with a client certificate."
      }
    let types = FHIRRoute.resourceTypes.map { type in
      Capabilities.ResourceTaken(
        type: type,
        documentation: "Taken in as a statement about a handoff. It is not stored as a resource: "
          + "there is no read, no search and no version.",
        interaction: [
          Capabilities.Interaction(
            code: "create", documentation: "Answered 202: stored, not yet published."),
          Capabilities.Interaction(
            code: "update", documentation: "Answered 202: stored, not yet published."),
        ])
    }
    return Capabilities(
      date: RFC3339.text(time),
      implementation: .init(
        description: "Takes handoff messages in. Every answer is a transport acknowledgement: it "
          + "says that the bytes are safe, never that a service has received or accepted them."),
      rest: [
        Capabilities.Rest(
          documentation: "Bodies of at most \(settings.messageByteCountMax) bytes. A request with "
            + "the X-Request-ID of one that was taken in is answered 409, duplicate where it is "
            + "the same and conflict where it is not.",
          security: .init(description: security), resource: types,
          operation: [
            Capabilities.Operation(
              documentation: "A Bundle of type message. X-Request-ID is required; "
                + "X-Correlation-ID and NHSD-Target-Identifier are read.")
          ])
      ])
  }
}
