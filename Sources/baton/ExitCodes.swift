import Foundation
import HandoffBus
import HandoffStores
import Telemetry

/// What the exit code says: the numbers of sysexits.h, so that scripts can tell causes apart.
enum ExitStatus: Int32, CaseIterable, Sendable {
  /// The command worked, and what it checked is not well: findings, a failed verification.
  case found = 1
  case usage = 64
  /// The input could be read and is wrong.
  case badData = 65
  case noInput = 66
  /// A broker or another service is away; trying again later may help.
  case unavailable = 69
  /// A fault of ours.
  case internalFault = 70
  case cannotCreate = 73
  case readWrite = 74
  case noPermission = 77
  case badConfiguration = 78

  /// What a fault of a file of secrets ends with: 66 where it is not there, as with every file.
  init(_ error: SecretsError) {
    self =
      switch error {
      case .missing: .noInput
      case .notWritable: .cannotCreate
      case .tooOpen, .unreadable, .invalid: .badConfiguration
      }
  }

  /// The same of a file of boundary keys.
  init(_ error: BoundaryKeyError) {
    self =
      switch error {
      case .missing: .noInput
      case .notWritable: .cannotCreate
      case .tooOpen, .malformed, .empty: .badConfiguration
      }
  }
}

/// The one way in which a command ends other than well: what is wrong, and what to do about it.
///
/// Neither text ever holds a value from a message: errors name the field and a code.
struct CommandFailure: Error {
  let status: ExitStatus
  /// One sentence that says what is wrong.
  let what: String
  /// What the user can do now.
  let advice: String?

  init(_ status: ExitStatus, _ what: String, advice: String? = nil) {
    self.status = status
    self.what = what
    self.advice = advice
  }

  /// A topic that is not there: to list nothing would sound as if somebody had looked.
  static func noTopic(_ topic: Topic, on bootstrap: String, so what: String) -> CommandFailure {
    CommandFailure(
      .unavailable, "There is no topic \(topic.name) on \(bootstrap): \(what).",
      advice: "See that it is the right cluster; `baton topics apply` makes the topics.")
  }

  /// Writes both to standard error, in colour only where somebody looks at a terminal, and exits.
  func printAndExit() -> Never {
    let style = Style(on: FileHandle.standardError)
    var text = style.bold(style.red("baton: ")) + what + "\n"
    if let advice { text += "  " + style.dim("→ ") + advice + "\n" }
    try? StandardStream.error.write(Data(text.utf8))
    Foundation.exit(status.rawValue)
  }
}

extension CommandFailure {
  /// What a failed access to a file means to the user, by the system's own error number.
  static func file(_ path: String, doing action: String, _ error: any Error) -> CommandFailure {
    let top = error as NSError
    let underlying = top.userInfo[NSUnderlyingErrorKey] as? NSError
    let posix = [top, underlying].compactMap { $0 }.first { $0.domain == NSPOSIXErrorDomain }
    let number = posix.map { Int32($0.code) } ?? (error as? CocoaError).flatMap(Self.number)
    switch number {
    case EACCES, EPERM:
      return CommandFailure(
        .noPermission, "Cannot \(action) \(path): permission is missing.",
        advice: "Give this user the right to it, or name another place.")
    case ENOENT:
      return CommandFailure(
        .noInput, "Cannot \(action) \(path): there is no such file or folder.")
    case ENOSPC, EDQUOT:
      return CommandFailure(
        .readWrite, "Cannot \(action) \(path): the disk is full.",
        advice: "Make room; nothing that was acknowledged is lost.")
    default:
      return CommandFailure(.readWrite, "Cannot \(action) \(path).")
    }
  }

  /// Foundation's reading of whole files tells of some errors by its own codes alone.
  private static func number(_ error: CocoaError) -> Int32? {
    switch error.code {
    case .fileNoSuchFile, .fileReadNoSuchFile: ENOENT
    case .fileReadNoPermission, .fileWriteNoPermission: EACCES
    case .fileWriteOutOfSpace: ENOSPC
    default: nil
    }
  }
}
