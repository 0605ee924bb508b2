import Testing

/// Lines of code, without comments and strings, that `pattern` is found in.
private func findings(
  _ pattern: Regex<AnyRegexOutput>, in files: [SourceFile]
) -> [String] {
  files.filter { !$0.isGenerated }.flatMap { file in
    SwiftText(file.text).lines.enumerated().compactMap { number, line in
      line.contains(pattern) ? "\(file):\(number + 1)" : nil
    }
  }
}

@Suite struct `Code keeps its rules` {
  @Test func `the core has no clock, no task, no chance and no input or output`() throws {
    let core = SourceTree.sources.filter { $0.target == "HandoffCore" }
    let banned = try Regex(
      #"\b(async|await|Task|TaskGroup|Date|ContinuousClock|SuspendingClock|DispatchTime"#
        + #"|DispatchQueue|FileHandle|FileManager|ProcessInfo|print|random|shuffled"#
        + #"|SystemRandomNumberGenerator|actor)\b"#)
    #expect(findings(banned, in: core) == [])
    #expect(core.count > 5)
  }

  @Test func `tasks live in groups, never on their own`() throws {
    let loose = try Regex(#"\bTask\s*(\.detached|<[^>]*>\s*\{|\{|\()"#)
    #expect(findings(loose, in: SourceTree.swift) == [])
  }

  @Test func `no test sleeps`() throws {
    // TestBroker may: nothing tells when a foreign process begins to listen.
    let tests = SourceTree.tests.filter { $0.path != "Tests/TestSupport/TestBroker.swift" }
    let sleep = try Regex(#"\b(Task\.sleep|Thread\.sleep|usleep|nanosleep)\b"#)
    #expect(findings(sleep, in: tests) == [])
  }

  @Test func `nothing traps on purpose with fatalError`() throws {
    #expect(findings(try Regex(#"\bfatalError\("#), in: SourceTree.sources) == [])
  }

  @Test func `what the compiler cannot check stands in the Kafka client only`() throws {
    let outside = SourceTree.sources.filter { $0.target != "KafkaClient" }
    let unchecked = try Regex(#"@unchecked\b|nonisolated\(unsafe\)"#)
    #expect(findings(unchecked, in: outside) == [])
  }

  @Test func `each unchecked conformance gives its reason in the doc comment`() {
    for file in SourceTree.sources where !file.isGenerated {
      let lines = file.lines
      for (number, line) in SwiftText(file.text).lines.enumerated()
      where line.contains("@unchecked Sendable") {
        let comment = lines[..<number].reversed().prefix {
          let text = $0.drop { $0 == " " }
          return text.hasPrefix("///") || text.hasPrefix("@")
        }
        #expect(
          comment.contains { $0.contains("`@unchecked Sendable`:") },
          "\(file):\(number + 1) must say why: `@unchecked Sendable`: …")
      }
    }
  }

  @Test func `no function is longer than 70 lines`() {
    for file in SourceTree.swift where !file.isGenerated {
      for function in SwiftText(file.text).functions {
        #expect(function.count <= 70, "\(file):\(function.line)")
      }
    }
  }

  @Test func `no file is longer than 500 lines`() {
    for file in SourceTree.swift where !file.isGenerated {
      #expect(file.lines.count <= 501, "\(file)")
    }
  }
}

@Suite struct `The rules themselves can see` {
  private let sample = #"""
    // Task { } in a comment
    let text = "Task { \(inside("}")) }"
    func short(_ value: Int = { 1 }()) -> Int {
      value
    }
    protocol Port {
      func requirement() async
      func other()
    }
    struct Box {
      init(
        value: Int
      ) {
      }
    }
    """#

  @Test func `comments and strings are no code`() {
    #expect(!SwiftText(sample).lines.joined().contains("Task"))
    #expect(SwiftText(sample).lines.count == 15)
  }

  @Test func `functions are measured from signature to closing brace`() {
    let functions = SwiftText(sample).functions
    #expect(functions.map(\.line) == [3, 11])
    #expect(functions.map(\.count) == [3, 4])
  }

  @Test func `a function of 71 lines is seen`() {
    let body = String(repeating: "  work()\n", count: 69)
    #expect(SwiftText("func long() {\n\(body)}\n").functions.map(\.count) == [71])
  }
}
