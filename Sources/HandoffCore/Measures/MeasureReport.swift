/// Measures as they may be shown: small numbers left out, so that nobody is found by them.
public struct MeasureReport: Hashable, Sendable {
  public enum Value: Hashable, Sendable {
    case ratio(part: Int, whole: Int)
    /// In seconds.
    case centiles(count: Int, p50: Int64, p90: Int64)
    /// Nothing was there to measure.
    case nothing
    /// Too few, or what too few could be told from.
    case suppressed
  }

  public struct Row: Hashable, Sendable {
    public var measure: Measure
    public var group: MeasureGroup
    public var value: Value
  }

  /// The least number that is shown, and the least that a shown number may leave over.
  public static let least = 5

  /// By measure, week and value; the whole of each week stands before its groups.
  public let rows: [Row]

  /// Suppresses, in every measure, groups that hold too few handoffs, and in each measure what is
  /// too few there; and then so many more that none of them can be told as what is missing from the
  /// whole.
  public init(
    _ measures: Measures, by dimension: MeasureDimension? = nil, weekly: Bool = false
  ) {
    let tallies = measures.tallies(by: dimension, weekly: weekly)
    // How many handoffs a group holds is the same for all measures, and shows through each of them.
    let hidden = Self.suppressed(tallies[.alerts] ?? [:]) { [$0.whole] }
    var rows: [Row] = []
    for measure in Measure.allCases {
      let cells = tallies[measure] ?? [:]
      let more = Self.suppressed(cells, already: hidden) { tally in
        switch measure.form {
        case .centiles: [tally.whole]
        // A thousand alerts of one handoff are one handoff still, so the part may exceed the whole.
        case .share, .perThousand: [tally.whole, tally.part, max(0, tally.whole - tally.part)]
        }
      }
      for (group, tally) in cells.sorted(by: { $0.key < $1.key }) {
        let value = more.contains(group) ? .suppressed : Self.value(of: tally, measure.form)
        rows.append(Row(measure: measure, group: group, value: value))
      }
    }
    self.rows = rows
  }

  private static func value(of tally: MeasureTally, _ form: Measure.Form) -> Value {
    switch form {
    case .share, .perThousand:
      return tally.whole == 0 ? .nothing : .ratio(part: tally.part, whole: tally.whole)
    case .centiles:
      guard let p50 = tally.centile(50), let p90 = tally.centile(90) else { return .nothing }
      return .centiles(count: tally.whole, p50: p50, p90: p90)
    }
  }

  /// The groups to hide: those with too few, and as many of the smallest others as it takes.
  private static func suppressed(
    _ cells: [MeasureGroup: MeasureTally], already: Set<MeasureGroup> = [],
    _ numbers: (MeasureTally) -> [Int]
  ) -> Set<MeasureGroup> {
    func isSmall(_ tally: MeasureTally) -> Bool {
      numbers(tally).contains { (1..<least).contains($0) }
    }
    var hidden = already.intersection(cells.keys)
    for (group, tally) in cells where isSmall(tally) { hidden.insert(group) }
    for week in Set(cells.keys.map(\.week)) {
      let whole = MeasureGroup(week: week)
      let parts = cells.keys.filter { $0.week == week && $0.value != nil }
      guard !parts.isEmpty, !hidden.contains(whole) else { continue }
      var shown = parts.filter { !hidden.contains($0) && (cells[$0]?.whole ?? 0) > 0 }
        .sorted { ((cells[$0]?.whole ?? 0), $0) < ((cells[$1]?.whole ?? 0), $1) }[...]
      // What is hidden can be told together, as the whole less what is shown: it must be enough,
      // and be of more than one.
      while true {
        let out = parts.filter(hidden.contains)
        let together = out.compactMap { cells[$0] }
        let sums = together.map(numbers).reduce(into: [0, 0, 0]) { sums, numbers in
          for (index, number) in numbers.enumerated() { sums[index] += number }
        }
        let isTold = out.count == 1 || sums.contains { (1..<least).contains($0) }
        guard !out.isEmpty, isTold else { break }
        guard let next = shown.popFirst() else {
          // Nothing is left to hide behind.
          hidden.insert(whole)
          break
        }
        hidden.insert(next)
      }
    }
    return hidden
  }
}

extension Measure {
  /// Its name as a metric, with the base unit that its value has.
  public var metricName: String {
    let name = "baton_measure_" + rawValue.replacing("-", with: "_")
    return switch form {
    case .share: name + "_ratio"
    case .perThousand: name + "_per_thousand"
    case .centiles: name + "_seconds"
    }
  }
}

extension MeasureReport.Row {
  /// What an exporter shows of it: each number with the quantile it is, where it is one.
  ///
  /// Empty where nothing was there, or nothing may be shown.
  public var samples: [(quantile: String?, value: Double)] {
    switch value {
    case .nothing, .suppressed: return []
    case .ratio(let part, let whole):
      let factor: Double = measure.form == .perThousand ? 1000 : 1
      return [(nil, factor * Double(part) / Double(whole))]
    case .centiles(_, let p50, let p90): return [("0.5", Double(p50)), ("0.9", Double(p90))]
    }
  }
}
