import HTTPTypes
import HandoffCodecs
import HandoffCore

/// How a request ended other than well, in the terms of FHIR and of BaRS.
///
/// It names the field and a code of ours, and never holds a value of the message.
struct FHIRRefusal: Error, Hashable, Sendable {
  var status: HTTPResponse.Status
  /// `OperationOutcome.issue.code` (FHIR R4, issue-type).
  var issue: String
  /// `OperationOutcome.issue.details`: the code that BaRS gives such an answer.
  var barsCode: String
  var explanation: String
  /// Which field, as FHIR names it.
  var field: String?
  /// A code of ours, such as `fhir.field-missing`.
  var reason: Code?
  /// Methods that the path has, with 405.
  var allow: [String] = []
  /// Whether the sender is told when to come again.
  var isTemporary = false
  /// Whether the rest of the connection cannot be read as requests.
  var closesConnection = false

  init(
    _ status: HTTPResponse.Status, issue: String, bars barsCode: String, _ explanation: String,
    field: String? = nil, reason: Code? = nil
  ) {
    self.status = status
    self.issue = issue
    self.barsCode = barsCode
    self.explanation = explanation
    self.field = field
    self.reason = reason
  }
}

extension FHIRRefusal {
  static func badRequest(field: String, _ explanation: String) -> FHIRRefusal {
    FHIRRefusal(
      .badRequest, issue: "value", bars: "REC_BAD_REQUEST", "\(field) \(explanation)",
      field: field)
  }

  static let notFound = FHIRRefusal(
    .notFound, issue: "not-found", bars: "REC_NOT_FOUND",
    "taken here are POST $process-message, POST or PUT of ServiceRequest and Task, GET metadata; "
      + "nothing can be read back")

  static func notAllowed(_ methods: [String]) -> FHIRRefusal {
    var refusal = FHIRRefusal(
      .methodNotAllowed, issue: "not-supported", bars: "REC_METHOD_NOT_ALLOWED",
      "this path takes \(methods.joined(separator: ", "))")
    refusal.allow = methods
    return refusal
  }

  static let notAcceptable = FHIRRefusal(
    .notAcceptable, issue: "not-supported", bars: "REC_NOT_ACCEPTABLE",
    "answers are application/fhir+json or application/fhir+xml", field: "Accept")

  static let unsupportedMediaType = FHIRRefusal(
    .unsupportedMediaType, issue: "not-supported", bars: "REC_UNSUPPORTED_MEDIA_TYPE",
    "send application/fhir+json or application/fhir+xml in UTF-8, without a content encoding",
    field: "Content-Type")

  static func tooLong(_ byteCountMax: Int) -> FHIRRefusal {
    var refusal = FHIRRefusal(
      .contentTooLarge, issue: "too-long", bars: "REC_PAYLOAD_TOO_LARGE",
      "the body is longer than the limit of \(byteCountMax) bytes")
    refusal.closesConnection = true
    return refusal
  }

  static let stranger = FHIRRefusal(
    .forbidden, issue: "forbidden", bars: "REC_FORBIDDEN",
    "no name of the client's certificate is known here", reason: code("tls.client-unknown"))

  static let tooManyRequests: FHIRRefusal = {
    var refusal = FHIRRefusal(
      .tooManyRequests, issue: "throttled", bars: "REC_TOO_MANY_REQUESTS",
      "too many requests are under way; nothing was taken in, send it again later")
    refusal.isTemporary = true
    return refusal
  }()

  /// The same request is being written at this moment: its fate is not known yet.
  static let tooEarly: FHIRRefusal = {
    var refusal = FHIRRefusal(
      .tooEarly, issue: "transient", bars: "REC_TOO_EARLY",
      "a request of this X-Request-ID is still under way; ask again later",
      field: "X-Request-ID")
    refusal.isTemporary = true
    return refusal
  }()

  /// Our write has not finished: whether the message is kept is unknown, and said so.
  static let timeout: FHIRRefusal = {
    var refusal = FHIRRefusal(
      .requestTimeout, issue: "timeout", bars: "REC_TIMEOUT",
      "the message was read and could not be made safe in time: it may be kept or not; send the "
        + "same request again under the same X-Request-ID")
    refusal.isTemporary = true
    return refusal
  }()

  /// The body did not arrive: nothing of the request is kept.
  static let bodyTimeout: FHIRRefusal = {
    var refusal = FHIRRefusal(
      .requestTimeout, issue: "timeout", bars: "REC_TIMEOUT",
      "the body did not arrive in time; nothing was taken in")
    refusal.closesConnection = true
    return refusal
  }()

  /// The connection ended in the middle of the body, or it was no HTTP: nothing of it is kept.
  static let bodyCut: FHIRRefusal = {
    var refusal = FHIRRefusal(
      .badRequest, issue: "incomplete", bars: "REC_BAD_REQUEST",
      "the body ended too early; nothing was taken in")
    refusal.closesConnection = true
    return refusal
  }()

  /// A proof of receipt: the message is here already.
  static let duplicate = FHIRRefusal(
    .conflict, issue: "duplicate", bars: "REC_CONFLICT",
    "the message has been taken in before under this X-Request-ID; it was not taken in again",
    field: "X-Request-ID")

  static let conflict = FHIRRefusal(
    .conflict, issue: "conflict", bars: "REC_CONFLICT",
    "another message was taken in under this X-Request-ID; this one was not. A changed message "
      + "takes a new X-Request-ID",
    field: "X-Request-ID")

  /// The fault is ours, and nothing was taken in.
  init(_ failure: IntakeFailure) {
    let isFull = failure.reason == code("baton.outbox-full")
    self.init(
      isFull ? .tooManyRequests : .serviceUnavailable, issue: isFull ? "throttled" : "transient",
      bars: isFull ? "REC_TOO_MANY_REQUESTS" : "REC_SERVICE_UNAVAILABLE", failure.explanation,
      reason: failure.reason)
    isTemporary = true
  }

  /// The message is at fault; it is kept as a dead letter.
  init(_ error: MappingError) {
    let name = error.code.description
    let isUnreadable =
      ["json.", "xml.", "format."].contains { name.hasPrefix($0) }
      || ["fhir.not-a-resource", "fhir.wrong-resource"].contains(name)
    if isUnreadable {
      self.init(
        .badRequest, issue: "structure", bars: "REC_BAD_REQUEST", error.explanation,
        field: error.field, reason: error.code)
    } else if name == "organisation.not-allowed" {
      self.init(
        .forbidden, issue: "forbidden", bars: "REC_FORBIDDEN", error.explanation,
        field: error.field, reason: error.code)
    } else {
      self.init(
        .unprocessableContent, issue: "processing", bars: "REC_UNPROCESSABLE_ENTITY",
        error.explanation, field: error.field, reason: error.code)
    }
  }
}
