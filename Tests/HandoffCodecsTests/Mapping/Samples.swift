import Foundation
import TestSupport

@testable import HandoffCodecs

/// The messages that others wrote, which stand beside the package and never in it.
enum Samples {
  /// Every file of messages as `folder/name`, in order of names.
  static var names: [String] {
    let path = PackageRoot.samples.path(percentEncoded: false)
    let files = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String }
    return (files ?? []).filter { $0.contains("/") && $0.contains(".") }.sorted()
  }

  static func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: PackageRoot.samples.appending(path: name)))
  }

  /// Takes what is marked as training too: one of the samples is.
  static let mapper: FrameMapper = {
    var context = MappingContext()
    context.processing = .any
    return FrameMapper(context)
  }()

  /// What became of each message of a file, in one line of words a reader can check.
  static func summary(_ frames: [MappedFrame]) -> String {
    frames.map { frame in
      switch frame.outcome {
      case .mapped(let message):
        message.facts.map { "\($0)" }.joined(separator: " ")
      case .noHandoffFact(_, let reason): "none \(reason)"
      case .refused(let error):
        "refused \(error.code)" + (error.field.map { " \($0)" } ?? "")
      }
    }.joined(separator: "; ")
  }
}
