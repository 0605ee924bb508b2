/// What is wrong with a file of faults, every line of it.
package struct FaultPlanFaults: Error, Hashable, Sendable, CustomStringConvertible {
  package var lines: [String]

  package var description: String { lines.joined(separator: "; ") }
}

extension FaultPlan {
  /// Reads `name: rate` lines; what they do not name never happens.
  ///
  /// Empty lines and what follows a `#` are passed over. A bad file is refused whole, with every
  /// fault listed by line.
  package init(text: String) throws(FaultPlanFaults) {
    var rates: [Fault: Double] = [:]
    var wrong: [String] = []
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      let content = line.prefix { $0 != "#" }.filter { !$0.isWhitespace }
      guard !content.isEmpty else { continue }
      let parts = content.split(separator: ":", omittingEmptySubsequences: false)
      guard parts.count == 2 else {
        wrong.append("line \(index + 1): not `fault: rate`")
        continue
      }
      guard let fault = Fault(rawValue: String(parts[0])) else {
        wrong.append("line \(index + 1): no such fault")
        continue
      }
      guard let rate = Double(String(parts[1])), (0...1).contains(rate) else {
        wrong.append("line \(index + 1): the rate of \(fault.rawValue) is not from 0 to 1")
        continue
      }
      if rates.updateValue(rate, forKey: fault) != nil {
        wrong.append("line \(index + 1): \(fault.rawValue) stands twice")
      }
    }
    guard wrong.isEmpty else { throw FaultPlanFaults(lines: wrong) }
    self.init(rates: rates)
  }

  /// The file that gives this plan.
  package var text: String {
    Fault.allCases.map { "\($0.rawValue): \(rates[$0, default: 0])\n" }.joined()
  }
}
