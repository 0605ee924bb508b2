import HandoffBus
import TestSupport
import Testing

@Suite struct `The pages of the contract` {
  private func check(_ path: String, _ made: String) throws {
    let text = try GoldenFile.text(path, madeAs: made)
    #expect(text == made, "\(path): \(GoldenFile.advice)")
  }

  @Test func `tell of the topics what the table says`() throws {
    try check("Schemas/pages/Topics.md", ContractPages.topics)
    for definition in TopicTable.shared { #expect(ContractPages.topics.contains(definition.name)) }
  }

  @Test func `tell of the records what the proto files say`() throws {
    let source = try ProtoSource.contract()
    let page = ContractPages.records(source)
    try check("Schemas/pages/Records.md", page)
    for field in source.messages.flatMap(\.fields) { #expect(page.contains("`\(field.jsonName)`")) }
  }

  @Test func `tell of the files what their schemas say`() throws {
    try check("Schemas/pages/Configuration.md", ContractPages.configuration())
  }
}
