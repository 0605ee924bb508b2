import Foundation
import HandoffCore
import HandoffStores
import TestSupport
import Testing

/// Nothing listens on the discard port of a test machine.
private let awayBroker = "127.0.0.1:9"

@Suite struct `The command line` {
  @Test func `help tells what the commands are for and what exit codes mean`() async throws {
    let help = try await BatonExecutable.run(["--help"])
    #expect(help.status == 0)
    #expect(help.output.contains("EXIT CODES"))
    for command in ["topics", "doctor"] { #expect(help.output.contains(command)) }
  }

  @Test func `wrong usage ends with 64`() async throws {
    #expect(try await BatonExecutable.run(["no-such-command"]).status == 64)
    #expect(try await BatonExecutable.run(["topics", "plan", "--no-such-option"]).status == 64)
    #expect(try await BatonExecutable.run(["doctor", "--log-level", "loud"]).status == 64)
  }

  @Test func `a bad configuration is refused whole, with every fault and code 78`() async throws {
    let folder = try TemporaryFolder()
    try Data("colour: blue\ntopics: {partitions: none}\n".utf8)
      .write(to: folder.url.appending(path: "b.yaml"))
    let run = try await BatonExecutable.run(["topics", "plan", "--config", folder.path("b.yaml")])
    #expect(run.status == 78)
    #expect(run.errors.contains("line 1, colour"))
    #expect(run.errors.contains("line 2, topics.partitions"))
  }

  @Test(arguments: [
    ["topics", "plan", "--config", "nothing.yaml"], ["policy", "check", "nothing.yaml"],
    ["policy", "diff", "default", "nothing.yaml"], ["reconcile", "--input", "nothing.ndjson"],
    ["reconcile", "--input", "/dev/null", "--policy", "nothing.yaml"],
    ["reconcile", "--input", "/dev/null", "--register", "nothing.yaml"],
    ["simulate", "run", "--seed", "1", "--faults", "nothing.yaml", "--output", "simulated"],
    ["connect", "run", "--bootstrap", awayBroker, "--connector", "nothing.yaml"],
    ["boundary", "rotate-keys", "--private", "nothing.keys", "--public", "nothing.pub"],
    ["audit", "verify", "--bundle", "nothing.json", "--key", "nothing.pub"],
    ["events", "import", "nothing.ndjson", "--bootstrap", awayBroker],
  ])
  func `a named file that is not there ends with 66, whatever it is for`(command: [String])
    async throws
  {
    let folder = try TemporaryFolder()
    let paths = command.map { argument in
      argument.hasPrefix("nothing.") || argument == "simulated" ? folder.path(argument) : argument
    }
    let run = try await BatonExecutable.run(paths)
    #expect(run.status == 66, "\(run.errors)")
    #expect(run.errors.contains("nothing."))
  }

  @Test(arguments: ["BATON_SECRETS", "BATON_RECORD_SECRETS", "BATON_CONNECTORS", "BATON_CONFIG"])
  func `so does one that the environment names`(variable: String) async throws {
    let folder = try TemporaryFolder()
    try Data("name: a\nclass: mllp-source\nlisten: 0\nspeaks-for: any\n".utf8)
      .write(to: folder.url.appending(path: "a.yaml"))
    let given = variable == "BATON_CONNECTORS" ? [] : ["--connector", folder.path("a.yaml")]
    let run = try await BatonExecutable.run(
      ["connect", "run", "--bootstrap", awayBroker, "--data", folder.path("data")] + given,
      environment: [variable: folder.path("nothing.yaml")])
    #expect(run.status == 66, "\(run.errors)")
    #expect(run.errors.contains("nothing.yaml"))
  }

  @Test func `an auditor's slip of the pen is told, and no answer that there is nothing`()
    async throws
  {
    let folder = try TemporaryFolder()
    let audit = folder.url.appending(path: "audit")
    try FileManager.default.createDirectory(at: audit, withIntermediateDirectories: true)
    let landed = try #require(LandedVersion.all.last)
    try Data(landed.bytes("audit.sqlite")).write(to: audit.appending(path: "audit.sqlite"))
    func query(_ options: String...) async throws -> BatonExecutable.Result {
      try await BatonExecutable.run(
        ["audit", "query", "--reason", "a test"] + options,
        environment: ["BATON_DATA": folder.path("."), "BATON_AUDIT": audit.path()])
    }
    #expect(try await query("--type", "bogus").status == 64)
    let topic = try await query("--topic", "handoff.bogus")
    #expect(topic.status == 64)
    #expect(topic.errors.contains("Logged are handoff."))
    #expect(try await query("--alert", "not-an-id").status == 64)
    let turned = try await query("--from", "2026-11-29T00:00:00Z", "--to", "2026-11-28T00:00:00Z")
    #expect(turned.status == 64)
    #expect(turned.errors.contains("--to is not after --from"))
    let written = try await query("--type", "ACCEPTED")
    let meant = try await query("--type", "Accepted")
    #expect(meant.status == 0, "\(meant.errors)")
    #expect(written.status == 0)
    #expect(written.output == meant.output)
  }

  @Test func `a command that needs a broker says so where none is named`() async throws {
    let run = try await BatonExecutable.run(["topics", "plan"])
    #expect(run.status == 78)
    #expect(run.errors.contains("BATON_BOOTSTRAP"))
  }

  @Test func `a broker that is away is told in words, with what to do`() async throws {
    let run = try await BatonExecutable.run(["topics", "plan", "--bootstrap", awayBroker])
    #expect(run.status == 69)
    #expect(run.errors.contains("No broker answers at \(awayBroker)."))
  }

  @Test func `a data folder that another process uses is told, and what to do`() async throws {
    let folder = try TemporaryFolder()
    try Data("name: a\nclass: mllp-source\nlisten: 0\nspeaks-for: any\n".utf8)
      .write(to: folder.url.appending(path: "a.yaml"))
    let outbox = try Outbox(path: folder.path("data/outbox.sqlite")) { Timestamp(milliseconds: 0) }
    let run = try await BatonExecutable.run([
      "connect", "run", "--connector", folder.path("a.yaml"), "--bootstrap", awayBroker, "--data",
      folder.path("data"),
    ])
    await outbox.close()
    #expect(run.status == 69)
    #expect(run.errors.contains("Another process uses this data folder."))
    #expect(run.errors.contains("--data"))
  }

  @Test func `a folder of connectors may be given, and an empty one is told`() async throws {
    let folder = try TemporaryFolder()
    func run() async throws -> BatonExecutable.Result {
      try await BatonExecutable.run([
        "connect", "run", "--connector", folder.path("connectors"), "--bootstrap", awayBroker,
        "--data", folder.path("data"),
      ])
    }
    let files = folder.url.appending(path: "connectors")
    try FileManager.default.createDirectory(at: files, withIntermediateDirectories: true)
    let empty = try await run()
    #expect(empty.status == 66)
    #expect(empty.errors.contains("holds no connector file"))
    // It is read, and has its fault.
    try Data("name: a\n".utf8).write(to: files.appending(path: "a.yaml"))
    let bad = try await run()
    #expect(bad.status == 78)
    #expect(bad.errors.contains("a.yaml"))
  }

  @Test func `every fault of a policy has a line of its own`() async throws {
    let folder = try TemporaryFolder()
    try Data("name: a\nclass: b\n".utf8).write(to: folder.url.appending(path: "bad.yaml"))
    let run = try await BatonExecutable.run(["policy", "diff", "default", folder.path("bad.yaml")])
    #expect(run.status == 78)
    #expect(run.errors.contains("is refused:\n  line 1: clocks: missing\n  line 1: "))
  }

  @Test func `a broker that is away ends the doctor with 69 and JSON that parses`() async throws {
    let folder = try TemporaryFolder()
    let run = try await BatonExecutable.run([
      "doctor", "--json", "--bootstrap", awayBroker, "--data", folder.path("data"),
    ])
    #expect(run.status == 69)
    struct Finding: Decodable { let check, level: String }
    let findings = try JSONDecoder().decode([Finding].self, from: Data(run.output.utf8))
    #expect(findings.contains { $0.check == "broker" && $0.level == "fail" })
    #expect(findings.contains { $0.check == "data folder" && $0.level == "ok" })
  }

  @Test func `a configuration that is named by nothing is none`() async throws {
    let run = try await BatonExecutable.run(
      ["policy", "show", "--kind", "home-care"], environment: ["BATON_CONFIG": ""])
    #expect(run.status == 0, "\(run.errors)")
  }

  @Test func `keys that are there are not replaced, and the advice is other`() async throws {
    let folder = try TemporaryFolder()
    let command = [
      "boundary", "new-keys", "--private", folder.path("a.keys"), "--public", folder.path("a.pub"),
    ]
    #expect(try await BatonExecutable.run(command).status == 0)
    let again = try await BatonExecutable.run(command)
    #expect(again.status == 73)
    #expect(again.errors.contains("boundary rotate-keys"))
    #expect(!again.errors.contains("new-keys"))
  }

  @Test func `a data folder that cannot be made fails the doctor with what to do`() async throws {
    let folder = try TemporaryFolder()
    try Data().write(to: folder.url.appending(path: "file"))
    let run = try await BatonExecutable.run(["doctor", "--data", folder.path("file/data")])
    #expect(run.status == 1)
    #expect(run.output.contains("FAIL  data folder"))
  }
}
