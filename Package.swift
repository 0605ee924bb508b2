// swift-tools-version: 6.2

import PackageDescription

/// What every target of ours is compiled with: Swift 6, and no warning left standing.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

/// The same where every unsafe construct must be marked too.
///
/// `KafkaClient` and `HandoffStores` are the C boundary and go without.
let safe: [SwiftSetting] = strict + [.strictMemorySafety()]

let argumentParser: Target.Dependency = .product(
  name: "ArgumentParser", package: "swift-argument-parser")
let collections: Target.Dependency = .product(name: "Collections", package: "swift-collections")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore: Target.Dependency = .product(
  name: "HummingbirdCore", package: "hummingbird")
let hummingbirdTLS: Target.Dependency = .product(name: "HummingbirdTLS", package: "hummingbird")
let lifecycle: Target.Dependency = .product(
  name: "ServiceLifecycle", package: "swift-service-lifecycle")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let nioTLS: Target.Dependency = .product(name: "NIOTLS", package: "swift-nio")
let protobuf: Target.Dependency = .product(name: "SwiftProtobuf", package: "swift-protobuf")
let unixSignals: Target.Dependency = .product(
  name: "UnixSignals", package: "swift-service-lifecycle")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

let package = Package(
  name: "baton",
  platforms: [.macOS(.v26)],
  products: [
    .executable(name: "baton", targets: ["baton"]),
    .library(name: "KafkaClient", targets: ["KafkaClient"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
  ],
  targets: [
    // The pure core: values in, effects out.
    .target(name: "HandoffCore", dependencies: [crypto], swiftSettings: safe),
    .target(
      name: "HandoffCodecs", dependencies: ["HandoffCore", crypto, protobuf, yams],
      swiftSettings: safe),

    // The adapters: none imports another.
    .systemLibrary(
      name: "CLibrdkafka", pkgConfig: "rdkafka", providers: [.apt(["librdkafka-dev"])]),
    .target(
      name: "KafkaClient", dependencies: ["CLibrdkafka", logging], swiftSettings: strict),
    .target(
      name: "HandoffStores", dependencies: ["HandoffCore", "HandoffCodecs", crypto, grdb],
      swiftSettings: strict),
    .target(
      name: "HandoffConnectors",
      dependencies: [
        "HandoffCore", "HandoffCodecs", crypto, httpTypes, hummingbird, hummingbirdCore,
        hummingbirdTLS, lifecycle, logging, nioCore, nioHTTP1, nioPosix, nioSSL, nioTLS, yams,
      ],
      swiftSettings: safe),
    .target(name: "Telemetry", dependencies: [logging], swiftSettings: safe),

    // The services that perform effects, and the command line.
    .target(
      name: "HandoffBus",
      dependencies: [
        "HandoffCore", "HandoffCodecs", "KafkaClient", "HandoffStores", "HandoffConnectors",
        "Telemetry", crypto, lifecycle, logging, yams,
      ],
      swiftSettings: safe),
    // The whole bus on simulated time, broker and faults.
    .target(
      name: "HandoffSimulation",
      dependencies: ["HandoffCore", "HandoffCodecs", collections, crypto], swiftSettings: safe),
    .executableTarget(
      name: "baton",
      dependencies: [
        "HandoffCore", "HandoffCodecs", "KafkaClient", "HandoffStores", "HandoffConnectors",
        "Telemetry", "HandoffBus", "HandoffSimulation", argumentParser, lifecycle, logging,
        unixSignals,
      ],
      swiftSettings: safe),

    // Tests.
    .target(
      name: "TestSupport", dependencies: ["HandoffCore", crypto, nioCore, nioPosix, nioSSL],
      path: "Tests/TestSupport", swiftSettings: strict),
    .testTarget(
      name: "HandoffCoreTests", dependencies: ["HandoffCore", "TestSupport", crypto],
      swiftSettings: strict),
    .testTarget(
      name: "HandoffCodecsTests", dependencies: ["HandoffCodecs", "TestSupport", protobuf],
      swiftSettings: strict),
    .testTarget(
      name: "KafkaClientTests", dependencies: ["KafkaClient", "CLibrdkafka", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "HandoffStoresTests", dependencies: ["HandoffStores", "TestSupport", crypto, grdb],
      swiftSettings: strict),
    .testTarget(
      name: "HandoffConnectorsTests",
      dependencies: ["HandoffConnectors", "TestSupport", httpTypes, nioCore, nioPosix, nioSSL],
      swiftSettings: strict),
    .testTarget(
      name: "HandoffBusTests",
      dependencies: ["HandoffBus", "Telemetry", "TestSupport", crypto, logging],
      swiftSettings: strict),
    .testTarget(
      name: "SimulationTests", dependencies: ["HandoffSimulation", "TestSupport", crypto],
      swiftSettings: strict),
    .testTarget(
      name: "IntegrationTests", dependencies: ["HandoffBus", "TestSupport"],
      swiftSettings: strict),
    .testTarget(name: "ConventionTests", dependencies: ["TestSupport"], swiftSettings: strict),
  ]
)
