import Foundation
package import HandoffCore
import NIOSSL

/// The certificates of one file, leaf first.
package struct CertificateChain: Sendable {
  let certificates: [NIOSSLCertificate]
  /// When the first of them to become valid does so.
  package let notBefore: Timestamp
  /// When the first of them to expire does so: from then on the chain proves nothing.
  package let notAfter: Timestamp

  package var count: Int { certificates.count }

  /// Reads and parses a PEM file.
  package init(file: String) throws(TLSFault) {
    guard let data = FileManager.default.contents(atPath: file), data.count <= 1_000_000 else {
      throw .unreadable(file: file)
    }
    let certificates = (try? NIOSSLCertificate.fromPEMBytes(Array(data))) ?? []
    guard !certificates.isEmpty else { throw .notCertificates(file: file) }
    self.certificates = certificates
    notBefore = Self.time(certificates.map(\.notValidBefore).max() ?? 0)
    notAfter = Self.time(certificates.map(\.notValidAfter).min() ?? 0)
  }

  private static func time(_ seconds: time_t) -> Timestamp {
    Timestamp(milliseconds: Int64(seconds) * 1_000)
  }

  /// Whole days from `now` until the chain expires; negative once it has.
  package func daysLeft(at now: Timestamp) -> Int {
    let seconds = (notAfter.milliseconds - now.milliseconds) / 1_000
    return Int((Double(seconds) / 86_400).rounded(.down))
  }
}

extension CertificateFiles {
  /// What could be read of the files.
  package struct Loaded: Sendable {
    package var chain: CertificateChain?
    package var authorities: CertificateChain?
    let key: NIOSSLPrivateKey?
  }

  /// Reads all, and sees that the key belongs to the certificate.
  ///
  /// - Throws: the first fault; ``faults(environment:)`` tells all.
  package func load(
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(TLSFault) -> Loaded {
    let chain = try certificate.map { file throws(TLSFault) in try CertificateChain(file: file) }
    let key = try loadKey(environment)
    let authorities = try authorities.map { file throws(TLSFault) in
      try CertificateChain(file: file)
    }
    if let chain, let key { try match(key, chain) }
    return Loaded(chain: chain, authorities: authorities, key: key)
  }

  /// Every fault of the files at once.
  package func faults(
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> [TLSFault] {
    var faults: [TLSFault] = []
    func collect<Value>(_ body: () throws(TLSFault) -> Value?) -> Value? {
      do {
        return try body()
      } catch {
        faults.append(error)
        return nil
      }
    }
    let chain = collect { () throws(TLSFault) in
      try certificate.map { file throws(TLSFault) in try CertificateChain(file: file) }
    }
    let key = collect { () throws(TLSFault) in try loadKey(environment) }
    _ = collect { () throws(TLSFault) in
      try authorities.map { file throws(TLSFault) in try CertificateChain(file: file) }
    }
    if let chain, let key { _ = collect { () throws(TLSFault) in try match(key, chain) } }
    return faults
  }

  private func loadKey(_ environment: [String: String]) throws(TLSFault) -> NIOSSLPrivateKey? {
    guard let key else { return nil }
    let bytes: [UInt8]
    let password: SecretText?
    do throws(SecretFault) {
      bytes = try PrivateFile.read(key, byteCountMax: SecretText.byteCountMax)
      password = try keyPassword.map { source throws(SecretFault) in
        try source.read(environment: environment)
      }
    } catch {
      throw .secret(error)
    }
    let secret = Array((password?.revealed ?? "").utf8)
    do {
      // Without a callback BoringSSL would ask the terminal.
      return try NIOSSLPrivateKey(bytes: bytes, format: .pem) { setter in setter(secret) }
    } catch {
      throw .notKey(file: key)
    }
  }

  private func match(_ key: NIOSSLPrivateKey, _ chain: CertificateChain) throws(TLSFault) {
    let configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: chain.certificates.map { .certificate($0) }, privateKey: .privateKey(key))
    // BoringSSL compares the two public keys when it takes them.
    guard (try? NIOSSLContext(configuration: configuration)) != nil else {
      throw .mismatch(key: self.key ?? "", certificate: certificate ?? "")
    }
  }
}

extension TLSSettings {
  /// What a listener needs to shake hands.
  func serverContext() throws(TLSFault) -> NIOSSLContext {
    let loaded = try files.load()
    guard let chain = loaded.chain, let key = loaded.key else {
      throw .refused(certificate: certificate)
    }
    var configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: chain.certificates.map { .certificate($0) }, privateKey: .privateKey(key))
    configuration.minimumTLSVersion = .tlsv12
    if let authorities = loaded.authorities {
      // A client has no host name to check: its names are looked up in `clients` instead.
      configuration.certificateVerification = .noHostnameVerification
      configuration.trustRoots = .certificates(authorities.certificates)
    }
    do {
      return try NIOSSLContext(configuration: configuration)
    } catch {
      throw .refused(certificate: certificate)
    }
  }
}

/// How a sender trusts its receiver, and proves who it is.
package struct TLSClientSettings: Hashable, Sendable {
  /// PEM of the authorities that the receiver is checked against; `nil` takes the system's.
  package var authorities: String?
  /// The own certificate and key, for receivers that ask for one.
  package var own: CertificateFiles?
  /// The name that must stand in the receiver's certificate; `nil` takes the host that is called.
  ///
  /// A certificate that names the address which is connected to is believed too.
  package var serverName: String?
  /// How long the receiver may take to agree on keys.
  package var handshakeTimeout: Duration = .seconds(10)

  package init() {}

  func clientContext() throws(TLSFault) -> NIOSSLContext {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.minimumTLSVersion = .tlsv12
    if let authorities {
      configuration.trustRoots = .certificates(
        try CertificateChain(file: authorities).certificates)
    }
    if let own {
      let loaded = try own.load()
      configuration.certificateChain = (loaded.chain?.certificates ?? []).map { .certificate($0) }
      configuration.privateKey = loaded.key.map { .privateKey($0) }
    }
    do {
      return try NIOSSLContext(configuration: configuration)
    } catch {
      throw .refused(certificate: own?.certificate ?? authorities ?? "")
    }
  }
}
