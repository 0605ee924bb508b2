import Foundation
import TestSupport
import Testing

@Suite struct `The repository keeps its shape` {
  @Test func `the top level is exactly what the design fixes`() throws {
    let fixed: Set = ["Package.swift", "Sources", "Tests", "Schemas", "deploy", "README.md"]
    let found = try FileManager.default.contentsOfDirectory(
      atPath: PackageRoot.url.path(percentEncoded: false)
    ).filter { !$0.hasPrefix(".") && $0 != "Package.resolved" }
    #expect(Set(found) == fixed)
  }

  @Test func `no file names a machine's own folders or a package registry`() throws {
    // Put together here so that this file does not find itself.
    let folders = ["work", "root", "home", "opt", "Users"].map { "/" + $0 + "/" }
    let hosts = ["pypi" + ".org", "python" + "hosted", "deb.debian" + ".org", "npmjs" + ".org"]
    for file in SourceTree.all {
      for (number, line) in file.lines.enumerated() {
        for word in folders + hosts {
          #expect(!line.contains(word), "\(file):\(number + 1) names \(word)")
        }
      }
    }
  }

  @Test func `nothing is left to do later`() {
    let marks = ["TO" + "DO", "FIX" + "ME"]
    for file in SourceTree.all where !file.isGenerated {
      for (number, line) in file.lines.enumerated() {
        for mark in marks {
          #expect(!line.contains(mark), "\(file):\(number + 1)")
        }
      }
    }
  }

  @Test func `scripts are run as programs and stop at the first fault`() {
    for script in SourceTree.scripts where script.text.hasPrefix("#!") {
      let path = PackageRoot.url.appending(path: script.path).path(percentEncoded: false)
      #expect(FileManager.default.isExecutableFile(atPath: path), "\(script)")
      // Python does so by itself.
      guard !script.text.hasPrefix("#!/usr/bin/env python3\n") else { continue }
      #expect(
        script.text.contains("set -euo pipefail") || script.text.contains("lib/common.sh"),
        "\(script)")
    }
  }
}
