import Foundation
import HandoffCore
import NIOCore

extension SourceFailure {
  /// Why a listener cannot listen on `place`, in words for the one who runs it.
  init(binding error: any Error, rail: String, to place: String) {
    let (reason, explanation) =
      switch (error as? IOError)?.errnoCode {
      case EADDRINUSE:
        ("port-in-use", "another process listens on \(place): stop it or name another port")
      case EACCES, EPERM:
        ("port-forbidden", "no permission to listen on \(place): ports below 1024 are the system's")
      case EADDRNOTAVAIL: ("address-unknown", "\(place) is no address of this machine")
      default: ("cannot-listen", "cannot listen on \(place)")
      }
    self.init(
      reason: Code("\(rail).\(reason)") ?? code("listener.cannot-listen"),
      explanation: explanation)
  }
}
