package import HandoffCore

extension PartitionState: WireMessage {
  package static var wireName: StaticString { "baton.handoff.v1.PartitionState" }

  package func write(to writer: inout ProtobufWriter) {
    writer.unsigned(1, stateLayout)
    writer.moment(2, time)
    writer.signed(3, nextOffset)
    writer.nested(4) { books.write(to: &$0) }
    for activation in activations { writer.nested(5) { activation.write(to: &$0) } }
    for source in sources.values.sorted(by: { $0.source < $1.source }) {
      writer.nested(6) { source.write(to: &$0) }
    }
    for defect in defects { writer.nested(7) { defect.write(to: &$0) } }
    // The last is what every state of before means.
    if Int(inForce) != activations.count - 1 { writer.present(8, inForce) }
    for (source, organisations) in carriage.sorted(by: { $0.key < $1.key }) {
      writer.nested(60) { carriage in
        carriage.code(1, source)
        for organisation in organisations.sorted() { carriage.organisation(2, organisation) }
      }
    }
  }

  package init(reading reader: inout ProtobufReader) throws(WireError) {
    self.init(time: Timestamp(nanoseconds: 0), activations: [])
    var isLayoutKnown = false
    var named: UInt16?
    while let number = try reader.nextField() {
      switch number {
      case 1:
        try reader.checkLayout()
        isLayoutKnown = true
      case 2: time = try reader.moment()
      case 3: nextOffset = try reader.signed(Int64.self, "next_offset")
      case 4:
        var nested = try reader.nested("Books")
        books = try Books(reading: &nested)
      case 5:
        var nested = try reader.nested("RulesActivation")
        activations.append(try RulesActivation(reading: &nested))
      case 6:
        var nested = try reader.nested("SourceState")
        let source = try SourceState(reading: &nested)
        sources[source.source] = source
      case 7:
        guard defects.count < 1_024 else { throw reader.invalid("defects") }
        var nested = try reader.nested("Defect")
        defects.append(try Defect(reading: &nested))
      case 8: named = try reader.unsigned(UInt16.self, "in_force")
      case 60: try readCarriage(&reader)
      default: try reader.skip()
      }
    }
    guard isLayoutKnown else { throw reader.missing("layout") }
    inForce = named ?? UInt16(clamping: activations.count - 1)
  }

  private mutating func readCarriage(_ reader: inout ProtobufReader) throws(WireError) {
    var nested = try reader.nested("Carriage")
    var source: Code?
    var organisations: Set<OrganisationID> = []
    while let number = try nested.nextField() {
      switch number {
      case 1: source = try nested.code("source")
      case 2:
        guard let organisation = try nested.organisation("organisations") else {
          throw nested.invalid("organisations")
        }
        organisations.insert(organisation)
      default: try nested.skip()
      }
    }
    guard let source else { throw nested.missing("source") }
    carriage[source] = organisations
  }
}

extension Books {
  func write(to writer: inout ProtobufWriter) {
    writer.nested(1) { total.write(to: &$0) }
    for (kind, ledger) in byKind.sorted(by: { $0.key < $1.key }) {
      writer.nested(2) { page in
        page.text(1, kind.description)
        page.nested(2) { ledger.write(to: &$0) }
      }
    }
    writer.unsigned(3, forgotten)
    writer.unsigned(4, eventCount)
    writer.unsigned(5, redeliveredCount)
    writer.unsigned(6, repeatedCount)
    writer.unsigned(7, unlinkedCount)
    writer.unsigned(8, lapsedCount)
    writer.unsigned(9, forwardedCount)
    writer.unsigned(10, staleCount)
    writer.unsigned(11, absorbedCount)
    // The page of no place first.
    for place in [nil] + byPlace.keys.compactMap(\.self).sorted() {
      guard let ledger = byPlace[place] else { continue }
      writer.nested(160) { page in
        page.code(1, place)
        page.nested(2) { ledger.write(to: &$0) }
      }
    }
  }

  init(reading reader: inout ProtobufReader) throws(WireError) {
    self.init()
    while let number = try reader.nextField() {
      switch number {
      case 1:
        var nested = try reader.nested("Ledger")
        total = try Ledger(reading: &nested)
      case 2: try readPage(&reader)
      case 3: forgotten = try reader.unsigned()
      case 4: eventCount = try reader.unsigned()
      case 5: redeliveredCount = try reader.unsigned()
      case 6: repeatedCount = try reader.unsigned()
      case 7: unlinkedCount = try reader.unsigned()
      case 8: lapsedCount = try reader.unsigned()
      case 9: forwardedCount = try reader.unsigned()
      case 10: staleCount = try reader.unsigned()
      case 11: absorbedCount = try reader.unsigned()
      case 160: try readPlace(&reader)
      default: try reader.skip()
      }
    }
    // Written before there were places: filed when the people are back (`takeStock`).
    if byPlace.isEmpty, total != Ledger() { byPlace[nil] = total }
  }

  private mutating func readPlace(_ reader: inout ProtobufReader) throws(WireError) {
    guard byPlace.count <= Books.placeCountMax else { throw reader.invalid("places") }
    var page = try reader.nested("PlaceLedger")
    var place: Code?
    var ledger = Ledger()
    while let number = try page.nextField() {
      switch number {
      case 1: place = try page.code("place")
      case 2:
        var nested = try page.nested("Ledger")
        ledger = try Ledger(reading: &nested)
      default: try page.skip()
      }
    }
    byPlace[place] = ledger
  }

  private mutating func readPage(_ reader: inout ProtobufReader) throws(WireError) {
    var page = try reader.nested("KindLedger")
    var kind: HandoffKind?
    var ledger = Ledger()
    while let number = try page.nextField() {
      switch number {
      case 1: kind = try page.kind("kind")
      case 2:
        var nested = try page.nested("Ledger")
        ledger = try Ledger(reading: &nested)
      default: try page.skip()
      }
    }
    guard let kind else { throw page.missing("kind") }
    byKind[kind] = ledger
  }
}

extension Ledger {
  func write(to writer: inout ProtobufWriter) {
    writer.unsigned(1, requested)
    writer.unsigned(2, transferredIn)
    writer.unsigned(3, transferredOut)
    for bucket in Bucket.allCases { writer.unsigned(Self.field(of: bucket), self[bucket]) }
  }

  init(reading reader: inout ProtobufReader) throws(WireError) {
    self.init()
    while let number = try reader.nextField() {
      switch number {
      case 1: requested = try reader.unsigned()
      case 2: transferredIn = try reader.unsigned()
      case 3: transferredOut = try reader.unsigned()
      default:
        guard let bucket = Bucket.allCases.first(where: { Self.field(of: $0) == number }) else {
          try reader.skip()
          continue
        }
        self[bucket] = try reader.unsigned()
      }
    }
  }

  private static func field(of bucket: Bucket) -> UInt32 {
    switch bucket {
    case .open: 4
    case .completed: 5
    case .rejected: 6
    case .redirected: 7
    case .cancelled: 8
    case .voided: 9
    case .failed: 10
    case .expired: 11
    }
  }
}
