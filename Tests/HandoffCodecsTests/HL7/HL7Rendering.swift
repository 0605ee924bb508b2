import TestSupport

/// A message as fields, before anybody chose how to write it.
///
/// It is written with any legal separators, line ends, escapes, extra segments and fields, so that
/// a test can ask whether the reading depends on any of them.
struct HL7Rendering: Sendable {
  /// Name, and fields by number: repetitions of components of subcomponents.
  typealias Segment = (name: String, fields: [Int: [[[String]]]])

  var type: String
  var segments: [Segment]
  /// Whether the order of the segments means nothing (a merge's does).
  var isOrderFree = true

  /// Fields of one value each, or of components where the text has `^`.
  static func segment(_ name: String, _ values: [Int: String]) -> Segment {
    let fields = values.mapValues { text in
      text.split(separator: "~", omittingEmptySubsequences: false).map { repetition in
        repetition.split(separator: "^", omittingEmptySubsequences: false).map { component in
          component.split(separator: "&", omittingEmptySubsequences: false).map(String.init)
        }
      }
    }
    return (name, fields)
  }

  private struct Style {
    var field: Character = "|"
    var component: Character = "^"
    var repetition: Character = "~"
    var escape: Character = "\\"
    var subcomponent: Character = "&"
    var lineEnd = "\r"
  }

  /// The plainest way to write it.
  var plain: String {
    write(Style()) {
      $0
    } extra: { _ in
      ""
    }
  }

  /// Some other legal way to write the same.
  func random(_ generator: inout SeededGenerator) -> String {
    var characters = Array("|^~\\&#!?%*$@+;:=<>/(){}[]'\",_`-.").filter { $0 != "-" && $0 != "." }
    characters.shuffle(using: &generator)
    var style = Style()
    style.field = characters[0]
    style.component = characters[1]
    style.repetition = characters[2]
    style.escape = characters[3]
    style.subcomponent = characters[4]
    style.lineEnd = ["\r", "\n", "\r\n", "\r\r"].randomElement(using: &generator) ?? "\r"
    var copy = self
    if isOrderFree { copy.segments.shuffle(using: &generator) }
    for _ in 0..<Int.random(in: 0...3, using: &generator) {
      let name = ["ZBX", "ZPI", "Z01", "NTE"].randomElement(using: &generator) ?? "ZZZ"
      let values = Dictionary(
        uniqueKeysWithValues: (1...4).map { ($0, "x\(Int.random(in: 0...99, using: &generator))") })
      copy.segments.insert(
        Self.segment(name, values),
        at: Int.random(in: 0...copy.segments.count, using: &generator))
    }
    var local = generator
    defer { generator = local }
    return copy.write(style) { text in
      // Any byte may be written as \X..\ where it is no separator anyhow.
      guard Int.random(in: 0...4, using: &local) == 0, let first = text.utf8.first, first < 0x80
      else { return text }
      let hex = String(first, radix: 16, uppercase: true)
      return "\u{1}X\(hex.count < 2 ? "0" : "")\(hex)\u{1}" + text.dropFirst()
    } extra: { style in
      String(repeating: style.field, count: Int.random(in: 0...4, using: &local))
    }
  }

  private func write(
    _ style: Style, text: (String) -> String, extra: (Style) -> String
  ) -> String {
    let codes = [style.component, style.repetition, style.escape, style.subcomponent]
    let head: [Int: [[[String]]]] = Self.segment(
      "MSH",
      [
        3: "PAS", 4: "RTH", 5: "CASE", 6: "RNU", 7: "20261123090000+0000", 9: type, 10: "M1",
        11: "P", 12: "2.5",
      ]
    ).fields
    var lines = ["MSH\(style.field)\(String(codes))" + line(head, from: 3, style, text)]
    for segment in segments {
      lines.append(segment.name + line(segment.fields, from: 1, style, text) + extra(style))
    }
    return lines.map { $0 + style.lineEnd }.joined()
  }

  private func line(
    _ fields: [Int: [[[String]]]], from first: Int, _ style: Style, _ text: (String) -> String
  ) -> String {
    guard let last = fields.keys.max() else { return "" }
    return (first...last).map { number in
      String(style.field)
        + (fields[number] ?? []).map { repetition in
          repetition.map { component in
            component.map { escaped(text($0), style) }.joined(separator: "\(style.subcomponent)")
          }.joined(separator: "\(style.component)")
        }.joined(separator: "\(style.repetition)")
    }.joined()
  }

  private func escaped(_ text: String, _ style: Style) -> String {
    text.map { character in
      switch character {
      case "\u{1}": "\(style.escape)"
      case style.field: "\(style.escape)F\(style.escape)"
      case style.component: "\(style.escape)S\(style.escape)"
      case style.repetition: "\(style.escape)R\(style.escape)"
      case style.escape: "\(style.escape)E\(style.escape)"
      case style.subcomponent: "\(style.escape)T\(style.escape)"
      default: String(character)
      }
    }.joined()
  }

  /// Messages of every kind, with ids that hold separators of others.
  static let all: [HL7Rendering] = [
    HL7Rendering(
      type: "REF^I12",
      segments: [
        segment("PID", [1: "1", 3: "47#1|1^^^RTH&2.16.1&ISO^MR~9990500002^^^NHS^NH", 5: "ROE^J"]),
        segment("RF1", [1: "P", 2: "S", 3: "Med", 5: "O", 6: "R!1%0^RTH", 11: "X*7^EXT"]),
        segment("ORC", [1: "NW", 2: "O:1^RTH", 3: "F;2"]),
        segment("PV1", [2: "O", 19: "V=8^^^RTH&1.2&ISO^VN", 50: "50@"]),
      ]),
    HL7Rendering(
      type: "RRI^I12",
      segments: [
        segment("MSA", [1: "AA", 2: "M#9"]),
        segment("RF1", [1: "R", 6: "R!1%0^RNU", 10: "CAP"]),
      ]),
    HL7Rendering(
      type: "ADT^A03",
      segments: [
        segment("EVN", [1: "A03", 2: "20261123081500+0000"]),
        segment("PID", [3: "47#11^^^RTH^MR", 18: "AC$1", 29: "20261122", 30: "Y"]),
        segment("PV1", [2: "I", 19: "V=8", 36: "19"]),
        segment("RF1", [6: "R!1^GP"]),
      ]),
    HL7Rendering(
      type: "ADT^A40",
      segments: [
        segment("PID", [3: "47#11^^^RTH^MR"]), segment("MRG", [1: "08{15^^^RTH^MR", 7: "OLD^N"]),
      ], isOrderFree: false),
    HL7Rendering(
      type: "SIU^S12",
      segments: [
        segment("SCH", [1: "A<1", 2: "B>2", 26: "O:1^RTH"]),
        segment("TQ1", [7: "20261201093000+0000"]), segment("PID", [3: "47#11^^^RTH^MR"]),
      ]),
    HL7Rendering(
      type: "OMG^O19",
      segments: [
        segment("PID", [3: "47#11^^^RTH^MR"]), segment("ORC", [1: "NW", 2: "O:1^RTH"]),
        segment("TQ1", [9: "S"]), segment("OBR", [2: "O:1^RTH", 4: "57698-3^Lipid^LN"]),
      ], isOrderFree: false),
    HL7Rendering(
      type: "ORU^R01",
      segments: [
        segment("PID", [3: "47#11^^^RTH^MR"]), segment("ORC", [1: "RE", 2: "O:1^RNU", 5: "CM"]),
        segment("OBR", [2: "O:1^RNU", 3: "F/7", 25: "F"]),
      ], isOrderFree: false),
    HL7Rendering(
      type: "MDM^T02",
      segments: [
        segment("PID", [3: "47#11^^^RTH^MR"]), segment("TXA", [2: "DS", 12: "D(1", 17: "AU"]),
        segment("PV1", [19: "V=8"]),
      ]),
    HL7Rendering(
      type: "ACK^I12",
      segments: [
        segment("MSA", [1: "AE", 2: "M#9"]), segment("ERR", [2: "PID^1^3", 3: "204"]),
      ]),
  ]
}
