import HandoffBus
import HandoffConnectors
import HandoffCore
import HandoffStores
import KafkaClient

extension ClusterDoctor {
  /// What keeps others out: the cluster's access control, and where there is none the stamps.
  func access() async throws -> [Finding] {
    var findings = boundary()
    guard let access = configuration.access else {
      findings.append(
        .warn(
          "access", "the configuration has no section access: nothing is known of who may do what",
          "Name the principals under access, then run: baton topics plan"))
      return findings
    }
    let administrator = AccessAdministrator(
      KafkaConfiguration(configuration, client: "doctor"),
      organisations: configuration.boundary.organisations.map(\.code), access: access)
    let plan = try await administrator.plan(within: Self.patience)
    return findings + self.findings(of: plan)
  }

  private func findings(of plan: AccessPlan) -> [Finding] {
    var findings: [Finding] = []
    if case .missing(let reason)? = plan.steps.first {
      return [
        .fail(
          "access", "the cluster has no access control (\(reason))",
          "Set authorizer.class.name and allow.everyone.if.no.acl.found=false on every broker.")
      ]
    }
    var (missing, excess) = (0, 0)
    for step in plan.steps {
      switch step {
      case .add: missing += 1
      case .remove: excess += 1
      case .strange(let acl):
        findings.append(
          .fail(
            "access", "not in the table: \(acl)",
            "Remove it unless somebody can say why it is there."))
      case .byHand(let acl):
        findings.append(
          .warn(
            "access", "this library cannot see whether \(acl)", "If it is missing: \(acl.command)"))
      case .missing: break
      }
    }
    if missing > 0 {
      findings.append(
        .fail(
          "access", "\(missing) entries of the table are missing", "Run: baton topics apply"))
    }
    if excess > 0 {
      findings.append(
        .fail(
          "access", "our principals may do \(excess) things that the table does not allow",
          "Run: baton topics apply"))
    }
    return findings.isEmpty ? [.ok("access", "as the table wants it")] : findings
  }

  /// Whether the keys between the bus and organisations outside can be used, from either side.
  private func boundary() -> [Finding] {
    let boundary = configuration.boundary
    guard boundary.isOutside || !boundary.organisations.isEmpty else { return [] }
    do {
      if let organisation = boundary.organisation {
        let keys = try BoundaryKeys.load(path: boundary.privateKeysFile ?? "")
        let ingest = try BoundaryPublicKeys.load(path: boundary.ingestKeysFile ?? "")
        return [
          .ok("boundary", "outside, as \(organisation): key \(keys.current), to \(ingest.current)")
        ]
      }
      let inside = try configuration.connectors.map { try ConnectStack.connectors(at: $0) } ?? []
      let organisations = try BoundaryOrganisation.load(boundary, inside: inside)
      let names = organisations.map(\.code.description).joined(separator: ", ")
      return [.ok("boundary", "inside, with \(names)")]
    } catch {
      return [.fail("boundary", "\(error)", "Make or exchange keys: baton boundary new-keys")]
    }
  }
}
