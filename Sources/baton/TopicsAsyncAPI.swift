import ArgumentParser
import HandoffBus

extension TopicsCommand {
  /// Prints what the table says, for readers that are not ours.
  struct AsyncAPIDocument: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "asyncapi",
      abstract: "Print the AsyncAPI 3 document of every topic: keys, headers, retention, access.",
      discussion: """
        It needs no broker: the document says what the table in this program says, with the \
        partitions and copies of a new cluster. Schemas/asyncapi.yaml is this output.
        """)

    func run() { print(AsyncAPI().yaml, terminator: "") }
  }
}
