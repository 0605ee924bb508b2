import SwiftProtobuf

/// The two forms of one message, Protobuf and proto3 JSON, turned into each other by the generated
/// types, so that there is one place that knows each.
package enum WireJSON {
  /// How deep JSON may nest: our deepest message has three levels.
  static let depthMax = 32

  /// A message's Protobuf form from its JSON.
  ///
  /// Unknown members are ignored, as unknown fields are: a newer writer of `v1` can be read.
  package static func protobuf(fromJSON json: [UInt8], type: String) throws(WireError) -> [UInt8] {
    guard let message = messages[type] else { throw WireError(.typeUnknown, "ce_type") }
    var options = JSONDecodingOptions()
    options.messageDepthLimit = depthMax
    options.ignoreUnknownFields = true
    do {
      return try message.init(jsonUTF8Bytes: json, options: options).serializedBytes()
    } catch {
      // The library's error may quote the input.
      throw WireError(.malformed, type)
    }
  }

  /// A message's JSON form from its Protobuf; `nil` where the bytes are no such message.
  package static func json(fromProtobuf bytes: [UInt8], type: String) -> [UInt8]? {
    guard let message = messages[type] else { return nil }
    return try? message.init(serializedBytes: bytes).jsonUTF8Bytes()
  }

  /// Every message that a record may hold, by its full name.
  private static let messages: [String: any SwiftProtobuf.Message.Type] = {
    let types: [any SwiftProtobuf.Message.Type] = [
      Baton_Handoff_V1_HandoffEvent.self, Baton_Handoff_V1_Tick.self,
      Baton_Handoff_V1_SourceState.self, Baton_Handoff_V1_RulesActivation.self,
      Baton_Handoff_V1_Verdict.self, Baton_Handoff_V1_SourceRecord.self,
      Baton_Handoff_V1_CorrelationEntry.self, Baton_Handoff_V1_DeadLetter.self,
      Baton_Handoff_V1_HandoffSubmission.self, Baton_Handoff_V1_PersonState.self,
      Baton_Handoff_V1_PartitionState.self, Baton_Handoff_V1_SealedFrame.self,
      Baton_Handoff_V1_SealedNotice.self, Baton_Handoff_V1_FrameContent.self,
      Baton_Handoff_V1_Notice.self,
    ]
    return Dictionary(uniqueKeysWithValues: types.map { ($0.protoMessageName, $0) })
  }()
}
