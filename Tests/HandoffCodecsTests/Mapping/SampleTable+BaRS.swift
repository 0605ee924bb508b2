extension SampleTable {
  /// BaRS API examples.
  static let bars: [SampleRow] = [
    .init(
      "OperationOutcome__REC__408-REC_TIMEOUT-timeout.json",
      "refused correlation.none OperationOutcome", .broken,
      "names neither patient nor message: a fact only with what it answers (FHIRTrapTests)"),
    .init(
      "OperationOutcome__REC__409-REC_CONFLICT-conflict.json",
      "refused correlation.none OperationOutcome", .broken,
      "names neither patient nor message: a fact only with what it answers (FHIRTrapTests)"),
    .init(
      "OperationOutcome__REC__409-REC_CONFLICT-duplicate.json",
      "refused correlation.none OperationOutcome", .broken,
      "names neither patient nor message: a fact only with what it answers (FHIRTrapTests)"),
    .init(
      "OperationOutcome__REC__503-REC_SERVICE_UNAVAILABLE-transient.json",
      "refused correlation.none OperationOutcome", .broken,
      "names neither patient nor message: a fact only with what it answers (FHIRTrapTests)"),
    .init(
      "OperationOutcome__SEND__429-SEND_TOO_MANY_REQUESTS-throttled.json",
      "refused correlation.none OperationOutcome", .broken,
      "names neither patient nor message: a fact only with what it answers (FHIRTrapTests)"),
    .init(
      "appointment__GET-success.json", "receiver:Booked receiver:Booked", .handoff,
      "two bookings of a search, by basedOn; the patient is nowhere in it"),
    .init(
      "appointment__PATCH-body.json", "receiver:Booked", .handoff,
      "the record of who keeps the slot; the PATCH is found by its own id only"),
    .init(
      "appointment__POST-success.json", "receiver:Booked", .handoff,
      "the record of who keeps the slot; the PATCH is found by its own id only"),
    .init(
      "appointment__PUT-body.json", "receiver:Booked", .handoff,
      "the record of who keeps the slot; the PATCH is found by its own id only"),
    .init(
      "appointment__id__GET-success.json", "receiver:Booked", .handoff,
      "the record of who keeps the slot, by basedOn"),
    .init(
      "document_reference__DELETE-success.json", "none fhir.informational", .nothing,
      "informational: a register of documents took a request"),
    .init(
      "document_reference__GET-success-empty.json", "none fhir.no-handoff-meaning", .nothing,
      "a pointer to a document: nobody hands anything over"),
    .init(
      "document_reference__GET-success.json", "none fhir.no-handoff-meaning", .nothing,
      "a pointer to a document: nobody hands anything over"),
    .init(
      "document_reference__POST-body.json", "none fhir.no-handoff-meaning", .nothing,
      "a pointer to a document: nobody hands anything over"),
    .init(
      "document_reference__POST-success.json", "none fhir.informational", .nothing,
      "informational: a register of documents took a request"),
    .init(
      "document_reference__id__GET-success.json", "none fhir.no-handoff-meaning", .nothing,
      "a pointer to a document: nobody hands anything over"),
    .init(
      "document_reference__id__Not-Found.json", "refused correlation.none OperationOutcome",
      .broken, "as every OperationOutcome alone"),
    .init(
      "document_reference__id__PUT-body.json", "none fhir.no-handoff-meaning", .nothing,
      "a pointer to a document: nobody hands anything over"),
    .init(
      "message_definition__MessageDefinition_ServiceRequest-request_CaseTransfer.json",
      "none fhir.no-handoff-meaning", .nothing, "a definition"),
    .init(
      "process_message__POST-body.json", "none bars.no-handoff-reference", .nothing,
      "the sender books a slot and names no referral: nothing that it belongs to"),
    .init(
      "process_message__POST-success.json", "sender:Booked", .handoff,
      "the event is booking-request and there is no response: the sender speaks"),
    .init(
      "process_message__request__Booking_(POST).json", "none bars.no-handoff-reference", .nothing,
      "the same file as POST-body"),
    .init(
      "process_message__request__ValidationRequest_(POST)_.json",
      "refused identity.nhs-number-check-digit Bundle.entry[5].resource.identifier[0].value",
      .broken, "the check digit fails (A27); taken as untraced it is HandoffRequested"),
    .init(
      "process_message__request__ValidationResponse_(POST)_.json",
      "refused identity.nhs-number-check-digit Bundle.entry[6].resource.identifier[0].value",
      .broken, "the check digit fails (A27); taken as untraced it is Completed"),
    .init(
      "process_message__response__Booking_(HTTP_Response)_.json", "sender:Booked", .handoff,
      "the same file as POST-success"),
    .init(
      "process_message__response__ValidationRequest_(HTTP_Response)_.json",
      "refused identity.nhs-number-check-digit Bundle.entry[3].resource.identifier[0].value",
      .broken, "the check digit fails (A27); taken as untraced it is HandoffRequested"),
    .init(
      "service_request__GET-success.json", "sender:HandoffRequested", .handoff,
      "search whose entry is the resource itself; active"),
    .init(
      "service_request__POST-success.json", "sender:HandoffRequested", .handoff,
      "active, intent plan"),
    .init(
      "service_request__id__GET-success.json", "sender:HandoffRequested", .handoff,
      "active, intent plan"),
  ]
}
