internal import HandoffCore

/// A service that takes part in handoffs, and the connector that speaks for it.
struct Service: Hashable, Sendable {
  var organisation: OrganisationID
  /// The connector that takes in what it says.
  var source: Code
  var rail: Code
  /// 0 Buckinghamshire, 1 Oxfordshire, 2 Berkshire West.
  var place: Int
}

/// The services of a region of the shape of Buckinghamshire, Oxfordshire and Berkshire West: 1.8
/// million people, 166 practices in 45 PCNs, six trusts (domain.md §1.4, §6.2).
///
/// The six trusts bear their ODS codes; every other code is made up in the form of DCB0090, five
/// characters in turn letter and digit, and belongs to nobody here.
struct Region: Sendable {
  /// Who does what, as far as the journeys tell services apart.
  enum Role: CaseIterable, Hashable, Sendable {
    case practice, acute, mentalHealth, council, communityHospital, urgentResponse, virtualWard
    case careHome, homeCare, voluntary, pharmacy, ambulance, diagnostics
  }

  /// People of the region; a simulation of a smaller scale has as many fewer.
  static let population = 1_800_000

  private let services: [Role: [Service]]

  /// Practices of each place; 166 in all.
  static let practiceCounts = [48, 66, 52]
  /// PCNs of each place; 45 in all.
  static let networkCounts = [12, 20, 13]

  init() {
    var services: [Role: [Service]] = [:]
    for role in Role.allCases {
      services[role] = (0..<3).flatMap { place in Region.services(role, in: place) }
    }
    self.services = services
  }

  /// Every service of that part.
  func services(_ role: Role) -> [Service] { services[role, default: []] }

  /// A service of that part, in that place.
  func service(_ role: Role, in place: Int, _ chance: inout Chance) -> Service {
    let all = services[role, default: []]
    let local = all.filter { $0.place == place }
    return chance.pick(local.isEmpty ? all : local)
  }

  /// Another service than `known`, of the same part.
  func other(than known: Service, _ role: Role, _ chance: inout Chance) -> Service {
    let all = services[role, default: []].filter { $0.organisation != known.organisation }
    return all.isEmpty ? known : chance.pick(all)
  }

  /// Which part a service plays; the first, where it plays several.
  func role(of service: Service) -> Role {
    Role.allCases.first { services[$0, default: []].contains(service) } ?? .acute
  }

  /// Every connector, in order.
  var sources: [Code] {
    Array(Set(services.values.joined().map(\.source))).sorted()
  }

  /// Whose answers each connector carries.
  var organisations: [Code: Set<OrganisationID>] {
    let known = services.values.joined().map { ($0.source, $0.organisation) }
    // Whoever took over a practice has its mailbox too.
    let closed = closed.map { ($0.successor.source, $0.organisation) }
    return Dictionary(
      (known + closed).map { ($0, [$1]) }, uniquingKeysWith: { $0.union($1) })
  }

  /// The primary care network of a practice: a number from 0 to 44.
  static func network(ofPractice index: Int, in place: Int) -> Int {
    networkCounts[..<place].reduce(0, +) + index % networkCounts[place]
  }

  // MARK: Who there is

  private static func services(_ role: Role, in place: Int) -> [Service] {
    func service(_ organisation: OrganisationID, _ source: String, _ rail: String) -> Service {
      Service(organisation: organisation, source: code(source), rail: code(rail), place: place)
    }
    func several(_ count: Int, _ letter: String, _ source: String, _ rail: String) -> [Service] {
      (0..<count).map { service(made(letter, place, $0), source, rail) }
    }
    let acutes = ["RXQ", "RTH", "RHW"]
    let communities = ["RXQ", "RNU", "RWX"]
    let mental = ["RNU", "RNU", "RWX"]
    switch role {
    case .practice:
      return several(practiceCounts[place], "G", "gp-mesh-\(place + 1)", "mesh")
    case .acute:
      return [service(ods(acutes[place]), "\(acutes[place].lowercased())-mllp", "mllp")]
    case .mentalHealth:
      return [service(ods(mental[place]), "\(mental[place].lowercased())-bars", "bars")]
    case .communityHospital, .urgentResponse, .virtualWard:
      // Teams of the community trust, each under a code of its own.
      let letter = role == .communityHospital ? "H" : role == .urgentResponse ? "U" : "W"
      return several(
        role == .communityHospital ? 4 : 1, letter,
        "\(communities[place].lowercased())-community", "bars")
    case .council: return several([1, 1, 3][place], "L", "council-\(place + 1)", "file")
    case .careHome: return several(40, "C", "care-portal", "webhook")
    case .homeCare: return several(15, "D", "care-portal", "webhook")
    case .voluntary: return several(12, "V", "voluntary-web", "webhook")
    case .pharmacy: return several(90, "F", "pharmacy-bars", "bars")
    case .ambulance: return [service(ods("RYE"), "rye-bars", "bars")]
    case .diagnostics: return several(3, "X", "cdc-mllp", "mllp")
    }
  }

  private static func ods(_ text: String) -> OrganisationID {
    guard let code = ODSCode(text) else { preconditionFailure("\(text) is no ODS code") }
    return .ods(code)
  }

  /// A made-up code: letter, digit, letter, digit, letter.
  static func made(_ letter: String, _ place: Int, _ index: Int) -> OrganisationID {
    let letters = Array("ABCDEFHJKL")
    return ods("\(letter)\(place)\(letters[index / 10 % 10])\(index % 10)\(letters[index / 100])")
  }
}

/// A code that is known to be one.
func code(_ text: String) -> Code {
  guard let code = Code(text) else { preconditionFailure("\(text) is no code") }
  return code
}
