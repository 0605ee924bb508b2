extension SampleTable {
  /// e-RS resources and worklists.
  static let ers: [SampleRow] = [
    .init(
      "r4__searchServiceRequest__responses__ResponseExampleReferral.json",
      "sender:HandoffRequested", .handoff, "active; UBRN"),
    .init(
      "stu3__acceptReferral__responses__ExampleResponse.json", "receiver:Accepted receiver:Booked",
      .handoff, "BOOKED"),
    .init(
      "stu3__cancelReferral__responses__CancelledBookedReferralReferrerCancellation.json",
      "sender:Cancelled", .handoff, "CANCELLED_REFERRAL; its appointment goes with it"),
    .init(
      "stu3__cancelReferral__responses__CancelledReferralPatientOther.json", "sender:Cancelled",
      .handoff, "CANCELLED_REFERRAL"),
    .init(
      "stu3__cancelReferral__responses__CancelledReferralRaisedInError.json", "sender:Voided",
      .handoff, "RAISED_IN_ERROR"),
    .init(
      "stu3__createReferralAndSendForTriage__requests__Parameters.json", "none ers.awaiting-ubrn",
      .nothing, "no UBRN yet: the answer is the fact"),
    .init(
      "stu3__createReferralAndSendForTriage__responses__ReferralRequest.json",
      "sender:HandoffRequested receiver:Received", .handoff, "AWAITING_TRIAGE"),
    .init(
      "stu3__createReferral__requests__MinimalRequest.json", "none ers.awaiting-ubrn", .nothing,
      "no UBRN yet: the answer is the fact"),
    .init(
      "stu3__createReferral__responses__ReferralRequest.json", "sender:HandoffRequested", .handoff,
      "NOT_BOOKED"),
    .init(
      "stu3__recordTriageOutcome__responses__AcceptReferBookLater.json", "receiver:Accepted",
      .handoff, "TRIAGED_PROVIDER_TO_ACTION, ACCEPT_REFER_BOOK_LATER"),
    .init(
      "stu3__recordTriageOutcome__responses__ReturnToReferrerWithAdvice.json",
      "receiver:InfoRequested", .handoff,
      "TRIAGED_PROVIDER_TO_ACTION, RETURN_TO_REFERRER_WITH_ADVICE"),
    .init(
      "stu3__rejectReferral__responses__ExampleResponseDbs.json", "receiver:Rejected", .handoff,
      "REJECTED while the status is active"),
    .init(
      "stu3__rejectReferral__responses__ExampleResponseIbs.json", "receiver:Rejected", .handoff,
      "REJECTED while the status is active"),
    .init(
      "stu3__retrieveReferralRequest__responses__BookedDBS.json",
      "receiver:Accepted receiver:Booked", .handoff, "BOOKED"),
    .init(
      "stu3__retrieveReferralRequest__responses__ConvertedFromAdviceAndGuidance.json",
      "receiver:Redirected", .handoff, "TRIAGED_PROVIDER_TO_ACTION, advice converted"),
    .init(
      "stu3__retrieveReferralRequest__responses__DeferredToProvider.json", "receiver:InfoRequested",
      .handoff, "DEFERRED_TO_PROVIDER"),
    .init(
      "stu3__retrieveReferralRequest__responses__Unbooked.json", "sender:HandoffRequested",
      .handoff, "NOT_BOOKED"),
    .init(
      "stu3__retrieveReferralRequest__responses__WithRelatedReferral.json",
      "receiver:Accepted receiver:Booked", .handoff, "BOOKED; the related referral is its parent"),
    .init(
      "stu3__retrieveWorklist__responses__AppointmentSlotIssues.json",
      "receiver:InfoRequested receiver:InfoRequested", .handoff, "two referrals without a slot"),
    .init(
      "stu3__retrieveWorklist__responses__AssessmentReturnedCancelledDna.json",
      "sender:Cancelled receiver:NotAttended", .handoff, "CANCELLED_REFERRAL and DID_NOT_ATTEND"),
    .init(
      "stu3__retrieveWorklist__responses__ReferralsForReview.json",
      "receiver:Received receiver:Received", .handoff, "two on the list of who reviews them"),
    .init(
      "stu3__retrieveWorklist__responses__RejectedTriageResponse.json",
      "receiver:Rejected receiver:Completed", .handoff, "REJECTED and TRIAGE_RESPONSE"),
  ]
}
