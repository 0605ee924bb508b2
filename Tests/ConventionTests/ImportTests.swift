import Testing

/// Which of our own modules each target may import: the arrows of the architecture, pointing
/// inward only.
///
/// Targets that come later have their place already.
private let mayImport: [String: Set<String>] = [
  "HandoffCore": [],
  "HandoffCodecs": ["HandoffCore"],
  "CLibrdkafka": [],
  "KafkaClient": ["CLibrdkafka"],
  "HandoffStores": ["HandoffCore", "HandoffCodecs"],
  "HandoffConnectors": ["HandoffCore", "HandoffCodecs"],
  "HandoffConsole": ["HandoffCore", "HandoffCodecs"],
  "Telemetry": [],
  "HandoffClient": ["HandoffCore", "HandoffCodecs", "KafkaClient"],
  "HandoffBus": [
    "HandoffCore", "HandoffCodecs", "KafkaClient", "HandoffStores", "HandoffConnectors",
    "HandoffConsole", "Telemetry",
  ],
  "HandoffSimulation": ["HandoffCore", "HandoffCodecs"],
  "baton": [
    "HandoffCore", "HandoffCodecs", "KafkaClient", "HandoffStores", "HandoffConnectors",
    "HandoffConsole", "Telemetry", "HandoffBus", "HandoffSimulation",
  ],
]

/// What the pure targets may import of others: arithmetic, never a clock, a file or a thread.
private let pureImports: [String: Set<String>] = [
  "HandoffCore": [
    "Crypto", "Collections", "HashTreeCollections", "OrderedCollections", "DequeModule",
    "HeapModule", "BasicContainers",
  ],
  "HandoffCodecs": [
    "Crypto", "SwiftProtobuf", "Yams", "Foundation", "FoundationEssentials", "Collections",
    "OrderedCollections", "DequeModule",
  ],
  "HandoffSimulation": ["Crypto", "HeapModule", "OrderedCollections", "DequeModule"],
]

private func imports(of file: SourceFile) -> [String] {
  SwiftText(file.text).lines.compactMap { line in
    let words = line.split(separator: " ")
    guard let at = words.firstIndex(of: "import"), at + 1 < words.count,
      words[..<at].allSatisfy({
        ["public", "package", "internal", "private", "fileprivate"].contains($0)
          || $0.hasPrefix("@")
      })
    else { return nil }
    let kinds: Set<Substring> = ["struct", "class", "enum", "func", "protocol", "typealias", "let"]
    let name = kinds.contains(words[at + 1]) ? words[at + 2] : words[at + 1]
    return String(name.prefix { $0 != "." })
  }
}

@Suite struct `Arrows point inward` {
  @Test func `every target has its place in the table`() {
    let targets = Set(SourceTree.sources.map(\.target))
    #expect(targets.isSubset(of: Set(mayImport.keys)))
    #expect(targets.contains("HandoffCore"))
  }

  @Test func `no target imports one that it may not know`() {
    for file in SourceTree.sources {
      let allowed = mayImport[file.target, default: []]
      for name in imports(of: file) where mayImport[name] != nil && name != file.target {
        #expect(allowed.contains(name), "\(file) imports \(name)")
      }
    }
  }

  @Test func `the pure targets import arithmetic only`() {
    for file in SourceTree.sources where !file.isGenerated {
      guard let others = pureImports[file.target] else { continue }
      for name in imports(of: file) where mayImport[name] == nil {
        #expect(others.contains(name), "\(file) imports \(name)")
      }
    }
  }

  @Test func `the oracle names nothing of the reducer that it judges`() throws {
    let oracle = SourceTree.sources.filter { $0.path.contains("HandoffSimulation/Oracle/") }
    let reducers = SourceTree.sources.filter { file in
      ["Lifecycle", "Reducer", "SourceReducer"].contains {
        file.path.hasPrefix("Sources/HandoffCore/\($0)/")
      }
    }
    // What it is given to read, and names of its own for other things.
    let others = types(of: oracle).union(["SourceTopicRecord"])
    let names = types(of: reducers).subtracting(others)
    #expect(oracle.count > 5)
    #expect(names.isSuperset(of: ["PersonReducer", "SourceReducer", "CountTrack", "Lifecycle"]))
    let name = try Regex(#"\b(\#(names.sorted().joined(separator: "|")))\b"#)
    for file in oracle {
      for (number, line) in SwiftText(file.text).lines.enumerated() {
        #expect(!line.contains(name), "\(file):\(number + 1)")
      }
    }
  }

  /// The names of the types that are declared in files, but for those inside others.
  private func types(of files: [SourceFile]) -> Set<String> {
    let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "actor", "typealias"]
    let names = files.flatMap { file in
      SwiftText(file.text).lines.compactMap { line -> String? in
        let words = line.split(separator: " ")
        guard line.first != " ", let kind = words.firstIndex(where: kinds.contains),
          !words[..<kind].contains("extension"), kind + 1 < words.count
        else { return nil }
        return String(words[kind + 1].prefix { $0.isLetter || $0.isNumber })
      }
    }
    return Set(names)
  }
}
