package import HandoffCore
package import Telemetry

extension MeasureReport {
  /// The measures as metrics, each group with the label of its dimension; the whole has none.
  ///
  /// What is suppressed has no sample: a scraper keeps what it has seen. A group whose name is no
  /// label (``Telemetry/Metric/Label``) is left out too.
  package func metrics(by dimension: MeasureDimension?) -> [Metric] {
    Measure.allCases.map { measure in
      Metric(
        name: measure.metricName, .gauge, help: measure.definition,
        rows.filter { $0.measure == measure }.flatMap { Self.samples($0, by: dimension) })
    }
  }

  private static func samples(_ row: Row, by dimension: MeasureDimension?) -> [Metric.Sample] {
    var labels: [Metric.Label] = []
    if let dimension, let value = row.group.value {
      let label = Metric.Label(dimension.label, code: value)
      guard label.value == value else { return [] }
      labels.append(label)
    }
    return row.samples.map { sample in
      let quantile = sample.quantile.map { Metric.Label("quantile", code: $0) }
      return Metric.Sample(sample.value, labels + (quantile.map { [$0] } ?? []))
    }
  }
}

extension MeasureDimension {
  fileprivate var label: StaticString {
    switch self {
    case .place: "place"
    case .pcn: "pcn"
    case .rail: "rail"
    case .kind: "kind"
    case .quintile: "quintile"
    case .provider: "provider"
    }
  }
}
