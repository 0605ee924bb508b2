/// What becomes of every message that others wrote (domain.md §5), reviewed row by row.
///
/// A row holds speaker and event type of each fact, `none` for no handoff fact, `refused` for code and field.
enum SampleTable {
  static let rows: [String: [String: String]] = [
    "ebxml-acks": [
      "ebxml_ack.xml": "refused format.unsupported-xml",
      "ebxml_nack.xml": "refused format.unsupported-xml",
    ],
    "fhir-bars-api-json": [
      "OperationOutcome__REC__408-REC_TIMEOUT-timeout.json":
        "refused correlation.none OperationOutcome",
      "OperationOutcome__REC__409-REC_CONFLICT-conflict.json":
        "refused correlation.none OperationOutcome",
      "OperationOutcome__REC__409-REC_CONFLICT-duplicate.json":
        "refused correlation.none OperationOutcome",
      "OperationOutcome__REC__503-REC_SERVICE_UNAVAILABLE-transient.json":
        "refused correlation.none OperationOutcome",
      "OperationOutcome__SEND__429-SEND_TOO_MANY_REQUESTS-throttled.json":
        "refused correlation.none OperationOutcome",
      "appointment__GET-success.json": "refused fhir.unsupported-bundle Bundle.type",
      "appointment__PATCH-body.json": "refused fhir.unsupported-resource resourceType",
      "appointment__POST-success.json": "refused fhir.unsupported-resource resourceType",
      "appointment__PUT-body.json": "refused fhir.unsupported-resource resourceType",
      "appointment__id__GET-success.json": "refused fhir.unsupported-resource resourceType",
      "document_reference__DELETE-success.json": "none fhir.informational",
      "document_reference__GET-success-empty.json": "refused fhir.unsupported-bundle Bundle.type",
      "document_reference__GET-success.json": "refused fhir.unsupported-bundle Bundle.type",
      "document_reference__POST-body.json": "refused fhir.unsupported-resource resourceType",
      "document_reference__POST-success.json": "none fhir.informational",
      "document_reference__id__GET-success.json": "refused fhir.unsupported-resource resourceType",
      "document_reference__id__Not-Found.json": "refused correlation.none OperationOutcome",
      "document_reference__id__PUT-body.json": "refused fhir.unsupported-resource resourceType",
      "message_definition__MessageDefinition_ServiceRequest-request_CaseTransfer.json":
        "refused fhir.unsupported-bundle Bundle.type",
      "process_message__POST-body.json": "none bars.no-handoff-reference",
      "process_message__POST-success.json": "sender:Booked",
      "process_message__request__Booking_(POST).json": "none bars.no-handoff-reference",
      "process_message__request__ValidationRequest_(POST)_.json":
        "refused identity.nhs-number-check-digit Bundle.entry[5].resource.identifier[0].value",
      "process_message__request__ValidationResponse_(POST)_.json":
        "refused identity.nhs-number-check-digit Bundle.entry[6].resource.identifier[0].value",
      "process_message__response__Booking_(HTTP_Response)_.json": "sender:Booked",
      "process_message__response__ValidationRequest_(HTTP_Response)_.json":
        "refused identity.nhs-number-check-digit Bundle.entry[3].resource.identifier[0].value",
      "service_request__GET-success.json": "refused fhir.unsupported-bundle Bundle.type",
      "service_request__POST-success.json": "refused fhir.unsupported-resource resourceType",
      "service_request__id__GET-success.json": "refused fhir.unsupported-resource resourceType",
    ],
    "fhir-ers-json": [
      "r4__searchServiceRequest__responses__ResponseExampleReferral.json":
        "refused fhir.unsupported-bundle Bundle.type",
      "stu3__acceptReferral__responses__ExampleResponse.json":
        "refused fhir.unsupported-resource resourceType",
      "stu3__cancelReferral__responses__CancelledBookedReferralReferrerCancellation.json":
        "refused fhir.unsupported-resource resourceType",
      "stu3__cancelReferral__responses__CancelledReferralPatientOther.json":
        "refused fhir.unsupported-resource resourceType",
      "stu3__cancelReferral__responses__CancelledReferralRaisedInError.json":
        "refused fhir.unsupported-resource resourceType",
      "stu3__createReferralAndSendForTriage__requests__Parameters.json":
        "refused fhir.unsupported-resource resourceType",
      "stu3__createReferralAndSendForTriage__responses__ReferralRequest.json":
        "refused fhir.unsupported-resource resourceType",
      "stu3__createReferral__requests__MinimalRequest.json":
        "refused fhir.unsupported-resource resourceType",
      "stu3__createReferral__responses__ReferralRequest.json":
        "refused fhir.unsupported-resource resourceType",
      "stu3__recordTriageOutcome__responses__AcceptReferBookLater.json":
        "refused fhir.unsupported-resource resourceType",
      "stu3__recordTriageOutcome__responses__ReturnToReferrerWithAdvice.json":
        "refused fhir.unsupported-resource resourceType",
      "stu3__rejectReferral__responses__ExampleResponseDbs.json":
        "refused fhir.unsupported-resource resourceType",
      "stu3__rejectReferral__responses__ExampleResponseIbs.json":
        "refused fhir.unsupported-resource resourceType",
      "stu3__retrieveReferralRequest__responses__BookedDBS.json":
        "refused fhir.unsupported-resource resourceType",
      "stu3__retrieveReferralRequest__responses__ConvertedFromAdviceAndGuidance.json":
        "refused fhir.unsupported-resource resourceType",
      "stu3__retrieveReferralRequest__responses__DeferredToProvider.json":
        "refused fhir.unsupported-resource resourceType",
      "stu3__retrieveReferralRequest__responses__Unbooked.json":
        "refused fhir.unsupported-resource resourceType",
      "stu3__retrieveReferralRequest__responses__WithRelatedReferral.json":
        "refused fhir.unsupported-resource resourceType",
      "stu3__retrieveWorklist__responses__AppointmentSlotIssues.json":
        "refused fhir.unsupported-resource resourceType",
      "stu3__retrieveWorklist__responses__AssessmentReturnedCancelledDna.json":
        "refused fhir.unsupported-resource resourceType",
      "stu3__retrieveWorklist__responses__ReferralsForReview.json":
        "refused fhir.unsupported-resource resourceType",
      "stu3__retrieveWorklist__responses__RejectedTriageResponse.json":
        "refused fhir.unsupported-resource resourceType",
    ],
    "fhir-gravity-json": [
      "Consent-SDOHCC-ConsentInformationDisclosureExample.json": "none fhir.no-handoff-meaning",
      "HealthcareService-SDOHCC-HealthcareServiceTelecomAppointmentExample.json":
        "none fhir.no-handoff-meaning",
      "Organization-SDOHCC-OrganizationClinicExample.json": "none fhir.no-handoff-meaning",
      "Organization-SDOHCC-OrganizationCoordinationPlatformExample.json":
        "none fhir.no-handoff-meaning",
      "Organization-SDOHCC-OrganizationPayerExample.json": "none fhir.no-handoff-meaning",
      "Patient-pat-53234.json": "none fhir.no-handoff-meaning",
      "Procedure-SDOHCC-ProcedureFoodPantryApplicationAssistanceExample.json":
        "none fhir.no-handoff-meaning",
      "ServiceRequest-SDOHCC-ServiceRequestActiveFoodPantryApplicationAssistExample.json":
        "refused fhir.unsupported-resource resourceType",
      "ServiceRequest-SDOHCC-ServiceRequestSubreferralGardenProgramExample.json":
        "refused fhir.unsupported-resource resourceType",
      "ServiceRequest-SDOHCC-ServiceRequestSubreferralSummerFoodProgramExample.json":
        "refused fhir.unsupported-resource resourceType",
      "Task-SDOHCC-TaskReferralManagementOrderFulfillmentAcceptedExample.json":
        "refused fhir.unsupported-resource resourceType",
      "Task-SDOHCC-TaskReferralManagementOrderFulfillmentCompletedExample.json":
        "refused fhir.unsupported-resource resourceType",
      "Task-SDOHCC-TaskReferralManagementOrderSubtaskAcceptedExample.json":
        "refused fhir.unsupported-resource resourceType",
      "Task-SDOHCC-TaskReferralManagementOrderSubtaskCompletedExample.json":
        "refused fhir.unsupported-resource resourceType",
    ],
    "fhir-v2tofhir": [
      "fhir-bundles__FHIR_bundle.hl7_ADT_A01.json": "refused fhir.unsupported-bundle Bundle.type",
      "fhir-bundles__FHIR_bundle.hl7_MDM_T02.xml": "refused format.unsupported-xml",
    ].merging(summaries(hl7Pairs)) { $1 },
    "hl7v2-microsoft": summaries(hl7),
    "itk-111": [
      "json__adastra-itk-ooh-referral-dx06-fhir-result.json":
        "refused fhir.field-missing Bundle.entry[0].resource.eventCoding",
      "json__primary-emergency-fhir-result.json":
        "refused fhir.field-missing Bundle.entry[0].resource.eventCoding",
      "json__repeat-caller-fhir-result.json":
        "refused fhir.field-missing Bundle.entry[0].resource.eventCoding",
      "xml__adastra-itk-ooh-referral-dx06-itk-request.xml": "refused format.unsupported-xml",
      "xml__primary-emergency-itk-request.xml": "refused format.unsupported-xml",
      "xml__repeat-caller-itk-request.xml": "refused format.unsupported-xml",
    ],
    "itk3": [
      "consultation_report.clean.xml": "refused format.unsupported-xml"
    ],
  ]
}
