internal import HandoffCore

/// The region's organisations as a register (A17): every code that the journeys use, and a practice
/// of each place that was taken over long ago, and another of late.
extension Region {
  /// A practice that is closed, and the one that took it over.
  struct Closed: Sendable {
    var organisation: OrganisationID
    var successor: Service
    /// Within the days of grace.
    var isOfLate: Bool
  }

  /// The closed practices, in the order of the places.
  var closed: [Closed] {
    (0..<3).flatMap { place in
      let practices = services(.practice).filter { $0.place == place }
      return zip(["Y", "Z"], practices.prefix(2)).map { letter, successor in
        Closed(
          organisation: Self.made(letter, place, 0), successor: successor,
          isOfLate: letter == "Z")
      }
    }
  }

  /// A code that no register holds.
  static let unknown = made("N", 9, 0)

  /// The register, in which a practice of late closed a month before `start`.
  func register(from start: Timestamp) -> OrganisationRegister {
    let today = LondonTime(start).date
    var organisations: [OrganisationID: RegisteredOrganisation] = [:]
    for role in Role.allCases {
      for service in services(role) {
        var entry = organisations[service.organisation] ?? RegisteredOrganisation()
        entry.roles.insert(role.registered)
        entry.place = code(Self.places[service.place])
        organisations[service.organisation] = entry
      }
    }
    for place in 0..<3 {
      let practices = services(.practice).filter { $0.place == place }
      for (index, practice) in practices.enumerated() {
        let number = Self.network(ofPractice: index, in: place) + 1
        organisations[practice.organisation]?.network = code("pcn-\(number)")
      }
    }
    for closed in closed {
      organisations[closed.organisation] = RegisteredOrganisation(
        validTo: today.advanced(byDays: closed.isOfLate ? -30 : -400),
        successors: [closed.successor.organisation], roles: [.gp])
    }
    var parts = OrganisationRegister.defaultParts
    // Here a community team helps an ambulance service out.
    if let kind = HandoffKind("mutual-aid") {
      parts[kind] = KindParts(senders: [.ambulance], receivers: [.ambulance, .community])
    }
    return OrganisationRegister(
      version: 1, hash: Self.registerHash, isComplete: true, organisations: organisations,
      parts: parts)
  }

  private static let places = ["buckinghamshire", "oxfordshire", "berkshire-west"]
  private static let registerHash: RecordHash = {
    guard let hash = RecordHash(bytes: [UInt8](repeating: 0x5e, count: 32)) else {
      preconditionFailure("32 bytes are a hash")
    }
    return hash
  }()
}

extension Region.Role {
  fileprivate var registered: OrganisationRole {
    switch self {
    case .practice: .gp
    case .acute: .acute
    case .mentalHealth: .mentalHealth
    case .council: .council
    case .communityHospital, .urgentResponse, .virtualWard: .community
    case .careHome: .careHome
    case .homeCare: .homeCare
    case .voluntary: .voluntary
    case .pharmacy: .pharmacy
    case .ambulance: .ambulance
    case .diagnostics: .diagnostics
    }
  }
}
