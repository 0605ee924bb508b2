package import HandoffCodecs
package import HandoffCore

/// One connector, as its YAML file describes it.
///
/// ```yaml
/// name: rth-pas
/// class: mllp-source                # or fhir-source, or drop-folder-source
/// mode: inline                      # or observe: listens beside the message's way
/// organisation: RTH                 # ODS code of where it stands
/// organisations:                    # names in messages to ODS codes
///   GOOD HEALTH HOSPITAL: RTH
/// names-are-ods-codes: false        # true where MSH-4 and MSH-6 hold ODS codes
/// speaks-for: [RTH]                 # default: the codes above; any: whoever sends
/// time-zone: Europe/London          # of times without a zone; or an offset such as +01:00
/// check-digit: refuse               # or treat-as-untraced
/// processing: production            # or training, or any: what MSH-11 or HTEST says a message is for
/// discharge-pathways:               # A20: local codes of PV1-36, or of a named field
///   HOME-POC: P1
///   ZPW-2:REHAB: P2
/// listen: 127.0.0.1:2575            # mllp-source, fhir-source
/// tls:                              # mllp-source, fhir-source; see ``TLSSettings``
///   certificate: pas.pem
///   key: pas.key
/// directory: incoming               # drop-folder-source; relative to this file
/// scan-seconds: 1
/// heartbeat-seconds: 60
/// limits:
///   message-bytes: 5000000
///   file-bytes: 50000000
///   connections: 64
///   frames-in-flight: 64
///   idle-seconds: 300
///   header-bytes: 16384             # fhir-source, and so the next three
///   requests-in-flight: 64
///   request-seconds: 30             # for the head and the body of a request to arrive
///   answer-seconds: 4.5             # for the durable write; then 408
/// ```
package struct ConnectorConfiguration: Sendable {
  /// Whether the message passes through Baton on its way, or past it.
  package enum Mode: String, CaseIterable, Sendable {
    case inline, observe
  }

  package enum Source: Sendable {
    case mllp(MLLPSettings)
    case dropFolder(DropFolderSettings)
    case fhir(FHIRSettings)

    /// The address that a listener listens on; `nil` for what does not listen.
    package var listeningHost: String? {
      switch self {
      case .mllp(let settings): settings.host
      case .fhir(let settings): settings.host
      case .dropFolder: nil
      }
    }

    /// The certificate files of a listener that has any.
    package var tls: TLSSettings? {
      switch self {
      case .mllp(let settings): settings.tls
      case .fhir(let settings): settings.tls
      case .dropFolder: nil
      }
    }
  }

  /// Whom messages of this connector may come from.
  package enum SpeaksFor: Hashable, Sendable {
    /// Whoever sends: for a hub, and for trying things out.
    case any
    case only(Set<ODSCode>)
  }

  /// The source id of everything that it takes in.
  package var name: Code
  package var source: Source
  package var mode: Mode = .inline
  package var mapping = MappingContext()
  package var speaksFor: SpeaksFor = .any
  /// Set by ingest for connectors outside the boundary: who each event must come from, also where
  /// its message leaves that out.
  package var principals: Set<ODSCode>?
  /// How often it says that it is alive.
  package var heartbeatInterval: Duration = .seconds(60)

  package init(name: Code, source: Source) {
    self.name = name
    self.source = source
  }

  /// How its messages travel.
  package var rail: Code {
    switch source {
    case .mllp: code("mllp")
    case .dropFolder: code("file")
    case .fhir: code("fhir")
    }
  }
}

/// Every fault of one connector file at once.
package struct ConnectorFaults: Error, Hashable, Sendable, CustomStringConvertible {
  package struct Fault: Hashable, Sendable {
    /// `limits.connections`; `(file)` where the file itself is at fault.
    package var setting: String
    /// 1-based.
    package var line: Int?
    package var explanation: String

    package init(setting: String, line: Int?, explanation: String) {
      self.setting = setting
      self.line = line
      self.explanation = explanation
    }
  }

  package var file: String?
  package var faults: [Fault]
  /// There is no such file.
  package var isMissing: Bool

  package init(file: String?, faults: [Fault], isMissing: Bool = false) {
    self.file = file
    self.faults = faults
    self.isMissing = isMissing
  }

  package var description: String {
    let name = file.map { "The connector file \($0)" } ?? "The connector"
    let list = faults.map { fault in
      let line = fault.line.map { "line \($0), " } ?? ""
      return "\n  \(line)\(fault.setting): \(fault.explanation)"
    }
    return "\(name) has \(faults.count) fault\(faults.count == 1 ? "" : "s"):" + list.joined()
  }
}
