internal import Foundation
package import HandoffCore

extension Timestamp {
  /// The owner's clock; only edges ask for it, never a verdict.
  package static func now() -> Timestamp {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
  }
}
