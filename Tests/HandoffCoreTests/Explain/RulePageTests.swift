import Foundation
import HandoffCore
import TestSupport
import Testing

@Suite struct RulePageTests {
  /// The page of the catalog; `BATON_WRITE_PAGES=1` writes it anew.
  @Test func `the page of rules is what the code says`() throws {
    let file = PackageRoot.url.appending(path: "Sources/HandoffCore/HandoffCore.docc/Rules.md")
    if ProcessInfo.processInfo.environment["BATON_WRITE_PAGES"] == "1" {
      try Data(RuleSheet.page.utf8).write(to: file)
    }
    #expect(try String(contentsOf: file, encoding: .utf8) == RuleSheet.page)
  }

  @Test func `every rule has a sheet`() {
    for rule in Rule.allCases { #expect(rule.sheet != nil, "\(rule.rawValue)") }
    for sheet in Rule.allCases.compactMap(\.sheet) {
      #expect(sheet.markdown.split(separator: "\n").count == 7)
      #expect(sheet.remembers.hasSuffix(".") && sheet.predicate.hasSuffix("."))
    }
  }
}
