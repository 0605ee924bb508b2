import HandoffCore

/// What of an HL7 v2 message no event value came from.
enum HL7LostContent {
  /// Fields with content, by name and in the order they first stand: never a value.
  ///
  /// What tells how to read or answer the message (its separators, version, character set, mode of
  /// acknowledgement, what it is for) and the numbering of segments is nothing that could be lost. A field that
  /// asks to delete (`""`) is named as such.
  static func fields(_ bytes: [UInt8], after message: MappedMessage) -> [String] {
    guard let parsed = try? HL7Message(bytes) else { return [] }
    let used = message.fieldsUsed.union(syntax)
    var lost: [String] = []
    var seen: Set<String> = []
    for segment in parsed.segments where segment.lastField > 0 {
      for number in 1...segment.lastField where segment.hasContent(number) {
        let name = "\(segment.name)-\(number)"
        guard !used.contains(name), !isNumbering(segment, number) else { continue }
        let shown = segment.isNull(number) ? "\(name) (delete)" : name
        if seen.insert(shown).inserted { lost.append(shown) }
      }
    }
    return lost
  }

  private static let syntax: Set = [
    "MSH-1", "MSH-2", "MSH-9", "MSH-11", "MSH-12", "MSH-15", "MSH-16", "MSH-18", "MSH-21",
  ]

  /// Field 1 of a segment that may repeat only counts it, where it is a number.
  private static func isNumbering(_ segment: HL7Segment, _ number: Int) -> Bool {
    let numbered: Set = [
      "PID", "PV1", "NK1", "OBR", "OBX", "NTE", "AL1", "DG1", "PR1", "GT1", "IN1", "SPM", "TQ1",
      "TXA", "AIS", "AIG", "AIL", "AIP", "RGS", "DB1", "ARV",
    ]
    return number == 1 && numbered.contains(segment.name)
      && segment.value(1).flatMap(Int.init) != nil
  }
}
