// What is held of people, copied while the reducer goes on and put back at a restart.

/// Texts that packed people refer to do not get the numbers they had: others came before them.
package struct TextsOutOfPlace: Error, Hashable, Sendable {}

// MARK: Copying

extension PersonReducer {
  /// The keys of everybody whom the last kept batch left, also while one is open; in no order, as
  /// sorting a million takes a second.
  package var committedKeys: [PatientKey] {
    var keys = persons.keys
    guard let journal else { return keys }
    // Of somebody noted twice, the first says whether there was anybody.
    var noted: Set<PatientKey> = []
    for entry in journal.entries where persons.slot(of: entry.key) == nil {
      if noted.insert(entry.key).inserted, entry.packed != nil { keys.append(entry.key) }
    }
    return keys
  }

  /// Somebody as the last kept batch left them, also while one is open; `nil` for nobody.
  package func committedPerson(for key: PatientKey) -> PackedPerson? {
    let slot = persons.slot(of: key)
    // Only whom the batch has noted may be other than it was; somebody gone has no slot any more.
    let isNoted = slot.map { persons.isMarked($0, by: firstPartNumber...batchNumber) } ?? true
    if isNoted, let before = journal?.entries.first(where: { $0.key == key }) {
      return before.packed.map { PackedPerson(key: key, nextDue: before.nextDue, bytes: $0) }
    }
    return slot.map {
      PackedPerson(key: key, nextDue: persons.nextDue(at: $0), bytes: persons.packed(at: $0))
    }
  }

  /// Somebody whom this reducer packed, as values.
  package func unpacked(_ packed: PackedPerson) -> Person {
    persons.person(packed.key, unpacking: packed.bytes)
  }

  /// The texts that packed people refer to by number, in the order of the numbers.
  ///
  /// They only ever become more, so those asked for last serve everybody copied before.
  package var packedTexts: [String] { persons.texts }
}

// MARK: Putting back

extension PersonReducer {
  /// Puts back somebody packed as they were, unjudged; the partition's own state comes first.
  ///
  /// What they refer to comes after them all, by ``restore(packedTexts:)``, and before anybody who
  /// is put back otherwise; at last ``takeStock(_:)``.
  package mutating func restore(_ packed: PackedPerson) {
    let slot = persons.slot(of: packed.key) ?? persons.insert(packed.key)
    persons.restore(packed.bytes, packed.nextDue, at: slot)
  }

  /// Puts back texts that packed people refer to, after those that were put back before.
  package mutating func restore(packedTexts texts: [String]) throws(TextsOutOfPlace) {
    guard persons.add(texts) else { throw TextsOutOfPlace() }
  }

  /// Shows everybody after they were put back, and finds again what follows from them.
  ///
  /// - Throws: ``UnknownActivation`` for a person judged by an activation that the partition never
  ///   had.
  package mutating func takeStock(_ body: (Person) -> Void) throws(UnknownActivation) {
    hanging = [:]
    var filing = BooksFiling()
    for slot in persons.slots {
      let person = persons.person(at: slot)
      try check(person)
      noteHanging(of: person)
      for handoff in person.handoffs { filing.add(BookEntry(handoff), in: policies) }
      body(person)
    }
    filing.file(in: &state.books)
  }

  /// Holds a person against the activations that the partition has had.
  func check(_ person: Person) throws(UnknownActivation) {
    guard person.handoffs.allSatisfy({ Int($0.latestPolicy) < policies.count }),
      person.stay.allSatisfy({ Int($0.policy ?? 0) < policies.count })
    else {
      throw UnknownActivation(key: person.key)
    }
  }
}
