import HandoffBus
import Logging
import ServiceLifecycle
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(5))) struct ServiceBundleTests {
  /// Ends when it is told to, and everybody it waits for has been told to as well.
  private struct Waiting: Service {
    let told: AsyncStream<Void>.Continuation
    let othersTold: AsyncStream<Void>
    var onStart: @Sendable () -> Void = {}

    func run() async throws {
      onStart()
      try await gracefulShutdown()
      told.yield()
      for await _ in othersTold { return }
    }
  }

  private struct Ending: Service {
    var error: (any Error)?

    func run() async throws {
      if let error { throw error }
    }
  }

  private struct Fault: Error {}

  private func group(_ services: [any Service]) -> ServiceGroup {
    ServiceGroup(
      configuration: .init(
        services: services.map { .init(service: $0) }, logger: Logger(label: "test")))
  }

  @Test func `services that end only with each other end`() async throws {
    let (oneTold, one) = AsyncStream.makeStream(of: Void.self)
    let (twoTold, two) = AsyncStream.makeStream(of: Void.self)
    let (started, start) = AsyncStream.makeStream(of: Void.self)
    let bundle = ServiceBundle([
      Waiting(told: one, othersTold: twoTold) { start.yield() },
      Waiting(told: two, othersTold: oneTold) { start.yield() },
    ])
    let group = group([bundle])
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      var count = 0
      for await _ in started {
        count += 1
        if count == 2 { break }
      }
      await group.triggerGracefulShutdown()
      try await tasks.waitForAll()
    }
  }

  @Test func `one that fails ends the others, and its error is told`() async throws {
    let (othersTold, told) = AsyncStream.makeStream(of: Void.self)
    let bundle = ServiceBundle([
      Waiting(told: told, othersTold: othersTold), Ending(error: Fault()),
    ])
    await #expect(throws: Fault.self) { try await group([bundle]).run() }
  }

  @Test func `one that ends by itself is no ordinary end`() async throws {
    let (othersTold, told) = AsyncStream.makeStream(of: Void.self)
    let bundle = ServiceBundle([Waiting(told: told, othersTold: othersTold), Ending()])
    await #expect(throws: ServiceGroupError.self) { try await group([bundle]).run() }
    #expect("\(bundle)" == "Waiting + Ending")
  }
}

@Suite(.timeLimit(.minutes(5))) struct `Work until a service is told to end` {
  private struct Fault: Error {}

  /// Fails when it is interrupted, as a call of Kafka's own client does.
  private struct Interrupted: Service {
    let started: AsyncStream<Void>.Continuation

    func run() async throws {
      try await untilShutdown {
        started.yield()
        let (never, keep) = AsyncStream.makeStream(of: Void.self)
        for await _ in never {}  // Ends by cancellation.
        withExtendedLifetime(keep) {}
        throw Fault()
      }
    }
  }

  @Test func `what is interrupted by it is no fault`() async throws {
    let (started, start) = AsyncStream.makeStream(of: Void.self)
    let group = ServiceGroup(
      configuration: .init(
        services: [.init(service: Interrupted(started: start))], logger: Logger(label: "test")))
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      for await _ in started { break }
      await group.triggerGracefulShutdown()
      try await tasks.waitForAll()
    }
  }

  @Test func `what fails before is one`() async throws {
    await #expect(throws: Fault.self) { try await untilShutdown { throw Fault() } }
  }
}
