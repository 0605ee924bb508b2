import Foundation
import HandoffCodecs
import HandoffCore
import Logging
import Synchronization
import Testing

@testable import HandoffConnectors

struct DropFolderTests {
  private let folder: TemporaryFolder
  private let intake = FakeIntake()

  init() throws { folder = try TemporaryFolder() }

  private func dropFolder(_ change: (inout DropFolderSettings) -> Void = { _ in }) -> DropFolder {
    var settings = DropFolderSettings()
    settings.path = folder.path
    change(&settings)
    return DropFolder(settings, intake: intake, logger: Logger(label: "test"))
  }

  /// Two listings: the second finds complete what the first saw.
  private func scanTwice(_ dropFolder: DropFolder) async throws -> Int {
    var scan = FolderScan()
    try await FolderAccess(path: folder.path).prepare()
    let first = try await dropFolder.once(&scan)
    return try await first + dropFolder.once(&scan)
  }

  @Test func `complete files are taken once and moved to done`() async throws {
    try folder.write("one", to: "a.hl7")
    try folder.write("two", to: "b.json")
    #expect(try await scanTwice(dropFolder()) == 2)
    #expect(intake.texts.sorted() == ["one", "two"])
    #expect(folder.names("done") == ["a.hl7", "b.json"])
    #expect(folder.names() == ["done", "failed"])
    #expect(intake.state.withLock { $0.claims }.isEmpty)
  }

  @Test func `a file that is still being written waits`() async throws {
    let dropFolder = dropFolder()
    var scan = FolderScan()
    try await FolderAccess(path: folder.path).prepare()
    try folder.write("half", to: "a.hl7")
    #expect(try await dropFolder.once(&scan) == 0)
    try folder.write("half and half", to: "a.hl7")
    #expect(try await dropFolder.once(&scan) == 0)
    #expect(try await dropFolder.once(&scan) == 1)
    #expect(intake.texts == ["half and half"])
  }

  @Test func `temporary and hidden files are left alone`() async throws {
    for name in [".hidden", "a.tmp", "b.part"] { try folder.write("x", to: name) }
    #expect(try await scanTwice(dropFolder()) == 0)
    #expect(folder.names() == [".hidden", "a.tmp", "b.part", "done", "failed"])
  }

  @Test func `a refused message sends its file to failed with the reason beside it`()
    async throws
  {
    try folder.write("REFUSE CANARY", to: "a.hl7")
    #expect(try await scanTwice(dropFolder()) == 1)
    #expect(folder.names("failed") == ["a.hl7", "a.hl7.error.txt"])
    let text = try folder.read("failed/a.hl7.error.txt")
    #expect(text.contains("message 1: hl7.field-missing at PID-3: must be there"))
    #expect(!text.contains("CANARY"))
    #expect(intake.taken.count == 1)
  }

  @Test func `a file found again after a crash is moved and not taken in twice`() async throws {
    try folder.write("one", to: "a.hl7")
    intake.state.withLock { $0.failsToRelease = true }
    // A crash between commit and move: the claim stands, and the file is where it was.
    await #expect(throws: IntakeFailure.self) { try await scanTwice(dropFolder()) }
    try FileManager.default.moveItem(
      atPath: folder.path + "/done/a.hl7", toPath: folder.path + "/a.hl7")
    intake.state.withLock { $0.failsToRelease = false }
    #expect(try await scanTwice(dropFolder()) == 1)
    #expect(intake.texts == ["one"])
    #expect(folder.names("done") == ["a.hl7"])
  }

  @Test func `the same content in a new file is taken in again`() async throws {
    try folder.write("one", to: "a.hl7")
    _ = try await scanTwice(dropFolder())
    try folder.write("one", to: "a.hl7")
    _ = try await scanTwice(dropFolder())
    #expect(intake.texts == ["one", "one"])
    #expect(folder.names("done") == ["a.hl7", "a.hl7.2"])
  }

  @Test func `a file over the limit is refused without being read`() async throws {
    try folder.write(String(repeating: "x", count: 101), to: "big.hl7")
    #expect(try await scanTwice(dropFolder { $0.fileByteCountMax = 100 }) == 1)
    #expect(intake.taken.map(\.bytes.count) == [0])
    #expect(intake.taken.first?.fault?.code == code("file.too-long"))
    #expect(try folder.read("failed/big.hl7.error.txt").contains("100 bytes"))
  }

  @Test func `when nothing can be kept the files stay where they are`() async throws {
    try folder.write("one", to: "a.hl7")
    intake.state.withLock {
      $0.failure = IntakeFailure(reason: code("baton.outbox-full"), explanation: "later")
    }
    await #expect(throws: IntakeFailure.self) { try await scanTwice(dropFolder()) }
    #expect(folder.names() == ["a.hl7", "done", "failed"])
  }

  @Test func `folders and links are left where they are and harm nothing`() async throws {
    try FileManager.default.createDirectory(
      atPath: folder.path + "/sub", withIntermediateDirectories: false)
    try FileManager.default.createSymbolicLink(
      atPath: folder.path + "/link.hl7", withDestinationPath: "/etc/hostname")
    try folder.write("one", to: "a.hl7")
    #expect(try await scanTwice(dropFolder()) == 1)
    #expect(intake.texts == ["one"])
    #expect(folder.names() == ["done", "failed", "link.hl7", "sub"])
  }

  @Test func `a folder that is missing is named as such`() async throws {
    let access = FolderAccess(path: folder.path + "/none")
    let failure = await #expect(throws: SourceFailure.self) { try await access.prepare() }
    #expect(failure?.reason == code("folder.missing"))
  }

  @Test func `a file that vanishes between listing and reading is no error`() async throws {
    let entry = FolderEntry(
      name: "gone.hl7", kind: .file, fileNumber: 1, byteCount: 1, modified: 1)
    await #expect(throws: FolderAccess.FileFault.changed) {
      _ = try await FolderAccess(path: folder.path).read(entry, byteCountMax: 10)
    }
  }
}

struct ConnectorConfigurationTests {
  @Test func `a file with every setting reads as written`() throws {
    let configuration = try ConnectorConfiguration.parse(
      """
      name: rth-pas
      class: mllp-source
      mode: observe
      organisation: RTH
      organisations:
        GOOD HEALTH HOSPITAL: RXQ
      time-zone: "+01:00"
      check-digit: treat-as-untraced
      listen: 0.0.0.0:2576
      heartbeat-seconds: 30
      kinds: { x1: gp-hospital }
      limits: { connections: 3, message-bytes: 1000000, idle-seconds: 5 }
      """)
    #expect(configuration.name == code("rth-pas"))
    #expect(configuration.mode == .observe)
    #expect(configuration.speaksFor == .only(Set(["RTH", "RXQ"].compactMap { ODSCode($0) })))
    #expect(configuration.mapping.localTime == .offset(minutes: 60))
    #expect(configuration.mapping.checkDigit == .treatAsUntraced)
    #expect(configuration.heartbeatInterval == .seconds(30))
    guard case .mllp(let settings) = configuration.source else {
      Issue.record("not MLLP")
      return
    }
    #expect(settings.host == "0.0.0.0" && settings.port == 2576)
    #expect(settings.connectionCountMax == 3 && settings.messageByteCountMax == 1_000_000)
    #expect(settings.idleTimeout == .seconds(5))
  }

  @Test func `all faults come at once, each with its line`() throws {
    let faults = #expect(throws: ConnectorFaults.self) {
      try ConnectorConfiguration.parse(
        """
        name: "not a name!"
        class: ftp
        organisation: not-a-code
        listen: 99999999
        colour: red
        limits: { connections: 0 }
        """)
    }
    let found = faults?.faults.map { "\($0.line ?? 0) \($0.setting)" } ?? []
    #expect(
      found == [
        "1 name", "2 class", "3 organisation", "4 listen", "5 colour", "6 limits.connections",
        "0 organisation",
      ])
  }

  @Test func `a relative folder is relative to the file`() throws {
    let configuration = try ConnectorConfiguration.parse(
      "name: a\nclass: drop-folder-source\ndirectory: in\nspeaks-for: any\n",
      relativeTo: "/etc/baton")
    guard case .dropFolder(let settings) = configuration.source else {
      Issue.record("not a drop folder")
      return
    }
    #expect(settings.path == "/etc/baton/in")
    #expect(configuration.speaksFor == .any)
  }
}

struct ConnectorSupervisorTests {
  @Test func `a source that fails is restarted, and its trace stays to be seen`() async throws {
    let board = ConnectorBoard()
    let name = code("pas")
    var supervisor = ConnectorSupervisor(
      name: name, board: board, logger: Logger(label: "test"))
    supervisor.pauseMin = .zero
    var runs = 0
    try await supervisor.run {
      runs += 1
      #expect(board.worst == .running || board.worst == .restarting)
      if runs < 3 {
        throw SourceFailure(reason: code("mllp.port-in-use"), explanation: "taken")
      }
    }
    let status = try #require(board[name])
    #expect(status.restartCount == 2)
    #expect(status.state == .stopped)
    #expect(status.trace == "mllp.port-in-use: taken")
  }

  @Test func `one failed connector is what the whole shows`() {
    let board = ConnectorBoard()
    board.update(code("a")) { $0.state = .running }
    board.update(code("b")) { $0.state = .failed }
    #expect(board.worst == .failed)
  }
}
