extension SampleTable {
  /// Gravity SDOH closed-loop referrals.
  static let gravity: [SampleRow] = [
    .init(
      "Consent-SDOHCC-ConsentInformationDisclosureExample.json", "none fhir.no-handoff-meaning",
      .nothing, "a consent"),
    .init(
      "HealthcareService-SDOHCC-HealthcareServiceTelecomAppointmentExample.json",
      "none fhir.no-handoff-meaning", .nothing, "a register"),
    .init(
      "Organization-SDOHCC-OrganizationClinicExample.json", "none fhir.no-handoff-meaning",
      .nothing, "a register"),
    .init(
      "Organization-SDOHCC-OrganizationCoordinationPlatformExample.json",
      "none fhir.no-handoff-meaning", .nothing, "a register"),
    .init(
      "Organization-SDOHCC-OrganizationPayerExample.json", "none fhir.no-handoff-meaning", .nothing,
      "a register"),
    .init("Patient-pat-53234.json", "none fhir.no-handoff-meaning", .nothing, "a register"),
    .init(
      "Procedure-SDOHCC-ProcedureFoodPantryApplicationAssistanceExample.json",
      "none fhir.no-handoff-meaning", .nothing,
      "a record of what was done; the Task says that it is"),
    .init(
      "ServiceRequest-SDOHCC-ServiceRequestActiveFoodPantryApplicationAssistExample.json",
      "sender:HandoffRequested", .handoff, "active"),
    .init(
      "ServiceRequest-SDOHCC-ServiceRequestSubreferralGardenProgramExample.json",
      "receiver:Completed", .handoff, "completed; basedOn is the handoff above it"),
    .init(
      "ServiceRequest-SDOHCC-ServiceRequestSubreferralSummerFoodProgramExample.json",
      "receiver:Completed", .handoff, "completed; basedOn is the handoff above it"),
    .init(
      "Task-SDOHCC-TaskReferralManagementOrderFulfillmentAcceptedExample.json", "receiver:Accepted",
      .handoff, "accepted"),
    .init(
      "Task-SDOHCC-TaskReferralManagementOrderFulfillmentCompletedExample.json",
      "receiver:Completed receiver:FeedbackSent", .handoff,
      "completed, with an output that goes back"),
    .init(
      "Task-SDOHCC-TaskReferralManagementOrderSubtaskAcceptedExample.json", "receiver:Accepted",
      .handoff, "accepted; partOf"),
    .init(
      "Task-SDOHCC-TaskReferralManagementOrderSubtaskCompletedExample.json",
      "receiver:Completed receiver:FeedbackSent", .handoff, "completed, with an output; partOf"),
  ]

  /// The FHIR of the v2-to-FHIR pairs.
  static let v2Pairs: [SampleRow] = [
    .init(
      "fhir-bundles__FHIR_bundle.hl7_ADT_A01.json", "sender:BedAssigned", .handoff,
      "A01 in the display of the event"),
    .init(
      "fhir-bundles__FHIR_bundle.hl7_MDM_T02.xml", "receiver:Interim", .handoff,
      "the converter dropped ORC: the visit names it, and no status says that it is the end"),
  ]

  /// NHS 111 referrals, as CDA and as FHIR.
  static let reports111: [SampleRow] = [
    .init(
      "json__adastra-itk-ooh-referral-dx06-fhir-result.json", "sender:HandoffRequested", .handoff,
      "referral-1, to RSHSO14A"),
    .init(
      "json__primary-emergency-fhir-result.json",
      "refused identity.nhs-number-format Bundle.entry[10].resource.identifier[0].value", .broken,
      "the NHS number has nine digits"),
    .init(
      "json__repeat-caller-fhir-result.json", "sender:HandoffRequested", .handoff,
      "referral-1; the set of the Composition is that of the XML"),
    .init(
      "xml__adastra-itk-ooh-referral-dx06-itk-request.xml", "sender:HandoffRequested", .handoff,
      "report to RSHSO14A"),
    .init(
      "xml__primary-emergency-itk-request.xml",
      "refused identity.nhs-number-format Envelope/Body[1]/DistributionEnvelope[1]/payloads[1]/payload[1]/ClinicalDocument[1]/recordTarget[1]/patientRole[1]/id[2]/@extension",
      .broken, "the NHS number has nine digits"),
    .init(
      "xml__repeat-caller-itk-request.xml", "sender:HandoffRequested", .handoff,
      "six documents: the newest is the handoff"),
  ]

  /// The ITK3 document.
  static let itk3: [SampleRow] = [
    .init(
      "consultation_report.clean.xml", "sender:HandoffRequested", .handoff,
      "ITK007C; the patient has no identifier but the id of the resource")
  ]

  /// Spine acknowledgements.
  static let ebXML: [SampleRow] = [
    .init(
      "ebxml_ack.xml", "platform:Delivered", .handoff, "of the receiver's own handler (toPartyMSH)"),
    .init("ebxml_nack.xml", "platform:TransportFailed", .handoff, "ErrorList, ValueNotRecognized"),
  ]
}
