/// Handoffs that are held, by the page by place on which they belong.
struct BooksFiling {
  private struct Holding: Hashable {
    var place: Code?
    var bucket: Bucket
  }

  /// How many are held, and how many of them came by a transfer.
  private var held: [Holding: (all: UInt64, transferred: UInt64)] = [:]

  mutating func add(_ entry: BookEntry, in policies: [Policy]) {
    guard entry.isRequested else { return }
    let holding = Holding(place: entry.place(in: policies), bucket: Bucket(entry.state))
    held[holding, default: (0, 0)].all += 1
    if entry.isTransferred { held[holding, default: (0, 0)].transferred += 1 }
  }

  /// Puts on each page the handoffs that belong there, taken from pages that have more than do.
  ///
  /// What was entered before there were pages by place stands on that of none; what was entered while
  /// a register was unknown stands where another one had it. Such a handoff would be taken off a page
  /// that does not have it. What was forgotten is on no page of its own any more, and stays.
  func file(in books: inout Books) {
    var wanted: [Bucket: [Code?: (all: UInt64, transferred: UInt64)]] = [:]
    for (holding, count) in held {
      let page = books.page(of: holding.place)
      wanted[holding.bucket, default: [:]][page, default: (0, 0)].all += count.all
      wanted[holding.bucket, default: [:]][page, default: (0, 0)].transferred += count.transferred
    }
    var transferred: [Code?: UInt64] = [:]
    for pages in wanted.values {
      for (page, count) in pages { transferred[page, default: 0] += count.transferred }
    }
    let donors = Self.ordered(books.byPlace.keys)
    for bucket in Bucket.allCases {
      let wanted = wanted[bucket, default: [:]]
      for place in Self.ordered(wanted.keys) {
        guard let want = wanted[place], books.byPlace[place]?[bucket] ?? 0 < want.all else {
          continue
        }
        for donor in donors where donor != place {
          let has = books.byPlace[place]?[bucket] ?? 0
          let spare = books.byPlace[donor]?[bucket] ?? 0
          let kept = wanted[donor]?.all ?? 0
          guard has < want.all else { break }
          guard spare > kept else { continue }
          books.refile(
            min(want.all - has, spare - kept), transferred: transferred[place] ?? 0, bucket,
            from: donor, to: place)
        }
      }
    }
  }

  /// That of no place first.
  private static func ordered(_ places: some Sequence<Code?>) -> [Code?] {
    let places = Array(places)
    return (places.contains(nil) ? [nil] : []) + places.compactMap(\.self).sorted()
  }
}

extension Books {
  /// Moves handoffs of one bucket to another page, with the side by which they came.
  ///
  /// Both pages balance as they did. The new page is to have `transferred` that came by a transfer.
  fileprivate mutating func refile(
    _ count: UInt64, transferred: UInt64, _ bucket: Bucket, from old: Code?, to new: Code?
  ) {
    guard var source = byPlace[old] else { return }
    var target = byPlace[new] ?? Ledger()
    let missing = transferred - min(transferred, target.transferredIn)
    let requested = count - min(count, missing, source.transferredIn)
    let fromRequested = min(requested, source.requested)
    let fromTransferred = min(count - fromRequested, source.transferredIn)
    source[bucket] -= count
    source.requested -= fromRequested
    source.transferredIn -= fromTransferred
    target[bucket] += count
    target.requested += fromRequested
    target.transferredIn += fromTransferred
    (byPlace[old], byPlace[new]) = (source, target)
  }
}
