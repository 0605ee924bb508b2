/// A part in the bus, one principal each: whose writing the topic table allows, and whose reading.
package enum BusRole: String, CaseIterable, Hashable, Sendable {
  /// Takes messages in for one organisation, outside the boundary.
  case connector
  /// Tells one organisation's systems, and nothing else.
  case sink
  /// The only writer of events; holds the secrets of people.
  case ingest
  case reconciler
  /// Keeps the log.
  case audit
  /// Asks the log.
  case auditor
  /// Watches and handles alerts.
  case operations
  /// Makes topics and access, activates policies, imports.
  case administrator

  /// Whether there is one principal of it for each organisation.
  package var isOfOneOrganisation: Bool { self == .connector || self == .sink }
}
