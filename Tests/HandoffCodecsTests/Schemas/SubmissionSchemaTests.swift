import HandoffCodecs
import HandoffCore
import TestSupport
import Testing

/// The schema that integration teams write to, and the mapper of ingest, say the same.
@Suite struct `The schema of a submission` {
  private let schema: JSONSchema

  init() throws {
    schema = try #require(try RecordSchemas.all()["handoff-submission.schema.json"])
  }

  private func refusal(_ data: JSONTree) -> String? {
    let line: JSONTree = [
      "specversion": "1.0", "id": "s-1", "source": "/test",
      "type": "baton.handoff.v1.HandoffSubmission", "data": data,
    ]
    guard case .refused(let error) = FrameMapper().map(Array(line.compact.utf8))[0].outcome else {
      return nil
    }
    return "\(error.code) \(error.field ?? "")"
  }

  /// A submission of each type with everything in it that any type needs.
  private func whole(_ type: EventType) throws -> JSONTree {
    var data = try JSONTree(LandedRecords.submissions[0])["data"]
    data["type"] = .string(type.rawValue)
    data["newHandoff"] = ["value": "8"]
    data["answers"] = ["value": "m-0"]
    data["priorPerson"] = ["localIds": [["value": "4711", "assigner": "RTH"]]]
    return data
  }

  @Test func `takes what is taken`() throws {
    for line in LandedRecords.submissions {
      let data = try JSONTree(line)["data"]
      #expect(try schema.faults(in: data) == [])
      #expect(refusal(data) == nil)
    }
  }

  @Test(arguments: EventType.allCases)
  func `asks of each type what the mapper asks`(type: EventType) throws {
    let data = try whole(type)
    var variants = [data] + data.members.map { data.without($0.name) }
    variants.append(data.without("handoff").without("answers"))
    variants.append(data.without("person").without("priorPerson"))
    for (index, variant) in variants.enumerated() {
      let faults = try schema.faults(in: variant)
      #expect(faults.isEmpty == (refusal(variant) == nil), "\(index): \(faults)")
    }
  }

  @Test func `refuses what the mapper refuses, and nothing else`() throws {
    var refused = 0
    for type in [EventType.handoffRequested, .redirected, .identityLinked] {
      for mutated in Mutations.all(of: try whole(type)) {
        let faults = try schema.faults(in: mutated.document)
        let refusal = refusal(mutated.document)
        #expect(
          faults.isEmpty == (refusal == nil), "\(mutated.what): \(faults) \(refusal ?? "taken")")
        if refusal != nil { refused += 1 }
      }
    }
    #expect(refused > 300)
  }

  @Test func `refuses a member that nobody reads, wherever it is`() throws {
    let data = try whole(.handoffRequested)
    for name in [nil, "person", "handoff", "from", "to"] as [String?] {
      var changed = data
      if let name {
        changed[name]["surname"] = "Roe"
      } else {
        changed["surname"] = "Roe"
      }
      #expect(try !schema.faults(in: changed).isEmpty)
      #expect(refusal(changed)?.hasPrefix("submission.unknown-field") == true)
    }
  }
}
