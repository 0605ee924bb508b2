import Foundation
import Synchronization

/// A loopback TCP proxy in front of one broker that can lose the answers to Produce requests:
/// the records are written, and their producer does not learn of it.
///
/// The mock cluster cannot show that: an error injected there is never appended. Frames are told
/// apart by their length prefix, and a request's kind by its correlation id; the broker's own port
/// in answers is replaced by the proxy's, or clients would go past it. Every connection has two
/// threads, which end with it; whoever made the proxy ends all by `stop`.
///
/// `@unchecked Sendable`: what changes is in `state`.
final class LossyProxy: @unchecked Sendable {
  private struct State {
    var sockets: Set<Int32> = []
    var isStopped = false
    /// How many answers to Produce are still to be lost.
    var toLose = 0
    var lostCount = 0

    mutating func loseOne() -> Bool {
      guard toLose > 0 else { return false }
      toLose -= 1
      lostCount += 1
      return true
    }
  }

  struct Failure: Error {}

  let port: UInt16
  private let brokerPort: UInt16
  private let listener: Int32
  private let state = Mutex(State())
  private let threads = DispatchGroup()

  /// Proxies for the broker at `127.0.0.1:brokerPort`.
  init(brokerPort: UInt16) throws {
    self.brokerPort = brokerPort
    listener = Loopback.makeSocket()
    guard let port = Loopback.listen(listener) else {
      close(listener)
      throw Failure()
    }
    self.port = port
    run { $0.accept() }
  }

  /// Loses the next `count` answers to Produce; each loss also cuts its connection, as a network
  /// that fails would, so that the producer need not wait for its request's timeout.
  func loseProduceAnswers(_ count: Int) { state.withLock { $0.toLose = count } }

  /// How many answers to Produce were lost.
  var lostCount: Int { state.withLock { $0.lostCount } }

  /// Cuts every connection and waits until all threads have ended; false if they do not.
  func stop() -> Bool {
    let isFirst = state.withLock { state in
      // Under the lock, under which a socket is also forgotten before its number is free again.
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

  private func accept() {
    while let client = Loopback.accept(listener) {
      let broker = Loopback.makeSocket()
      let link = Link(client: client, broker: broker)
      let isWanted = state.withLock { state in
        guard !state.isStopped else { return false }
        state.sockets.formUnion([client, broker])
        return true
      }
      guard isWanted else {
        end(link)
        return
      }
      guard Loopback.connect(broker, to: brokerPort) else {
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
    state.withLock { $0.sockets.subtract([link.client, link.broker]) }
    close(link.client)
    close(link.broker)
  }

  private func forwardRequests(_ link: Link) {
    while let frame = Loopback.readFrame(link.client) {
      link.note(request: frame)
      guard Loopback.write(frame, to: link.broker) else { break }
    }
    link.cut()
  }

  private func forwardAnswers(_ link: Link) {
    while let frame = Loopback.readFrame(link.broker) {
      let isLost = link.takeIsProduce(answer: frame) && state.withLock { $0.loseOne() }
      guard !isLost, Loopback.write(renamed(frame), to: link.client) else { break }
    }
    link.cut()
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
  /// A client's connection and the one made for it to the broker.
  private final class Link: Sendable {
    let client: Int32
    let broker: Int32
    /// The correlation ids of Produce requests under way.
    private let produces = Mutex<Set<UInt32>>([])

    init(client: Int32, broker: Int32) {
      self.client = client
      self.broker = broker
    }

    /// A request begins with its length, its kind (0: Produce), its version, its correlation id.
    func note(request frame: [UInt8]) {
      guard frame.count >= 12, frame[4] == 0, frame[5] == 0 else { return }
      produces.withLock { _ = $0.insert(Loopback.number(frame[8..<12])) }
    }

    /// An answer begins with its length and the correlation id of its request.
    func takeIsProduce(answer frame: [UInt8]) -> Bool {
      guard frame.count >= 8 else { return false }
      return produces.withLock { $0.remove(Loopback.number(frame[4..<8])) } != nil
    }

    func cut() {
      Loopback.cut(client)
      Loopback.cut(broker)
    }
  }
}
