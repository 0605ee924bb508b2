internal import Crypto
package import Foundation

/// Unique names and numbers, put into the samples in place of the patients'.
package struct Canaries {
  /// Valid NHS numbers 999 012 0000 to 999 012 9999, one a message.
  package private(set) var numbers: [String] = []
  package private(set) var texts: [String] = []

  package init() {}

  /// What every canary text begins with, and nothing else.
  package static let mark = "Qzcanary"

  /// The range that the brute force tries: it holds every canary.
  package static let range: Range<Int> = 9_990_120_000..<9_990_130_000

  private static let valid: [String] = range.compactMap { number in
    let digits = String(number)
    let sum = zip(digits, stride(from: 10, through: 2, by: -1)).reduce(0) {
      $0 + ($1.0.wholeNumberValue ?? 0) * $1.1
    }
    return (11 - sum % 11) % 11 == number % 10 ? digits : nil
  }

  package mutating func number() -> String {
    let number = Self.valid[numbers.count * 7 % Self.valid.count]
    numbers.append(number)
    return number
  }

  package mutating func text(_ kind: String) -> String {
    let text = "\(Self.mark)\(kind)\(texts.count)x"
    texts.append(text)
    return text
  }

  /// Every HL7 and JSON sample, rewritten; names are relative to the samples.
  package mutating func samples() throws -> [(name: String, bytes: [UInt8])] {
    var files: [(name: String, bytes: [UInt8])] = []
    let names = try FileManager.default.subpathsOfDirectory(
      atPath: PackageRoot.samples.path(percentEncoded: false))
    for name in names.sorted() {
      let data = try? Data(contentsOf: PackageRoot.samples.appending(path: name))
      guard let data else { continue }
      if name.hasSuffix(".hl7") {
        let text = String(decoding: data, as: UTF8.self)
          .replacing("\r\n", with: "\r").replacing("\n", with: "\r")
        files.append((name, Array(rewrite(hl7: text).utf8)))
      } else if name.hasSuffix(".json") {
        files.append((name, Array(try rewrite(json: data))))
      }
    }
    return files
  }

  /// What may stand nowhere: every number in its spellings, and what trying a range would find.
  package func search(trying range: Range<Int> = Self.range) -> LeakSearch {
    var search = LeakSearch()
    for number in range { search.add(hash: SHA256.hash(data: Data(String(number).utf8))) }
    for number in Set(numbers) {
      if let value = Int(number) { search.add(number: value) }
      for hash in Self.hashes(of: number) { search.add(hash: hash) }
    }
    return search
  }

  /// What of a person stands in `data`, by kind; empty where nothing does.
  package static func leaks(in data: Data, _ search: LeakSearch) -> [String] {
    let marks = [mark, mark.lowercased(), mark.uppercased()]
    return search.findings(in: Array(data)).sorted()
      + marks.filter { data.range(of: Data($0.utf8)) != nil }
  }

  // MARK: Into HL7

  /// Puts canaries into every field of a patient, a relative and a merged identity.
  package mutating func rewrite(hl7 text: String) -> String {
    text.split(separator: "\r", omittingEmptySubsequences: false).map { segment in
      var fields = segment.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
      func has(_ index: Int) -> Bool { index < fields.count }
      switch fields.first {
      case "PID":
        if has(3) { fields[3] = identifiers() }
        for index in [2, 4] where has(index) && !fields[index].isEmpty { fields[index] = "" }
        for index in [5, 6, 9] where has(index) && !fields[index].isEmpty {
          fields[index] = self.text("fam") + "^" + self.text("giv")
        }
        for index in [11, 12, 13, 14] where has(index) && !fields[index].isEmpty {
          fields[index] = self.text("adr") + "^^" + self.text("town")
        }
        for index in [18, 19, 20, 21] where has(index) && !fields[index].isEmpty {
          fields[index] = self.text("acc")
        }
      case "NK1":
        for index in [2, 4, 5] where has(index) { fields[index] = self.text("kin") }
      case "MRG":
        if has(1) { fields[1] = identifiers() }
        if has(7) { fields[7] = self.text("fam") + "^" + self.text("giv") }
      case "RF1":
        if has(6), !fields[6].isEmpty { fields[6] = self.text("ubrn") + "^ERS" }
      default: break
      }
      return fields.joined(separator: "|")
    }.joined(separator: "\r")
  }

  private mutating func identifiers() -> String {
    "\(number())^^^NHS^NH~\(text("mrn"))^^^RTH^MR"
  }

  // MARK: Into JSON

  package mutating func rewrite(json data: Data) throws -> Data {
    let value = try JSONSerialization.jsonObject(with: data)
    return try JSONSerialization.data(withJSONObject: rewrite(value, key: ""))
  }

  private mutating func rewrite(_ value: Any, key: String) -> Any {
    switch value {
    case var object as [String: Any]:
      if let system = object["system"] as? String, system.hasSuffix("nhs-number") {
        object["value"] = number()
        return object
      }
      for (name, inner) in object.sorted(by: { $0.key < $1.key }) {
        switch (name, inner) {
        case ("family", is String), ("line", is String), ("postalCode", is String),
          ("city", is String):
          object[name] = text("json")
        case ("given", let names as [Any]): object[name] = names.map { _ in text("giv") }
        case ("line", let lines as [Any]): object[name] = lines.map { _ in text("adr") }
        case ("name", let names as [[String: Any]]):
          object[name] = names.map { rewrite($0, key: name) }
        case ("text", is String) where key == "name": object[name] = text("fam")
        default: object[name] = rewrite(inner, key: name)
        }
      }
      return object
    case let list as [Any]: return list.map { rewrite($0, key: key) }
    default: return value
    }
  }

  /// The unkeyed hashes of a number in each of its spellings.
  package static func hashes(of number: String) -> [[UInt8]] {
    let parts = [number.prefix(3), number.dropFirst(3).prefix(3), number.suffix(4)]
    return ["", " ", "-"].map { Data(parts.joined(separator: $0).utf8) }.flatMap { data in
      [
        Array(Insecure.MD5.hash(data: data)), Array(Insecure.SHA1.hash(data: data)),
        Array(SHA256.hash(data: data)), Array(SHA512.hash(data: data)),
      ]
    }
  }
}

/// Looks in one pass for numbers, with or without separators, and for hashes as bytes, as
/// hexadecimal digits and as base64; of a hash the first half is enough.
package struct LeakSearch {
  private var halves: Set<UInt128> = []
  /// The first 12 bytes: sixteen characters of base64.
  private var shorts: Set<UInt128> = []
  private var numbers: Set<Int> = []
  /// Which first 16 bits occur at all: most windows end here.
  private var filter = [Bool](repeating: false, count: 65_536)

  package init() {}

  package mutating func add(hash: some Sequence<UInt8>) {
    let half: UInt128 = hash.prefix(16).reduce(0) { $0 << 8 | UInt128($1) }
    halves.insert(half)
    shorts.insert(half >> 32)
    filter[Int(half >> 112)] = true
  }

  package mutating func add(number: Int) { numbers.insert(number) }

  /// What stands in `bytes`: `number`, `bytes`, `digits` or `base64`.
  package func findings(in bytes: [UInt8]) -> Set<String> {
    var found: Set<String> = []
    var (raw, digits, characters): (UInt128, UInt128, UInt128) = (0, 0, 0)
    var (digitCount, characterCount, decimalCount, decimal) = (0, 0, 0, 0)
    let shortMask: UInt128 = (1 << 96) - 1
    for (index, byte) in bytes.enumerated() {
      raw = raw << 8 | UInt128(byte)
      if index >= 15, filter[Int(raw >> 112)], halves.contains(raw) { found.insert("bytes") }
      if let digit = Self.hexadecimal(byte) {
        digits = digits << 4 | UInt128(digit)
        digitCount += 1
        if digitCount >= 32, filter[Int(digits >> 112)], halves.contains(digits) {
          found.insert("digits")
        }
      } else {
        digitCount = 0
      }
      if let value = Self.base64(byte) {
        characters = (characters << 6 | UInt128(value)) & shortMask
        characterCount += 1
        if characterCount >= 16, filter[Int(characters >> 80)], shorts.contains(characters) {
          found.insert("base64")
        }
      } else {
        characterCount = 0
      }
      if (0x30...0x39).contains(byte) {
        decimal = (decimal * 10 + Int(byte - 0x30)) % 10_000_000_000
        decimalCount += 1
        if decimalCount >= 10, numbers.contains(decimal) { found.insert("number") }
      } else if byte != 0x20, byte != 0x2D {
        decimalCount = 0
      }
    }
    return found
  }

  private static func hexadecimal(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x41 + 10
    case 0x61...0x66: byte - 0x61 + 10
    default: nil
    }
  }

  /// Both alphabets of RFC 4648.
  private static func base64(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x41...0x5A: byte - 0x41
    case 0x61...0x7A: byte - 0x61 + 26
    case 0x30...0x39: byte - 0x30 + 52
    case 0x2B, 0x2D: 62
    case 0x2F, 0x5F: 63
    default: nil
    }
  }
}
