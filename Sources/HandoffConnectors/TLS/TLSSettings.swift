package import HandoffCore

/// How one end of a connection proves who it is, and whom it believes.
///
/// ```yaml
/// tls:
///   certificate: pas.pem            # the chain, this end's own certificate first (PEM)
///   key: pas.key                    # mode 600 or 440
///   key-password: {file: pas.pass}  # or {env: NAME}
///   client-ca: partners.pem         # asks every client for a certificate (mutual TLS)
///   clients:                        # name in the client's certificate to ODS code
///     pas.rth.example: RTH
///   handshake-seconds: 10
/// ```
package struct TLSSettings: Hashable, Sendable {
  /// PEM, the own certificate first, then those that lead to its root.
  package var certificate: String
  /// PEM; PKCS #8 or the older forms.
  package var key: String
  package var keyPassword: SecretSource?
  /// PEM of the authorities whose clients are let in; `nil` asks for no certificate.
  package var clientCA: String?
  /// DNS name or URI in a client's certificate (subjectAltName) to the only organisation that it
  /// speaks for; empty lets every client of ``clientCA`` speak for all that the connector may.
  package var clients: [String: ODSCode] = [:]
  /// How long a peer may take to agree on keys.
  package var handshakeTimeout: Duration = .seconds(10)

  package init(certificate: String, key: String) {
    self.certificate = certificate
    self.key = key
  }

  /// Every file that has to be there.
  package var files: CertificateFiles {
    CertificateFiles(
      certificate: certificate, key: key, keyPassword: keyPassword, authorities: clientCA)
  }
}

/// The files of one certificate, as they are checked and watched.
package struct CertificateFiles: Hashable, Sendable {
  package var certificate: String?
  package var key: String?
  package var keyPassword: SecretSource?
  /// PEM of the authorities that the other end is checked against.
  package var authorities: String?

  package init(
    certificate: String? = nil, key: String? = nil, keyPassword: SecretSource? = nil,
    authorities: String? = nil
  ) {
    self.certificate = certificate
    self.key = key
    self.keyPassword = keyPassword
    self.authorities = authorities
  }
}

/// What is wrong with certificate files; it names files, never what is in them.
package enum TLSFault: Error, Hashable, Sendable, CustomStringConvertible {
  case unreadable(file: String)
  case notCertificates(file: String)
  case notKey(file: String)
  case secret(SecretFault)
  /// The key is another certificate's.
  case mismatch(key: String, certificate: String)
  /// The library refuses the two for a reason of its own.
  case refused(certificate: String)

  package var description: String {
    switch self {
    case .unreadable(let file): "\(file) cannot be read; check the name and the permission"
    case .notCertificates(let file): "\(file) holds no certificate in PEM form"
    case .notKey(let file):
      "\(file) holds no private key in PEM form, or its password is missing or wrong"
    case .secret(let fault): fault.description
    case .mismatch(let key, let certificate):
      "the key \(key) does not belong to the first certificate of \(certificate)"
    case .refused(let certificate): "\(certificate) cannot be used for TLS"
    }
  }

  /// A code for logs and for the status of a connector.
  package var code: Code {
    switch self {
    case .unreadable: HandoffConnectors.code("tls.file-unreadable")
    case .notCertificates: HandoffConnectors.code("tls.certificate-invalid")
    case .notKey: HandoffConnectors.code("tls.key-invalid")
    case .secret: HandoffConnectors.code("tls.secret")
    case .mismatch: HandoffConnectors.code("tls.key-mismatch")
    case .refused: HandoffConnectors.code("tls.refused")
    }
  }
}
