import Foundation

/// Runs the command that prints a token, with a limit on its time and its output.
///
/// It runs on librdkafka's background thread, which blocks signals: the child gets none blocked,
/// and nothing but what it prints on its standard output is taken from it. A command must not leave
/// children behind that hold its output open: they are waited for.
struct TokenCommand {
  private let words: [String]
  private let timeout: Duration

  private static let byteCountMax = 64 * 1_024

  init(_ words: [String], timeout: Duration = .seconds(10)) {
    self.words = words
    self.timeout = timeout
  }

  /// What it printed.
  ///
  /// - Throws: why not, without a word of what it printed.
  func run() throws -> String {
    guard let path = words.first else { throw failure("names nothing") }
    let process = Process()
    process.executableURL = URL(filePath: path)
    process.arguments = Array(words.dropFirst())
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    process.standardInput = FileHandle.nullDevice
    let ended = DispatchSemaphore(value: 0)
    process.terminationHandler = { _ in ended.signal() }
    do {
      try Self.withoutBlockedSignals { try process.run() }
    } catch {
      throw failure("cannot be started; check its name and permission")
    }
    // A kill ends the reading below, whatever the child holds on to.
    let timer = DispatchSource.makeTimerSource()
    timer.schedule(deadline: .now() + .milliseconds(Int(timeout / .milliseconds(1))))
    let identifier = process.processIdentifier
    timer.setEventHandler { kill(identifier, SIGKILL) }
    timer.resume()
    defer { timer.cancel() }
    let data = (try? output.fileHandleForReading.read(upToCount: Self.byteCountMax + 1)) ?? Data()
    if data.count > Self.byteCountMax { kill(identifier, SIGKILL) }
    ended.wait()
    guard process.terminationReason == .exit else { throw failure("took too long or was killed") }
    guard process.terminationStatus == 0 else {
      throw failure("ended with status \(process.terminationStatus)")
    }
    guard (1...Self.byteCountMax).contains(data.count),
      let text = String(validating: data, as: UTF8.self)
    else { throw failure("printed nothing, too much, or no text") }
    return text
  }

  /// A child inherits what is blocked, and could then not be told to end.
  private static func withoutBlockedSignals(_ body: () throws -> Void) rethrows {
    var (none, before) = (sigset_t(), sigset_t())
    unsafe sigemptyset(&none)
    unsafe pthread_sigmask(SIG_SETMASK, &none, &before)
    defer { unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }
    try body()
  }

  private func failure(_ what: String) -> TokenReader.Failure {
    TokenReader.Failure(description: "the token command \(what)")
  }
}
