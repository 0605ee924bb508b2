package import HandoffConnectors
internal import HandoffCore
internal import HandoffStores
internal import KafkaClient

/// What the ingest loop knows of organisations outside the boundary; empty where there are none.
package struct OutsideWorld: Sendable {
  package var organisations: [BoundaryOrganisation]
  package var board: InboxBoard
  /// `nil`: nobody is told anything.
  package var notices: NoticeMaker?

  package init(
    _ organisations: [BoundaryOrganisation] = [], board: InboxBoard = InboxBoard(),
    notices: NoticeMaker? = nil
  ) {
    self.organisations = organisations
    self.board = board
    self.notices = notices
  }

  package var connectors: [ConnectorConfiguration] { organisations.flatMap(\.connectors) }
}

/// How far the inboxes are consumed: an answer that waited is behind what came after it, and must not
/// move an offset back.
struct ConsumedInboxes: Sendable {
  private var next: [KafkaTopicPartition: Int64] = [:]

  /// What a transaction with `frames` commits, and what holds when it is committed.
  func moved(by frames: [StoredFrame]) -> (offsets: [KafkaPartitionOffset], after: ConsumedInboxes)
  {
    var after = self
    var moved: Set<KafkaTopicPartition> = []
    for place in frames.compactMap(\.place) {
      let partition = KafkaTopicPartition(topic: place.topic, partition: place.partition)
      guard place.offset + 1 > after.next[partition, default: 0] else { continue }
      after.next[partition] = place.offset + 1
      moved.insert(partition)
    }
    let offsets = moved.sorted().map {
      KafkaPartitionOffset($0, offset: after.next[$0, default: 0])
    }
    return (offsets, after)
  }
}
