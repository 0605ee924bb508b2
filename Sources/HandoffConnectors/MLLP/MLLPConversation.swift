import HandoffCodecs
import HandoffCore
import Logging

/// One connection's side of MLLP: bytes in, answers out, no socket.
struct MLLPConversation {
  private let intake: any FrameIntake
  private let settings: MLLPSettings
  private let logger: Logger
  private let now: @Sendable () -> Timestamp
  private var decoder: MLLPFrameDecoder
  /// The only organisation that the peer may speak for, once its certificate has said so.
  var principal: ODSCode?

  init(
    intake: any FrameIntake, settings: MLLPSettings, logger: Logger,
    now: @escaping @Sendable () -> Timestamp
  ) {
    self.intake = intake
    self.settings = settings
    self.logger = logger
    self.now = now
    decoder = MLLPFrameDecoder(messageBytesMax: settings.messageByteCountMax)
  }

  mutating func append(_ bytes: some Sequence<UInt8>) { decoder.append(bytes) }

  /// The framed answers to the next frames, in their order; `nil` until more bytes come.
  mutating func answers() async -> [[UInt8]]? {
    var events: [MLLPFrameDecoder.Event] = []
    while events.count < settings.framesInFlightMax, let event = decoder.next() {
      events.append(event)
    }
    return events.isEmpty ? nil : await answers(to: events)
  }

  /// The answer to what the peer left unfinished when it closed.
  mutating func finish() async -> [UInt8]? {
    guard let event = decoder.finish() else { return nil }
    return await answers(to: [event]).first
  }

  private func answers(to events: [MLLPFrameDecoder.Event]) async -> [[UInt8]] {
    let arrivals = events.map(arrival)
    do {
      let receptions = try await intake.take(arrivals, of: nil)
      return zip(events, zip(arrivals, receptions)).compactMap { event, pair in
        answer(to: event, arrival: pair.0, reception: pair.1).map(MLLPFrame.encode)
      }
    } catch {
      logger.error("Frames not taken in", metadata: ["reason": "\(error.reason)"])
      let stamp = HL7Acknowledgement.Stamp(controlID: "BATON", at: now())
      return events.compactMap { event in
        HL7Acknowledgement.failure(
          to: Self.head(event), error: error.mappingError, stamp: stamp
        ).map(MLLPFrame.encode)
      }
    }
  }

  private func answer(
    to event: MLLPFrameDecoder.Event, arrival: Arrival, reception: Reception
  ) -> [UInt8]? {
    // MSH-10 of HL7 v2.5 holds 20 characters; the end of the id is its random part.
    let control = reception.receptionIDs.first.map { String($0.description.suffix(20)) }
    let stamp = HL7Acknowledgement.Stamp(controlID: control ?? "BATON", at: now())
    if let fault = arrival.fault {
      return HL7Acknowledgement.failure(to: Self.head(event), error: fault, stamp: stamp)
    }
    guard let outcome = reception.outcome else { return nil }
    return HL7Acknowledgement.answer(to: Self.head(event), outcome: outcome, stamp: stamp)
  }

  private static func head(_ event: MLLPFrameDecoder.Event) -> [UInt8] {
    switch event {
    case .message(let bytes): bytes
    case .fault(_, let head): head
    }
  }

  private func arrival(_ event: MLLPFrameDecoder.Event) -> Arrival {
    switch event {
    case .message(let bytes): return Arrival(bytes: bytes, principal: principal)
    case .fault(var error, let head):
      // A message that can never be taken is rejected; one that was cut can be sent again.
      if error.code == code("mllp.message-too-long") { error.acknowledgement = .reject }
      return Arrival(bytes: head, fault: error, principal: principal)
    }
  }
}
