/// One metric with its samples, as Prometheus names them: base units, `_total` for what only grows.
public struct Metric: Sendable {
  public enum Kind: String, Sendable {
    case counter, gauge
  }

  /// One label of a sample; its value is a code or a number, and nothing else can be one.
  ///
  /// What is not letters, digits, `.`, `_`, `-`, `/` and `:`, is longer than 64 bytes, or holds so many
  /// digits that it could name a person, becomes `other`: a metric is read by everybody.
  public struct Label: Hashable, Sendable {
    public let name: String
    public let value: String

    private static let byteCountMax = 64
    private static let digitCountMax = 7

    public init(_ name: StaticString, _ number: some BinaryInteger) {
      self.name = "\(name)"
      value = "\(number)"
    }

    public init(_ name: StaticString, code: some StringProtocol) {
      self.name = "\(name)"
      let isCode = code.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
          UInt8(ascii: "-"), UInt8(ascii: "/"), UInt8(ascii: ":"):
          true
        default: false
        }
      }
      let digits = code.utf8.count { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
      let isShort = !code.isEmpty && code.utf8.count <= Self.byteCountMax
      value = isCode && isShort && digits <= Self.digitCountMax ? String(code) : "other"
    }
  }

  public struct Sample: Sendable {
    public var labels: [Label]
    public var value: Double

    public init(_ value: Double, _ labels: [Label] = []) {
      self.labels = labels
      self.value = value
    }
  }

  public let name: String
  public let kind: Kind
  public let help: String
  public var samples: [Sample]

  public init(_ name: StaticString, _ kind: Kind, _ help: StaticString, _ samples: [Sample]) {
    self.init(name: "\(name)", kind, help: "\(help)", samples)
  }

  /// For names and help that a table of ours holds; they are written as they are.
  public init(name: String, _ kind: Kind, help: String, _ samples: [Sample]) {
    self.name = name
    self.kind = kind
    self.help = help
    self.samples = samples
  }
}

extension Metric {
  /// The media type of ``text(_:)``.
  public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  /// The metrics in Prometheus' text format 0.0.4; one without samples is left out.
  public static func text(_ metrics: [Metric]) -> String {
    var text = ""
    for metric in metrics where !metric.samples.isEmpty {
      text += "# HELP \(metric.name) \(metric.help)\n"
      text += "# TYPE \(metric.name) \(metric.kind.rawValue)\n"
      for sample in metric.samples {
        let labels = sample.labels.map { "\($0.name)=\"\($0.value)\"" }.joined(separator: ",")
        text += metric.name + (labels.isEmpty ? "" : "{\(labels)}") + " \(number(sample.value))\n"
      }
    }
    return text
  }

  /// Whole numbers without a point, as people write them.
  private static func number(_ value: Double) -> String {
    if let whole = Int64(exactly: value) { return "\(whole)" }
    if value.isNaN { return "NaN" }
    return value.isInfinite ? (value > 0 ? "+Inf" : "-Inf") : "\(value)"
  }
}
