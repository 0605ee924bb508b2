import SwiftProtobuf

/// The two forms of one message, Protobuf and proto3 JSON, turned into each other by the generated
/// types, so that there is one place that knows each.
package enum WireJSON {
  /// How deep JSON may nest: our deepest message has three levels.
  static let depthMax = 32

  /// A message's Protobuf form from its JSON.
  ///
  /// Unknown members are ignored, as unknown fields are: a newer writer of `v1` can be read. An
  /// unknown value of a closed set is refused, as its number is in Protobuf.
  package static func protobuf(fromJSON json: [UInt8], type: String) throws(WireError) -> [UInt8] {
    guard let message = messages[type] else { throw WireError(.typeUnknown, "ce_type") }
    var options = JSONDecodingOptions()
    options.messageDepthLimit = depthMax
    do {
      return try message.init(jsonUTF8Bytes: json, options: options).serializedBytes()
    } catch JSONDecodingError.unrecognizedEnumValue where !tolerant.contains(type) {
      throw WireError(.fieldInvalid, type)
    } catch {
      options.ignoreUnknownFields = true
    }
    do {
      let read = try message.init(jsonUTF8Bytes: json, options: options)
      try checkClosedSets(of: json, type, areIn: read)
      return try read.serializedBytes()
    } catch let error as WireError {
      throw error
    } catch {
      // The library's error may quote the input.
      throw WireError(.malformed, type)
    }
  }

  /// Messages whose schema says that a value of the future is read as none.
  private static let tolerant: Set = ["baton.handoff.v1.CorrelationEntry"]

  /// Closed sets that may be absent, by message.
  ///
  /// Where unknown members are ignored, the library ignores unknown values of closed sets too. A
  /// mandatory one is then missed; these would pass for absent.
  private static let optionalSets = ["baton.handoff.v1.Verdict": ["state", "subject"]]

  private static func checkClosedSets(
    of json: [UInt8], _ type: String, areIn message: any SwiftProtobuf.Message
  ) throws {
    guard let names = optionalSets[type], let written = try? JSONMembers(json) else { return }
    let read = try JSONMembers(try message.jsonUTF8Bytes())
    for name in names where written.raw(name) != nil && read.raw(name) == nil {
      let isUnspecified =
        written.text(name)?.hasSuffix("_UNSPECIFIED") ?? (written.integer(name) == 0)
      guard isUnspecified else { throw WireError(.fieldInvalid, "\(type).\(name)") }
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
      Baton_Handoff_V1_SourceReducerState.self, Baton_Handoff_V1_CorrelationEntry.self,
      Baton_Handoff_V1_DeadLetter.self,
      Baton_Handoff_V1_HandoffSubmission.self, Baton_Handoff_V1_PersonState.self,
      Baton_Handoff_V1_PartitionState.self, Baton_Handoff_V1_SealedFrame.self,
      Baton_Handoff_V1_SealedNotice.self, Baton_Handoff_V1_FrameContent.self,
      Baton_Handoff_V1_Notice.self, Baton_Handoff_V1_PersonTransfer.self,
    ]
    return Dictionary(uniqueKeysWithValues: types.map { ($0.protoMessageName, $0) })
  }()
}
