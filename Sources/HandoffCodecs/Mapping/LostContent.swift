/// What of a message no event value came from: what is lost on the way.
package enum LostContent {
  /// Fields or elements with content, by name and in the order they first stand; never a value.
  package static func paths(_ bytes: [UInt8], after message: MappedMessage) -> [String] {
    switch FrameFormat.detect(bytes) {
    case .hl7: HL7LostContent.fields(bytes, after: message)
    case .json, .xml: DocumentLostContent.paths(bytes, after: message)
    case .unknown where FrameEnvelope.open(bytes) != nil:
      DocumentLostContent.paths(bytes, after: message)
    case .ndjson, .utf16, .empty, .unknown: []
    }
  }
}
