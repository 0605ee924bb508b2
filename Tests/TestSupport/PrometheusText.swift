/// Prometheus' text format 0.0.4, read strictly: what a lenient scraper would let pass is a fault.
public struct PrometheusText: Sendable {
  public struct Fault: Error, CustomStringConvertible {
    public let description: String
  }

  public struct Series: Hashable, Sendable {
    public var name: String
    public var labels: [String: String]
  }

  /// Each metric's type.
  public private(set) var types: [String: String] = [:]
  public private(set) var values: [Series: Double] = [:]

  /// Every sample of a metric whose labels include these.
  public func samples(_ name: String, _ labels: [String: String] = [:]) -> [Double] {
    values.filter { series, _ in
      series.name == name && labels.allSatisfy { series.labels[$0.key] == $0.value }
    }.map(\.value)
  }

  /// Reads a page: every metric has its HELP, then its TYPE, then its samples, all in one group; no
  /// series comes twice; what is counted ends in `_total`; the last line ends as all do.
  public init(_ text: String) throws {
    guard text.isEmpty || text.hasSuffix("\n") else { throw Fault(description: "no last newline") }
    var helped: String?
    var current: String?
    for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
      if let rest = line.dropping("# HELP ") {
        let words = rest.split(separator: " ", maxSplits: 1)
        guard words.count == 2, types["\(words[0])"] == nil else {
          throw Fault(description: "\(line)")
        }
        helped = "\(words[0])"
      } else if let rest = line.dropping("# TYPE ") {
        let words = rest.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 2, helped == "\(words[0])", ["counter", "gauge"].contains(words[1]),
          (words[1] == "counter") == words[0].hasSuffix("_total")
        else { throw Fault(description: "\(line)") }
        types["\(words[0])"] = "\(words[1])"
        (current, helped) = (helped, nil)
      } else {
        let (series, value) = try Self.sample(line)
        guard series.name == current, values.updateValue(value, forKey: series) == nil else {
          throw Fault(description: "out of place, or twice: \(line)")
        }
      }
    }
    guard helped == nil else { throw Fault(description: "HELP without TYPE") }
  }

  private static func sample(_ line: Substring) throws -> (Series, Double) {
    let pattern = /([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (-?[0-9.e+-]+|NaN|[+-]Inf)/
    guard let match = line.wholeMatch(of: pattern), let value = Double(match.3) else {
      throw Fault(description: "\(line)")
    }
    var series = Series(name: "\(match.1)", labels: [:])
    guard let labels = match.2 else { return (series, value) }
    for label in labels.split(separator: ",", omittingEmptySubsequences: false) {
      // Ours never need an escape, so none is read.
      let pattern = /([a-zA-Z_][a-zA-Z0-9_]*)="([^"\\]*)"/
      guard let match = label.wholeMatch(of: pattern),
        series.labels.updateValue("\(match.2)", forKey: "\(match.1)") == nil
      else { throw Fault(description: "\(line)") }
    }
    return (series, value)
  }
}

extension Substring {
  fileprivate func dropping(_ prefix: String) -> Substring? {
    hasPrefix(prefix) ? dropFirst(prefix.count) : nil
  }
}
