import Foundation

/// What became of every message that was fed, folder by folder.
struct UpReport: Encodable {
  let counts: [FolderCount]

  func print(_ output: Output) throws {
    try output.json(self)
    output.line()
    let numbers: [(FolderCount) -> Int] = [
      \.messages, \.withEvents, \.events, \.noHandoffFact, \.waiting, \.refused,
    ]
    var rows = counts.map { count in
      [count.folder] + numbers.map { String($0(count)) } + [count.addsUp ? "yes" : "NO"]
    }
    let all = counts.allSatisfy(\.addsUp)
    rows.append(
      ["all"] + numbers.map { number in String(counts.map(number).reduce(0, +)) }
        + [all ? "yes" : "NO"])
    output.table(
      [
        "FOLDER", "MESSAGES", "WITH EVENTS", "EVENTS", "NO HANDOFF FACT", "WAITING", "DEAD LETTERS",
        "ADDS UP",
      ], rows)
    for count in counts where count.refused > 0 || count.noHandoffFact > 0 {
      output.line("\n\(count.folder):")
      for (reason, number) in count.reasons.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) })
      {
        output.line("  \(String(number).leftPadded(to: 5))  \(reason)")
      }
    }
    let unreadable = counts.map(\.unreadableFiles).reduce(0, +)
    if unreadable > 0 { output.line("\n\(unreadable) files could not be read.") }
  }
}

extension String {
  fileprivate func leftPadded(to width: Int) -> String {
    String(repeating: " ", count: max(0, width - count)) + self
  }
}
