/// What happened, in the words of domain.md §2.2.
public enum EventType: String, BitwiseCopyable, CaseIterable, Hashable, Sendable {
  // The lifecycle of a handoff: the columns of the transition table, and the request that opens it.
  case handoffRequested = "HandoffRequested"
  case handoffAmended = "HandoffAmended"
  case transportAccepted = "TransportAccepted"
  case delivered = "Delivered"
  case transportFailed = "TransportFailed"
  case received = "Received"
  case recipientRefusedPatient = "RecipientRefusedPatient"
  case accepted = "Accepted"
  case rejected = "Rejected"
  case infoRequested = "InfoRequested"
  case redirected = "Redirected"
  case booked = "Booked"
  case notAttended = "NotAttended"
  case started = "Started"
  case interim = "Interim"
  case completed = "Completed"
  case couldNotComplete = "CouldNotComplete"
  case feedbackSent = "FeedbackSent"
  case feedbackAcknowledged = "FeedbackAcknowledged"
  case cancelled = "Cancelled"
  case voided = "Voided"
  case expired = "Expired"
  /// The sender closes a terminal handoff without another: no need, or the patient was told.
  case disposition = "Disposition"

  // The person's stay: F1 to F4.
  case readyForDischarge = "ReadyForDischarge"
  case dischargeReadinessWithdrawn = "DischargeReadinessWithdrawn"
  case discharged = "Discharged"
  case dischargeCancelled = "DischargeCancelled"
  case bedAssigned = "BedAssigned"
  case bedFreed = "BedFreed"
  case bedMoved = "BedMoved"
  case patientMerged = "PatientMerged"
  case patientMoved = "PatientMoved"
  case patientDied = "PatientDied"
  case identityLinked = "IdentityLinked"
  /// Open state that a merge moves to the key it was merged into.
  case handoffTransferred = "HandoffTransferred"

  // Services and people around it: F5, capacity, experience.
  case orgChanged = "OrgChanged"
  case wardClosed = "WardClosed"
  case wardOpened = "WardOpened"
  case feedbackReceived = "FeedbackReceived"
  case patientChased = "PatientChased"
}

/// In which part the speaker of an event acts (domain.md §2.3, who may set what).
public enum SpeakerRole: String, CaseIterable, Hashable, Sendable {
  case sender, receiver, platform
}
