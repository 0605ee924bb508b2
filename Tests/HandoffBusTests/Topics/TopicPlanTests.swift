import HandoffBus
import Testing

struct TopicPlanTests {
  let sizes = TopicSizes(partitions: 6, replication: 3)

  /// A cluster that has every topic just as the table wants it.
  var complete: [TopicDescription] {
    TopicTable.shared.map {
      TopicDescription(
        name: $0.name, partitions: sizes.partitions(of: $0), config: $0.config(replication: 3))
    }
  }

  func plan(for cluster: [TopicDescription]) -> TopicPlan {
    TopicPlan(table: TopicTable.shared, sizes: sizes, cluster: cluster)
  }

  @Test func `an empty cluster gets every topic of the table`() {
    let plan = plan(for: [])
    #expect(plan.steps.map(\.topic) == Topic.allCases.map(\.name))
    #expect(plan.changes == plan.steps)
    let events = TopicStep.create(
      name: "handoff.events.v1", partitions: 6, replication: 3,
      config: [
        "cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1",
        "message.timestamp.type": "LogAppendTime", "min.insync.replicas": "2",
        "unclean.leader.election.enable": "false",
      ])
    #expect(plan.steps.first == events)
  }

  @Test func `a cluster that has the table's topics needs nothing`() {
    #expect(plan(for: complete).steps == [])
  }

  @Test(arguments: [Int32(5), 7])
  func `another number of partitions is refused, never changed`(has: Int32) {
    var cluster = complete
    cluster[0].partitions = has
    let plan = plan(for: cluster)
    #expect(plan.steps == [.refuseResize(name: Topic.events.name, has: has, wanted: 6)])
    #expect(plan.isRefused)
    #expect(plan.changes == [])
  }

  @Test func `where nobody chose a number, the events topic says how many the others have`() {
    let sizes = TopicSizes(replication: 3)
    #expect(TopicPlan(table: TopicTable.shared, sizes: sizes, cluster: complete).steps == [])
    var cluster = Array(complete.prefix(1))
    let created = TopicPlan(table: TopicTable.shared, sizes: sizes, cluster: cluster).steps
    let alerts = created.contains {
      if case .create(Topic.alerts.name, 6, _, _) = $0 { true } else { false }
    }
    #expect(alerts)
    cluster = complete
    cluster[1].partitions = 5
    #expect(
      TopicPlan(table: TopicTable.shared, sizes: sizes, cluster: cluster).steps
        == [.refuseResize(name: Topic.sources.name, has: 5, wanted: 6)])
    #expect(TopicPlan(table: TopicTable.shared, sizes: sizes, cluster: []).partitions == 24)
  }

  @Test func `a setting that differs is altered and named with both values`() {
    var cluster = complete
    cluster[0].config["message.timestamp.type"] = "CreateTime"
    let change = TopicStep.ConfigChange(
      name: "message.timestamp.type", from: "CreateTime", to: "LogAppendTime")
    #expect(plan(for: cluster).steps == [.alter(name: Topic.events.name, changes: [change])])
  }

  @Test func `a setting that the broker does not list is reported and not altered`() {
    var cluster = complete
    cluster[0].config["min.insync.replicas"] = nil
    let plan = plan(for: cluster)
    #expect(
      plan.steps == [.unsupported(name: Topic.events.name, settings: ["min.insync.replicas"])])
    #expect(plan.changes == [])
  }

  @Test func `an unknown topic in our name space is named, others are not`() {
    let others = ["handoff.events.v0", "orders", "__consumer_offsets", "handoff.inbox.rth.v1"]
      .map { TopicDescription(name: $0, partitions: 1, config: [:]) }
    #expect(plan(for: complete + others).steps == [.unknown(name: "handoff.events.v0")])
  }

  @Test func `everything keyed by person has as many partitions as the events`() {
    for topic in [Topic.alerts, .reconcilerState, .correlation] {
      #expect(sizes.partitions(of: TopicTable.definition(of: topic)) == 6)
    }
  }

  @Test func `the log that verdicts rest on is never thrown away and stamped by the broker`() {
    let events = TopicTable.definition(of: .events)
    #expect(events.cleanUp == .delete(afterDays: nil))
    #expect(events.isStampedByBroker)
    #expect(events.isAudited)
  }

  @Test func `a lone broker is not asked for two copies in step`() {
    let config = TopicTable.definition(of: .events).config(replication: 1)
    #expect(config["min.insync.replicas"] == "1")
  }
}
