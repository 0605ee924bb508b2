import HandoffCodecs
import HandoffCore

extension FHIRResources {
  /// What this end does and does not, as it is configured: a CapabilityStatement.
  static func capabilities(_ settings: FHIRSettings, at time: Timestamp) -> FHIRElement {
    .resource(
      "CapabilityStatement",
      [
        .init("status", "active"), .init("date", RFC3339.text(time)), .init("kind", "instance"),
        .init("software", .group([.init("name", "Baton")])),
        .init(
          "implementation",
          .group([
            .init(
              "description",
              "Takes handoff messages in. Every answer is a transport acknowledgement: it says "
                + "that the bytes are safe, never that a service has received or accepted them.")
          ])),
        .init("fhirVersion", "4.0.1"),
        .init("format", .list(FHIRFormat.allCases.map { .text($0.mediaType) })),
        .init("rest", .list([rest(settings)])),
      ])
  }

  private static func rest(_ settings: FHIRSettings) -> FHIRElement {
    let security =
      switch (settings.tls, settings.tls?.clientCA) {
      case (nil, _): "No TLS: for this machine or a trusted network only."
      case (_, nil): "TLS 1.2 or newer. Clients are not authenticated here."
      case (_, _?): "TLS 1.2 or newer with a client certificate."
      }
    return .group([
      .init("mode", "server"),
      .init(
        "documentation",
        "Bodies of at most \(settings.messageByteCountMax) bytes, in JSON or XML. A request with "
          + "the X-Request-ID of one that was taken in is answered 409, duplicate where it is the "
          + "same and conflict where it is not. Answers are in the form that Accept or _format "
          + "asks for, else in that of the body."),
      .init("security", .group([.init("description", security)])),
      .init("resource", .list(FHIRRoute.resourceTypes.map(resource))),
      .init(
        "operation",
        .list([
          .group([
            .init("name", "process-message"),
            .init(
              "definition",
              "http://hl7.org/fhir/OperationDefinition/MessageHeader-process-message"),
            .init(
              "documentation",
              "A Bundle of type message. X-Request-ID is required; X-Correlation-ID and "
                + "NHSD-Target-Identifier are read."),
          ])
        ])),
    ])
  }

  private static func resource(_ type: String) -> FHIRElement {
    let interactions = ["create", "update"].map { code in
      FHIRElement.group([
        .init("code", code), .init("documentation", "Answered 202: stored, not yet published."),
      ])
    }
    return .group([
      .init("type", type),
      .init(
        "documentation",
        "Taken in as a statement about a handoff. It is not stored as a resource: there is no "
          + "read, no search and no version."),
      .init("interaction", .list(interactions)), .init("versioning", "no-version"),
      .init("readHistory", .flag(false)), .init("updateCreate", .flag(true)),
    ])
  }
}
