import HandoffCore
import Testing

@Suite struct NHSNumberTests {
  @Test(arguments: ["9990500002", "999 054 8609", "999-500-0180", "9999999468"])
  func `a number whose check digit fits is read`(text: String) throws {
    #expect(try NHSNumber(text).digits.count == 10)
  }

  @Test(arguments: ["0000255355", "3478526985", "9378954317", "7778521234"])
  func `numbers of public samples that fail their check are refused`(text: String) {
    #expect(throws: NHSNumber.Invalid.checkDigit) { try NHSNumber(text) }
  }

  @Test(arguments: ["", "999050000", "99905000022", "999050000x"])
  func `what is not ten digits is refused`(text: String) {
    #expect(throws: NHSNumber.Invalid.notTenDigits) { try NHSNumber(text) }
  }

  @Test func `it prints redacted`() throws {
    let number = try NHSNumber("9990500002")
    #expect(!"\(number)".contains("999") && !String(reflecting: number).contains("9990500002"))
  }
}

@Suite struct WrittenFormTests {
  @Test func `ids read back from their text and their bytes`() {
    let id = EventID(rawValue: 0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10)
    #expect(id.description == "0102030405060708090a0b0c0d0e0f10")
    #expect(id.uuidString == "01020304-0506-0708-090a-0b0c0d0e0f10")
    #expect(EventID(id.uuidString) == id && EventID(id.description) == id)
    #expect(EventID(bytes: id.bytes) == id)
    #expect(EventID("01") == nil && EventID(bytes: [1, 2]) == nil)
  }

  @Test func `a patient key reads back, and nothing but it`() {
    let key = Scene.key
    #expect(PatientKey(key.description) == key)
    #expect(key.hash == Array(0..<32))
    #expect(PatientKey("01" + key.description) == nil)
    #expect(PatientKey(key.description.uppercased() + "0") == nil)
  }

  @Test(arguments: [0, 1, 9, 10, 99, 100, 999, 1_000, 9_999, 10_000, 65_535] as [UInt16])
  func `a patient key has the same bytes as its text`(epoch: UInt16) {
    let half: UInt128 = 0x0123_4567_89ab_cdef_fedc_ba98_7654_3210
    for (high, low) in [(0, 0), (.max, .max), (half, ~half), (1, half), (half, 1)] {
      let key = PatientKey(epoch: epoch, high: high, low: low)
      #expect(key.utf8 == Array(key.description.utf8))
    }
  }

  @Test(arguments: ["ods:RTH", "local:0102030405060708090a0b0c0d0e0f10"])
  func `an organisation reads back`(text: String) {
    #expect(OrganisationID(text)?.description == text)
  }

  @Test(arguments: ["RTH", "ods:", "ods:TOO-LONG", "local:1", "other:RTH"])
  func `what is no organisation is refused`(text: String) {
    #expect(OrganisationID(text) == nil)
  }

  @Test(arguments: ["9990500002", "999-050-0002", "a9990500002b", "free text", ""])
  func `a code holds no number of a person and no free text`(text: String) {
    #expect(Code(text) == nil)
  }
}

@Suite struct DefaultPolicyTests {
  @Test func `every kind has a row for all priorities, and every row a source`() {
    let policy = Policy.default
    for kind in policy.kinds {
      #expect(policy.rows.contains { $0.kind == kind && $0.priority == nil }, "\(kind)")
    }
    #expect(policy.rows.allSatisfy { !$0.clocks.note.isEmpty && $0.clocks.basis != .local })
    #expect(
      Set(policy.rows.map { "\($0.kind) \($0.priority?.description ?? "")" }).count
        == policy.rows.count)
  }

  @Test func `names of ours are names that would be read`() {
    for row in Policy.default.rows {
      #expect(HandoffKind(row.kind.description) == row.kind)
      #expect(row.priority.map { Priority($0.description) == $0 } ?? true)
    }
    #expect(Policy.default.railDelivery.keys.map(\.description) == ["mesh"])
  }

  @Test(arguments: [
    ("111-ucr", nil, "5min 30min 2h 30d 24h"), ("mh-crisis", "very-urgent", "5min 1h 4h 30d 24h"),
    ("gp-hospital", "routine", "4h 7d 18wk 18wk 7d"),
    ("gp-hospital", "urgent", "1h 3wd 6wk 18wk 7d"),
    ("hospital-council", nil, "1h 24h 24h 30d 24h"),
    ("virtual-ward", "step-up", "15min 1h 4h 30d 24h"),
    ("social-prescribing", nil, "1wd 3wd 10wd 18wk 10wd"), ("home-care", nil, "1h 24h 48h 30d 2wd"),
    ("gp-hospital", "emergency", "1h 3wd 6wk 18wk 7d"), ("unheard-of", nil, "4h 7d 18wk 18wk 7d"),
  ])
  func `a row says what the page says`(kind: String, priority: String?, clocks: String) throws {
    let found = Policy.default.clocks(
      kind: HandoffKind(kind), priority: priority.flatMap { Priority($0) })
    let start = try #require(found.start)
    let values = [found.acknowledge, found.accept, start, found.complete, found.feedback]
    #expect(values.map(\.description).joined(separator: " ") == clocks)
  }
}
