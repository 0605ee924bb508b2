import Dispatch
import Foundation

/// A program that prints a key: run without a shell, for a bounded time, with bounded output.
///
/// What it prints on standard error is thrown away, because nobody knows what is in it. Of the
/// environment it gets everything but our own settings (`BATON_…`), which may hold passwords.
struct KeyCommand {
  /// A key in any of its spellings is shorter.
  static let byteCountMax = 1_024

  let id: String
  let words: [String]
  let timeout: Duration

  /// What it printed; the caller is blocked until it has ended.
  func run() throws(KeyEncryptionKeyError) -> Data {
    guard let program = words.first, program.hasPrefix("/") else {
      throw .commandNotFound(id: id)
    }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = Array(words.dropFirst())
    process.environment = ProcessInfo.processInfo.environment.filter {
      !$0.key.hasPrefix("BATON_")
    }
    let output = Pipe()
    process.standardInput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    process.standardOutput = output
    let ended = DispatchSemaphore(value: 0)
    process.terminationHandler = { _ in ended.signal() }
    let deadline = DispatchTime.now() + .nanoseconds(Int(timeout / .nanoseconds(1)))
    do {
      try process.run()
    } catch {
      throw .commandNotFound(id: id)
    }
    // Ours of the writing end: while it is open nobody sees the end of what is printed.
    try? output.fileHandleForWriting.close()
    let printed = read(output.fileHandleForReading, until: deadline)
    guard let printed, printed.count <= Self.byteCountMax else {
      end(process, ended)
      throw printed == nil ? timedOut : .commandPrintedTooMuch(id: id)
    }
    guard ended.wait(timeout: deadline) == .success else {
      end(process, ended)
      throw timedOut
    }
    guard process.terminationReason == .exit, process.terminationStatus == 0 else {
      throw .commandFailed(id: id, code: process.terminationStatus)
    }
    return printed
  }

  private var timedOut: KeyEncryptionKeyError {
    .commandTimedOut(id: id, seconds: Int(timeout.components.seconds))
  }

  /// Everything up to the end or one byte too much; `nil` where time is over first.
  private func read(_ handle: FileHandle, until deadline: DispatchTime) -> Data? {
    var printed = Data()
    var chunk = [UInt8](repeating: 0, count: Self.byteCountMax + 1)
    while printed.count <= Self.byteCountMax {
      let now = DispatchTime.now()
      guard now < deadline else { return nil }
      let left = (deadline.uptimeNanoseconds - now.uptimeNanoseconds) / 1_000_000 + 1
      var poll = pollfd(fd: handle.fileDescriptor, events: Int16(POLLIN), revents: 0)
      let ready = Foundation.poll(&poll, 1, Int32(clamping: left))
      if ready < 0 && errno == EINTR { continue }
      guard ready > 0 else { return nil }
      let count = Foundation.read(handle.fileDescriptor, &chunk, chunk.count)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return printed }
      printed.append(contentsOf: chunk.prefix(count))
    }
    return printed
  }

  private func end(_ process: Process, _ ended: DispatchSemaphore) {
    // A child of it may hold the pipe still; Foundation makes it the leader of its group.
    kill(-process.processIdentifier, SIGKILL)
    kill(process.processIdentifier, SIGKILL)
    ended.wait()
  }
}
