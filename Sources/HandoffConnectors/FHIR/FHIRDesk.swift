import HTTPTypes
import HandoffCodecs
import HandoffCore
import Logging
import Synchronization

/// Answers the requests of all connections of one listener; no socket.
///
/// A message goes the way of every other rail: it gets its reception id and is on the disk before
/// its sender hears of it. Nothing that is answered here says more than that.
final class FHIRDesk: Sendable {
  /// A request that has its place among those under way, until it is given back.
  struct Ticket: Sendable {
    var route: FHIRRoute
    var head: FHIRHead
    var principal: ODSCode?
    /// Set where the sender numbers its requests.
    fileprivate var number: Number?
  }

  fileprivate struct Number: Hashable, Sendable {
    var principal: ODSCode?
    var id: String
  }

  private struct State {
    var requestCount = 0
    var numbers: Set<Number> = []
  }

  let settings: FHIRSettings
  private let intake: any FrameIntake
  private let logger: Logger
  private let now: @Sendable () -> Timestamp
  private let clock: any Clock<Duration>
  private let state = Mutex(State())

  init(
    _ settings: FHIRSettings, intake: any FrameIntake, logger: Logger,
    now: @escaping @Sendable () -> Timestamp, clock: any Clock<Duration> = ContinuousClock()
  ) {
    self.settings = settings
    self.intake = intake
    self.logger = logger
    self.now = now
    self.clock = clock
  }

  /// What the head of a request leads to.
  enum Opening {
    case answer(FHIRAnswer)
    /// The body is to be read, within the limits, and then handed to ``finish(_:body:give:)``.
    case body(Ticket)
  }

  /// Judges a head, and reserves a place for its body: ``close(_:)`` gives it back.
  func open(
    method: String, path: String, fields: HTTPFields, principal: TLSIdentity.Principal
  ) -> Opening {
    let format = FHIRFormat.wanted(fields, path: path)
    do throws(FHIRRefusal) {
      let route = try route(method, path)
      guard let format else { throw .notAcceptable }
      let head = try FHIRHead(fields, route: route, answerFormat: format)
      if route == .metadata { return .answer(.capabilities(settings, at: now(), as: format)) }
      return try open(route, head, principal)
    } catch {
      return .answer(FHIRAnswer(error, as: format, settings: settings))
    }
  }

  private func route(_ method: String, _ path: String) throws(FHIRRefusal) -> FHIRRoute {
    do throws(FHIRRoute.Miss) {
      return try FHIRRoute(method: method, path: path)
    } catch {
      switch error {
      case .notFound: throw .notFound
      case .notAllowed(let methods): throw .notAllowed(methods)
      }
    }
  }

  private func open(
    _ route: FHIRRoute, _ head: FHIRHead, _ principal: TLSIdentity.Principal
  ) throws(FHIRRefusal) -> Opening {
    var ticket = Ticket(route: route, head: head)
    switch principal {
    case .anybody: break
    case .organisation(let code): ticket.principal = code
    case .stranger: return .answer(FHIRAnswer(.stranger, to: head, settings: settings))
    }
    if let length = head.contentLength, length > settings.messageByteCountMax {
      return .answer(
        FHIRAnswer(.tooLong(settings.messageByteCountMax), to: head, settings: settings))
    }
    ticket.number = head.transport.requestID.map { Number(principal: ticket.principal, id: $0) }
    let refusal = state.withLock { state -> FHIRRefusal? in
      guard state.requestCount < settings.requestsInFlightMax else { return .tooManyRequests }
      if let number = ticket.number, !state.numbers.insert(number).inserted { return .tooEarly }
      state.requestCount += 1
      return nil
    }
    if let refusal { return .answer(FHIRAnswer(refusal, to: head, settings: settings)) }
    return .body(ticket)
  }

  /// Gives the place of a request back.
  func close(_ ticket: Ticket) {
    state.withLock { state in
      state.requestCount -= 1
      if let number = ticket.number { state.numbers.remove(number) }
    }
  }

  /// Requests under way.
  var requestCount: Int { state.withLock { $0.requestCount } }

  /// The refusal of a body that could not be read whole.
  func refuse(_ refusal: FHIRRefusal, _ ticket: Ticket) -> FHIRAnswer {
    FHIRAnswer(refusal, to: ticket.head, settings: settings)
  }

  /// Takes a body in, and gives its answer exactly once.
  ///
  /// Returns when the message's fate is known, which may be after the answer: a sender that waited
  /// too long hears 408, and until the write has ended a repeat of its request hears 425.
  func finish(
    _ ticket: Ticket, body: [UInt8], give: @Sendable (FHIRAnswer) -> Void
  ) async {
    var glance: FHIRGlance?
    var arrival = Arrival(bytes: body, principal: ticket.principal)
    arrival.transport = ticket.head.transport.isEmpty ? nil : ticket.head.transport
    do throws(MappingError) {
      glance = try look(at: body, ticket)
    } catch {
      arrival.fault = error
    }
    if let id = ticket.head.transport.requestID, arrival.fault == nil {
      arrival.request = RequestIdentity(id: id, target: ticket.route.target)
    }
    await withTaskGroup(of: Result<Reception, IntakeFailure>?.self) { [arrival, glance] group in
      group.addTask { await self.take(arrival) }
      group.addTask { [clock, settings] in
        // Ended early by cancellation, once the write has won.
        try? await clock.sleep(for: settings.answerTimeout)
        return nil
      }
      var isAnswered = false
      for await result in group {
        if let result {
          if !isAnswered { give(answer(result, arrival: arrival, glance: glance, to: ticket)) }
          group.cancelAll()
          return
        }
        logger.warning("FHIR request answered before its message was safe")
        give(FHIRAnswer(.timeout, to: ticket.head, settings: settings))
        isAnswered = true
      }
    }
  }

  private func take(_ arrival: Arrival) async -> Result<Reception, IntakeFailure> {
    do throws(IntakeFailure) {
      let receptions = try await intake.take([arrival], of: nil)
      return .success(receptions.first ?? Reception(receptionIDs: [], messages: []))
    } catch {
      return .failure(error)
    }
  }

  /// Sees that the body is what its path takes, before anything is mapped.
  private func look(at body: [UInt8], _ ticket: Ticket) throws(MappingError) -> FHIRGlance {
    let route = ticket.route
    let glance = try FHIRGlance(body, isXML: ticket.head.bodyFormat == .xml)
    guard glance.resourceType == route.resourceType else {
      throw MappingError(
        code("fhir.wrong-resource"), field: "resourceType",
        explanation: "this path takes a \(route.resourceType ?? "")")
    }
    if case .update(_, let id) = route, glance.id != id {
      throw MappingError(
        code("fhir.wrong-resource"), field: "\(glance.resourceType).id",
        explanation: "the id of the body must be the one of the path")
    }
    return glance
  }

  private func answer(
    _ result: Result<Reception, IntakeFailure>, arrival: Arrival, glance: FHIRGlance?,
    to ticket: Ticket
  ) -> FHIRAnswer {
    switch result {
    case .failure(let failure):
      logger.error("FHIR message not taken in", metadata: ["reason": "\(failure.reason)"])
      return refuse(FHIRRefusal(failure), ticket)
    case .success(let reception):
      if let fault = arrival.fault { return refuse(FHIRRefusal(fault), ticket) }
      switch reception.repeated {
      case .same?: return refuse(.duplicate, ticket)
      case .other?: return refuse(.conflict, ticket)
      case nil: break
      }
      if case .refused(let error)? = reception.outcome {
        return refuse(FHIRRefusal(error), ticket)
      }
      guard let glance else { return refuse(FHIRRefusal(Self.unreadable), ticket) }
      return .taken(
        glance, receptionID: reception.receptionIDs.first, route: ticket.route, to: ticket.head,
        at: now())
    }
  }

  private static let unreadable = MappingError(
    code("fhir.not-a-resource"), explanation: "the body is no FHIR resource")
}
