import Crypto
import HandoffCodecs
import HandoffCore
import HandoffSimulation

/// What came of one simulated run.
struct Run {
  var truths: [Truth] = []
  var alerts = RaisedAlerts()
  var verdicts: [Verdict] = []
  var records: [StoredRecord] = []
  let bus: SimulatedBus

  init(_ simulation: Simulation, seed: UInt64, faults: BusFaults = .none) throws {
    var bus = SimulatedBus(simulation, seed: seed, faults: faults)
    var truths: [Truth] = []
    var alerts = RaisedAlerts()
    var verdicts: [Verdict] = []
    var records: [StoredRecord] = []
    try bus.run { output in
      switch output {
      case .record(let record): records.append(record)
      case .truth(let truth): truths.append(truth)
      case .source: break
      case .verdict(let verdict, _):
        alerts.take(verdict)
        verdicts.append(verdict)
      }
    }
    (self.truths, self.alerts, self.verdicts, self.records) = (truths, alerts, verdicts, records)
    self.bus = bus
  }

  var score: Score { Score(truths: truths, alerts: alerts.all) }

  /// Of everything that a reader of the topic sees: place, time, key and value.
  static func digest(of simulation: Simulation) -> String {
    var simulation = simulation
    var hash = SHA256()
    while let record = simulation.next() {
      hash.update(data: Array("\(record.partition) \(record.at.nanoseconds)".utf8))
      hash.update(data: record.record.key ?? [])
      hash.update(data: record.record.value ?? [])
    }
    for truth in simulation.truths {
      hash.update(
        data: Array("\(truth.fault) \(truth.rule?.rawValue ?? "-") \(truth.knowableAt)".utf8))
    }
    return hexadecimal(Array(hash.finalize()))
  }
}
