extension PersonTable {
  /// The person at a slot, for whoever looks at many and keeps none.
  ///
  /// Nearly everybody has arrivals and handoffs and nothing else; such a person is `lent`, whose
  /// lists are filled again and not made anew.
  mutating func person(at slot: UInt32, lending lent: inout Person) -> Person {
    let packed = packed(at: slot)
    var reader = PackedReader(packed, reusing: &lists)
    defer { reader.giveBack(&lists) }
    guard !packed.isEmpty, Person.hasNothingElse(&reader) else { return person(at: slot) }
    reader.readArrivals()
    lent.key = key(at: slot)
    lent.handoffs.removeAll(keepingCapacity: true)
    for _ in 0..<reader.count() { lent.handoffs.append(reader.handoff(writer.texts)) }
    lent.seen.removeAll(keepingCapacity: true)
    reader.appendSeen(to: &lent.seen, writer.texts)
    return lent
  }
}
