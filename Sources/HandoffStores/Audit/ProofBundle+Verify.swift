import Foundation
package import HandoffCore

/// What a proof bundle proves, or where it fails to.
package struct ProofReport: Sendable {
  package private(set) var findings: [AuditFinding] = []
  /// Records proved to be in the log.
  package var recordCount = 0
  /// The checkpoints that the proofs end in.
  package var checkpoints: [Checkpoint] = []

  package var isSound: Bool { findings.isEmpty }

  mutating func add(_ place: String, _ explanation: String) {
    findings.append(AuditFinding(place: place, explanation: explanation))
  }
}

extension ProofBundle {
  /// Checks a bundle's file with nothing but the public key.
  package static func verify(_ bytes: [UInt8], key: NoteVerifier) -> ProofReport {
    var report = ProofReport()
    guard bytes.count <= byteCountMax else {
      report.add("bundle", "longer than \(byteCountMax) bytes")
      return report
    }
    let bundle: ProofBundle
    do {
      bundle = try JSONDecoder().decode(ProofBundle.self, from: Data(bytes))
    } catch let error as DecodingError {
      report.add("bundle\(error.path)", "not a proof bundle: this part is missing or malformed")
      return report
    } catch {
      report.add("bundle", "not a proof bundle")
      return report
    }
    guard bundle.format == format else {
      report.add("bundle.format", "not \(format)")
      return report
    }
    if let place = bundle.bytes.firstDifference(from: bytes) {
      report.add("bundle, byte \(place)", "not written as a bundle is: it was changed")
    }
    if bundle.logs.isEmpty { report.add("bundle.logs", "it proves nothing") }
    for (index, log) in bundle.logs.enumerated() {
      log.verify(place: "logs[\(index)]", person: bundle.person, key: key, &report)
    }
    return report
  }
}

extension ProofBundle.Log {
  package var name: AuditLogName { AuditLogName(topic: topic, partition: partition) }

  fileprivate func verify(
    place: String, person: String?, key: NoteVerifier, _ report: inout ProofReport
  ) {
    let origin = name.origin(signer: key.name)
    guard topic.utf8.count <= 249 else {
      report.add("\(place).topic", "no topic has so long a name")
      return
    }
    guard
      let checkpoint = signed(checkpoint, "\(place).checkpoint", origin: origin, key, &report)
    else { return }
    report.checkpoints.append(checkpoint)
    verifyConsistency(with: checkpoint, place: place, origin: origin, key, &report)
    if records.isEmpty && since == nil { report.add("\(place).records", "it proves nothing") }
    var last: UInt64?
    for (index, record) in records.enumerated() {
      let place = "\(place).records[\(index)] (\(name) offset \(record.offset))"
      guard let leaf = record.leaf(of: name) else {
        report.add(place, "key, value or a header is not base64")
        continue
      }
      guard
        let path = hashes(record.inclusion),
        InclusionProof(index: record.leafIndex, size: checkpoint.size, path: path)
          .proves(leaf.hash, in: checkpoint.root)
      else {
        report.add(place, "its proof does not lead to the signed root")
        continue
      }
      report.recordCount += 1
      if let person {
        verifyChain(record, leaf, after: last, person: person, place: place, &report)
      }
      last = record.leafIndex
    }
  }

  /// Each record of a person names the one before it, so none can be left out between two.
  private func verifyChain(
    _ record: ProofBundle.Record, _ leaf: AuditLeaf, after last: UInt64?, person: String,
    place: String, _ report: inout ProofReport
  ) {
    if leaf.key != AuditLeaf.Key(Array(person.utf8)) {
      report.add(place, "it is of another key than bundle.person")
    }
    if leaf.previous != last {
      report.add(place, "the record of this key before it is left out")
    }
  }

  private func verifyConsistency(
    with checkpoint: Checkpoint, place: String, origin: String, _ key: NoteVerifier,
    _ report: inout ProofReport
  ) {
    guard since != nil || consistency != nil else { return }
    guard let since, let consistency else {
      report.add("\(place).consistency", "since and consistency belong together")
      return
    }
    guard let old = signed(since, "\(place).since", origin: origin, key, &report) else { return }
    guard
      let path = hashes(consistency),
      ConsistencyProof(oldSize: old.size, newSize: checkpoint.size, path: path)
        .proves(old.root, isPrefixOf: checkpoint.root)
    else {
      report.add(
        "\(place).consistency", "the older checkpoint is not proved to be the log's beginning")
      return
    }
  }

  private func signed(
    _ note: String, _ place: String, origin: String, _ key: NoteVerifier,
    _ report: inout ProofReport
  ) -> Checkpoint? {
    do {
      let parsed = try SignedNote(note)
      let checkpoint = try Checkpoint(signedNote: note, verifiedBy: key)
      guard checkpoint.origin == origin else {
        report.add(place, "it is of another log")
        return nil
      }
      guard parsed.signatures.count == 1 else {
        report.add(place, "it carries a signature of another key")
        return nil
      }
      return checkpoint
    } catch {
      report.add(place, error.description)
      return nil
    }
  }

  private func hashes(_ texts: [String]) -> [MerkleHash]? {
    let hashes = texts.compactMap { text in
      Base64.decode(text).flatMap { MerkleHash(bytes: $0) }
    }
    return hashes.count == texts.count ? hashes : nil
  }
}

extension DecodingError {
  /// Where in the JSON it stopped: `.logs[0].records[3].key`, or nothing.
  fileprivate var path: String {
    let context: Context
    switch self {
    case .typeMismatch(_, let found), .valueNotFound(_, let found), .keyNotFound(_, let found),
      .dataCorrupted(let found):
      context = found
    @unknown default: return ""
    }
    // A name that we do not write ourselves is input: only known ones are repeated.
    let known: Set = [
      "format", "person", "logs", "topic", "partition", "checkpoint", "since", "consistency",
      "records", "leafIndex", "offset", "brokerTime", "key", "headers", "value", "previousLeaf",
      "inclusion", "name",
    ]
    return context.codingPath.map { step in
      step.intValue.map { "[\($0)]" }
        ?? (known.contains(step.stringValue) ? ".\(step.stringValue)" : "")
    }.joined()
  }
}

extension [UInt8] {
  /// The first place at which two byte strings differ; `nil` where they are equal.
  func firstDifference(from other: [UInt8]) -> Int? {
    zip(self, other).enumerated().first { $0.element.0 != $0.element.1 }?.offset
      ?? (count == other.count ? nil : Swift.min(count, other.count))
  }
}
