import Foundation
import TestSupport
import Testing

@testable import HandoffBus

@Suite struct ComponentNameTests {
  @Test func `every part that makes clients may have a principal of its own`() throws {
    let folder = PackageRoot.url.appending(path: "Sources").path(percentEncoded: false)
    let files = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
    var names: Set<String> = []
    for file in files where file.hasSuffix(".swift") {
      let text = try String(contentsOfFile: folder + "/" + file, encoding: .utf8)
      // A client that bears the name of an instance names its part beside it.
      for match in text.matches(of: /KafkaConfiguration\(\s*configuration,[^)]*?"([a-z]+)"/) {
        names.insert(String(match.output.1))
      }
    }
    #expect(names.contains("ingest"))
    #expect(names.contains("reconcile"))
    #expect(names.subtracting(KafkaSecuritySettings.componentNames) == [])
  }
}
