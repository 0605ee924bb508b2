import HandoffCore

/// Maps one XML document: FHIR, ebXML acknowledgements, NHS 111 reports in the ITK, MESH control.
struct XMLMapper: Sendable {
  let context: MappingContext

  func map(
    _ bytes: ArraySlice<UInt8>, answering answered: RawReference? = nil
  ) -> MappingOutcome {
    do throws(MappingError) {
      let root = try XMLReader.parse(bytes, limits: context.limits)
      switch (root.namespace, root.name) {
      case (FHIRXML.namespace?, _):
        return FHIRMapper(context: context).map(FHIRXML.resource(root), answering: answered)
      case (_, "Envelope"):
        return try SOAPMapper(context: context).map(XMLPlace(root))
      case (_, "DistributionEnvelope"):
        return try ITK111Mapper(context: context).map(XMLPlace(root), soap: nil)
      case (_, "DTSControl"):
        return try MESHMapper(context: context).control(XMLPlace(root))
      case (_, "ClinicalDocument"):
        // Without its envelope nobody says who it is for.
        return .noHandoffFact(
          MappedMessage(messageType: "ClinicalDocument"), reason: code("cda.no-envelope"))
      default:
        throw MappingError(
          code("xml.unknown-message"),
          explanation: "taken here are FHIR, SOAP with ebXML or the ITK, and MESH control files",
          acknowledgement: .reject)
      }
    } catch {
      return .refused(error)
    }
  }
}

/// What a SOAP envelope carries.
struct SOAPMapper: Sendable {
  let context: MappingContext

  func map(_ envelope: XMLPlace) throws(MappingError) -> MappingOutcome {
    if let header = envelope.at("Header", "MessageHeader") {
      return try EbXMLMapper(context: context).map(header, envelope: envelope)
    }
    if let inner = envelope.at("Body", "DistributionEnvelope") {
      return try ITK111Mapper(context: context).map(inner, soap: envelope["Header"])
    }
    if let response = envelope.at("Body", "SimpleMessageResponse") {
      return ITK111Mapper(context: context).simpleResponse(response)
    }
    throw MappingError(
      code("soap.unknown-message"), field: "Envelope/Body",
      explanation: "the envelope holds neither an ebXML message nor an ITK envelope",
      acknowledgement: .reject)
  }
}
