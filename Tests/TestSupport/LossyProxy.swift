internal import Dispatch
internal import Foundation
internal import Synchronization

/// A loopback TCP proxy in front of one broker that loses, keeps back or refuses what it is told to.
///
/// An answer that is lost is one to a request that was carried out: the mock cluster cannot show
/// that, for an error injected there leaves nothing behind. Frames are told apart by their length
/// prefix, and an answer's kind by its correlation id; the broker's own port in answers is replaced
/// by the proxy's, or clients would go past it. Every connection has two threads, which end with
/// it; whoever made the proxy ends all by `stop`.
public final class LossyProxy: Sendable {
  /// The requests of Kafka's protocol that a test does something to, by their number there.
  public enum Request: UInt16, CaseIterable, Hashable, Sendable {
    case produce = 0
    case joinGroup = 11
    case addOffsetsToTransaction = 25
    case endTransaction = 26
    case commitTransactionOffsets = 28
  }

  /// What was seen of one kind of request.
  private struct Tally {
    var seenCount = 0
    /// How many answers are still to be lost.
    var toLose = 0
    var lostCount = 0
    var refusalsAfterLoss: [Int16] = []
    /// The errors that are still to be answered to whose answer was lost, by transactional id.
    var refusalsOfLost: [[UInt8]: [Int16]] = [:]
    /// The errors that are still to be answered in the broker's place.
    var refusals: [Int16] = []
    var refusedCount = 0
    var isKept = false
    /// The errors that the broker itself answered, of transactional requests.
    var errors: [Int16] = []

    /// The error that a request of this producer is to be answered with in the broker's place.
    mutating func takeRefusal(of transactionalID: [UInt8]?) -> Int16? {
      if !refusals.isEmpty { return refusals.removeFirst() }
      guard let transactionalID, let first = refusalsOfLost[transactionalID]?.first else {
        return nil
      }
      refusalsOfLost[transactionalID]?.removeFirst()
      return first
    }
  }

  private struct State {
    var sockets: Set<Int32> = []
    var isStopped = false
    var isDown = false
    var turnedAwayCount = 0
    var tallies: [Request: Tally] = [:]
    /// What is kept back, in the order in which it came.
    var kept: [(link: Link, request: Request, frame: [UInt8])] = []
  }

  public struct Failure: Error {}

  public let port: UInt16
  private let brokerPort: UInt16
  private let listener: Int32
  private let state = Mutex(State())
  private let threads = DispatchGroup()

  /// Proxies for a broker of our own on loopback.
  public init(before broker: TestBroker) throws {
    guard let address = broker.bootstrapServers.first,
      let brokerPort = address.split(separator: ":").last.flatMap({ UInt16($0) })
    else { throw Failure() }
    self.brokerPort = brokerPort
    listener = Loopback.makeSocket()
    guard let port = Loopback.listen(listener) else {
      close(listener)
      throw Failure()
    }
    self.port = port
    run { $0.accept() }
  }

  /// Where clients find it.
  public var bootstrapServers: [String] { ["127.0.0.1:\(port)"] }

  /// Loses the next `count` answers; each loss also cuts its connection, as a network that fails
  /// would, so that the client need not wait for its request's timeout.
  ///
  /// What the same producer sends again after the last loss, told by its transactional id, is
  /// answered with the errors `then`, in order.
  public func lose(_ request: Request, _ count: Int, then errors: [Int16] = []) {
    state.withLock { state in
      state.tallies[request, default: Tally()].toLose = count
      state.tallies[request]?.refusalsAfterLoss = errors
    }
  }

  /// Answers the next transactional requests with these error codes, and tells the broker nothing.
  public func refuse(_ request: Request, with errors: [Int16]) {
    state.withLock { $0.tallies[request, default: Tally()].refusals = errors }
  }

  /// Keeps requests of this kind from the broker until `letGo`, or until their client is gone.
  public func keep(_ request: Request) {
    state.withLock { $0.tallies[request, default: Tally()].isKept = true }
  }

  /// Gives the broker what was kept from it, and keeps nothing more.
  public func letGo(_ request: Request) {
    state.withLock { state in
      state.tallies[request]?.isKept = false
      // Under the lock, under which a socket is also forgotten before its number is free again.
      for kept in state.kept where kept.request == request {
        _ = Loopback.write(kept.frame, to: kept.link.broker)
      }
      state.kept.removeAll { $0.request == request }
    }
  }

  /// Cuts every connection and turns away who comes back, as a broker that is being restarted does;
  /// what was kept from the broker is gone with its connection.
  public func takeDown() {
    state.withLock { state in
      state.isDown = true
      for socket in state.sockets { Loopback.cut(socket) }
    }
  }

  public func bringUp() {
    state.withLock { $0.isDown = false }
  }

  /// How many connections were turned away while the broker was down.
  public var turnedAwayCount: Int { state.withLock { $0.turnedAwayCount } }

  public func seenCount(_ request: Request) -> Int { tally(request).seenCount }

  /// How many answers were lost.
  public func lostCount(_ request: Request) -> Int { tally(request).lostCount }

  public func refusedCount(_ request: Request) -> Int { tally(request).refusedCount }

  /// How many are kept back now.
  public func keptCount(_ request: Request) -> Int {
    state.withLock { $0.kept.count { $0.request == request } }
  }

  /// The errors that the broker answered.
  public func errors(_ request: Request) -> [Int16] { tally(request).errors }

  private func tally(_ request: Request) -> Tally {
    state.withLock { $0.tallies[request, default: Tally()] }
  }

  /// Cuts every connection and waits until all threads have ended; false if they do not.
  public func stop() -> Bool {
    let isFirst = state.withLock { state in
      for socket in state.sockets { Loopback.cut(socket) }
      defer { state.isStopped = true }
      return !state.isStopped
    }
    guard isFirst else { return true }
    // Only a connection ends the waiting for one on every system.
    let caller = Loopback.makeSocket()
    _ = Loopback.connect(caller, to: port)
    defer { close(caller) }
    guard threads.wait(timeout: .now() + 5) == .success else { return false }
    close(listener)
    return true
  }

  private func run(_ body: @escaping @Sendable (LossyProxy) -> Void) {
    threads.enter()
    Thread {
      body(self)
      self.threads.leave()
    }.start()
  }
}

extension LossyProxy {
  private func accept() {
    while let client = Loopback.accept(listener) {
      let broker = Loopback.makeSocket()
      let link = Link(client: client, broker: broker)
      let (isStopped, isDown) = state.withLock { state in
        if state.isDown { state.turnedAwayCount += 1 }
        if !state.isStopped, !state.isDown { state.sockets.formUnion([client, broker]) }
        return (state.isStopped, state.isDown)
      }
      if isStopped {
        end(link)
        return
      }
      guard !isDown, Loopback.connect(broker, to: brokerPort) else {
        end(link)
        continue
      }
      let halves = DispatchGroup()
      halves.enter()
      halves.enter()
      run {
        $0.forwardRequests(link)
        halves.leave()
        // The sockets are freed when neither half uses them any more.
        halves.wait()
        $0.end(link)
      }
      run {
        $0.forwardAnswers(link)
        halves.leave()
      }
    }
  }

  private func end(_ link: Link) {
    state.withLock { state in
      state.sockets.subtract([link.client, link.broker])
      state.kept.removeAll { $0.link === link }
    }
    close(link.client)
    close(link.broker)
  }

  private func forwardRequests(_ link: Link) {
    while let frame = Loopback.readFrame(link.client) {
      switch take(frame, of: link) {
      case .forward: if Loopback.write(frame, to: link.broker) { continue }
      case .keep: continue
      case .answer(let answer): if link.answer(answer) { continue }
      }
      break
    }
    link.cut()
  }

  private enum Fate {
    case forward, keep
    case answer([UInt8])
  }

  private func take(_ frame: [UInt8], of link: Link) -> Fate {
    guard let request = link.note(request: frame) else { return .forward }
    return state.withLock { state in
      var tally = state.tallies[request, default: Tally()]
      defer { state.tallies[request] = tally }
      tally.seenCount += 1
      if let error = tally.takeRefusal(of: Sent.transactionalID(of: frame)) {
        tally.refusedCount += 1
        return .answer(Self.answer(to: frame, error: error))
      }
      guard tally.isKept else { return .forward }
      state.kept.append((link, request, frame))
      return .keep
    }
  }

  private func forwardAnswers(_ link: Link) {
    while let frame = Loopback.readFrame(link.broker) {
      let sent = link.takeRequest(ofAnswer: frame)
      let isLost = sent.map { note(answer: frame, to: $0) } ?? false
      guard !isLost, link.answer(renamed(frame)) else { break }
    }
    link.cut()
  }

  /// Counts an answer; whether it is to be lost.
  private func note(answer frame: [UInt8], to sent: Sent) -> Bool {
    state.withLock { state in
      var tally = state.tallies[sent.request, default: Tally()]
      defer { state.tallies[sent.request] = tally }
      if let error = Self.error(ofAnswer: frame, to: sent.request) { tally.errors.append(error) }
      guard tally.toLose > 0 else { return false }
      tally.toLose -= 1
      tally.lostCount += 1
      if tally.toLose == 0, let id = sent.transactionalID {
        tally.refusalsOfLost[id, default: []] += tally.refusalsAfterLoss
      }
      return true
    }
  }

  /// An answer to a transactional request is, after length and correlation id, the time to wait
  /// for in four bytes and the error in two.
  private static func answer(to request: [UInt8], error: Int16) -> [UInt8] {
    Loopback.bigEndian(10) + Array(request[8..<12]) + [0, 0, 0, 0]
      + withUnsafeBytes(of: error.bigEndian) { Array($0) }
  }

  /// The error in such an answer, where there is one.
  private static func error(ofAnswer frame: [UInt8], to request: Request) -> Int16? {
    switch request {
    case .addOffsetsToTransaction, .endTransaction:
      guard frame.count >= 14 else { return nil }
      let error = Int16(bitPattern: UInt16(frame[12]) << 8 | UInt16(frame[13]))
      return error == 0 ? nil : error
    case .produce, .joinGroup, .commitTransactionOffsets: return nil
    }
  }

  /// The answer with the proxy's port wherever the broker tells clients its own: a length-prefixed
  /// host, then the port in four bytes, in Metadata and FindCoordinator alike.
  private func renamed(_ frame: [UInt8]) -> [UInt8] {
    let host = Array("127.0.0.1".utf8)
    let place: [UInt8] = [0, UInt8(host.count)] + host + Loopback.bigEndian(UInt32(brokerPort))
    guard
      var index = frame.indices.dropLast(place.count - 1).first(where: {
        frame[$0...].starts(with: place)
      })
    else { return frame }
    index += place.count - 4
    var renamed = frame
    renamed.replaceSubrange(index..<index + 4, with: Loopback.bigEndian(UInt32(port)))
    return renamed
  }
}

extension LossyProxy {
  /// A request under way.
  private struct Sent {
    var request: Request
    var transactionalID: [UInt8]?

    /// A request begins with its length, its kind, its version, its correlation id.
    init?(_ frame: [UInt8]) {
      guard frame.count >= 12,
        let request = Request(rawValue: UInt16(frame[4]) << 8 | UInt16(frame[5]))
      else { return nil }
      self.request = request
      transactionalID = Self.transactionalID(of: frame)
    }

    /// The first field of a transactional request, behind the client's id: both are strings behind
    /// their length in two bytes.
    ///
    /// `nil` of other requests, and of the flexible versions (3 and later), which librdkafka 2.0
    /// does not send.
    static func transactionalID(of frame: [UInt8]) -> [UInt8]? {
      guard frame.count >= 14, frame[5] >= Request.addOffsetsToTransaction.rawValue,
        frame[6] == 0, frame[7] < 3
      else { return nil }
      // A client without an id says -1.
      let body = 14 + Int(max(0, Int16(bitPattern: UInt16(frame[12]) << 8 | UInt16(frame[13]))))
      guard frame.count >= body + 2 else { return nil }
      let end = body + 2 + Int(frame[body]) << 8 + Int(frame[body + 1])
      return frame.count >= end ? Array(frame[(body + 2)..<end]) : nil
    }
  }

  /// A client's connection and the one made for it to the broker.
  private final class Link: Sendable {
    let client: Int32
    let broker: Int32
    /// The requests under way, by correlation id.
    private let requests = Mutex<[UInt32: Sent]>([:])
    /// Held while an answer is written: the broker's and ours must not mix.
    private let answering = Mutex(())

    init(client: Int32, broker: Int32) {
      self.client = client
      self.broker = broker
    }

    func note(request frame: [UInt8]) -> Request? {
      guard let sent = Sent(frame) else { return nil }
      requests.withLock { $0[Loopback.number(frame[8..<12])] = sent }
      return sent.request
    }

    /// An answer begins with its length and the correlation id of its request.
    func takeRequest(ofAnswer frame: [UInt8]) -> Sent? {
      guard frame.count >= 8 else { return nil }
      return requests.withLock { $0.removeValue(forKey: Loopback.number(frame[4..<8])) }
    }

    func answer(_ frame: [UInt8]) -> Bool {
      answering.withLock { _ in Loopback.write(frame, to: client) }
    }

    func cut() {
      Loopback.cut(client)
      Loopback.cut(broker)
    }
  }
}
