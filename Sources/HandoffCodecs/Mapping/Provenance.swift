/// What a provenance says where a value stands in no field but in the connector's settings.
package let connectorProvenance = "connector"

extension MappedFact {
  /// The properties that are set, by the names that ``provenance`` uses.
  package var propertiesSet: [String] {
    let all: [(String, Bool)] = [
      ("type", true), ("handoff", handoff != nil), ("references", !references.isEmpty),
      ("conversation", conversation != nil), ("journey", journey != nil),
      ("supersedes", supersedes != nil), ("parentHandoff", parentHandoff != nil),
      ("newHandoff", newHandoff != nil), ("answers", answers != nil), ("from", from != nil),
      ("to", to != nil), ("cc", !cc.isEmpty), ("spokenBy", spokenBy != nil),
      ("kind", kind != nil), ("priority", priority != nil), ("needCode", needCode != nil),
      ("occurredAt", occurredAt != nil), ("reason", reason != nil), ("outcome", outcome != nil),
      ("bookedFor", bookedFor != nil), ("dischargeReadyAt", dischargeReadyAt != nil),
      ("dischargePathway", dischargePathway != nil), ("isFeedbackOwed", isFeedbackOwed != nil),
      ("isBackfill", isBackfill), ("person", person != nil), ("priorPerson", priorPerson != nil),
    ]
    return all.filter(\.1).map(\.0)
  }

  /// The properties that are set and of which nothing says where they were read.
  package var unproven: [String] { propertiesSet.filter { provenance[$0] == nil } }
}

extension MappedMessage {
  /// The properties of the message itself that are set.
  package var propertiesSet: [String] {
    let all: [(String, Bool)] = [
      ("messageID", messageID != nil), ("messageType", true),
      ("sendingSystem", sendingSystem != nil),
      ("sendingOrganisation", sendingOrganisation != nil),
      ("receivingSystem", receivingSystem != nil),
      ("receivingOrganisation", receivingOrganisation != nil), ("sequence", sequence != nil),
      ("recordedAt", recordedAt != nil), ("reference", reference != nil),
      ("person", person != nil),
    ]
    return all.filter(\.1).map(\.0)
  }

  /// The properties of the message itself of which nothing says where they were read.
  package var unproven: [String] { propertiesSet.filter { provenance[$0] == nil } }

  /// Every field that some value came from, of the message and of its facts.
  package var fieldsUsed: Set<String> {
    var fields: Set<String> = []
    for value in Array(provenance.values) + facts.flatMap({ Array($0.provenance.values) }) {
      for field in value.split(separator: ", ") { fields.insert(String(field)) }
    }
    return fields
  }
}
