/// A field as a connector's file names it, such as `ZPW-2` or `PV2-3.1`.
struct HL7FieldName: Hashable, Sendable {
  var segment: String
  var field: Int
  /// 1 where it is not said.
  var component: Int

  /// `nil` for text that is no such name.
  init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0].utf8.count == 3,
      parts[0].utf8.allSatisfy({
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0)
          || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
      })
    else { return nil }
    let numbers = parts[1].split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
    guard let field = numbers.first.flatMap(\.self), (1...999).contains(field), numbers.count < 3,
      let component = numbers.count == 2 ? numbers[1] : 1, (1...99).contains(component)
    else { return nil }
    segment = String(parts[0])
    self.field = field
    self.component = component
  }
}
