import HandoffCore

/// One row of the reviewed table of what HL7 v2 messages say of handoffs (domain.md §2.2).
///
/// The mapping is code, because messages are not tables; a test maps an example of every row and
/// compares, and the page of the documentation is made of these rows.
struct HL7Meaning: Hashable, Sendable {
  /// MSH-9.1, such as `ADT`.
  var type: String
  /// MSH-9.2, one or several.
  var triggers: [String]
  /// What else the message must hold; empty where nothing.
  var when: String
  /// Who says what, such as `sender:BedAssigned`, in order; empty where there is no fact.
  var facts: [String]
  /// The code of the fact where the trigger gives one, or why there is no fact.
  var reason: String
  /// Where the handoff's id stands, the first that is there; empty where the fact names none.
  var handoff: String
  /// The ids that are kept beside it.
  var references: String

  init(
    _ type: String, _ triggers: String, when: String = "", _ facts: String, reason: String = "",
    handoff: String = "", references: String = ""
  ) {
    self.type = type
    self.triggers = triggers.split(separator: " ").map(String.init)
    self.when = when
    self.facts = facts.split(separator: " ").map(String.init)
    self.reason = reason
    self.handoff = handoff
    self.references = references
  }

  /// A message that is understood and holds no fact of a handoff.
  static func none(
    _ type: String, _ triggers: String, when: String = "", _ reason: String
  ) -> HL7Meaning {
    HL7Meaning(type, triggers, when: when, "", reason: reason)
  }
}

extension HL7Meaning {
  /// The page `HL7-Messages` of the documentation.
  static var page: String {
    let rows = table.map { row in
      let cells = [
        "\(row.type) \(row.triggers.joined(separator: ", "))", row.when,
        row.facts.isEmpty ? "none" : row.facts.joined(separator: ", "),
        row.reason.isEmpty ? "" : "`\(row.reason)`", row.handoff, row.references,
      ]
      return "| " + cells.joined(separator: " | ") + " |"
    }
    return introduction + rows.joined(separator: "\n") + "\n"
  }

  private static let introduction = """
    # What HL7 v2 messages say

    Every trigger that is taken, and the events that it becomes.

    Made of `HL7Meaning.table` in `HandoffCodecs/HL7`; a test holds the two together, and maps an
    example of every row. `baton connect check` shows the same of your own messages.

    **Who speaks.** A *sender* hands over: MSH-4 (else MSH-3) is `from`, MSH-6 (else MSH-5) is `to`.
    A *receiver* answers: the parties keep their places, so MSH-6 is `from` and MSH-4 is `to`. Where
    REF names a provider referred to (PRD with `RT`) whom the connector knows, that one is `to`.

    **When.** `occurredAt` is EVN-2, else MSH-7, and MSH-7 is `recordedAt`; a death is dated by
    PID-29. A time without a zone is Europe/London unless the connector says otherwise.

    **Who it is.** PID-3, and where it is empty PID-2 or PID-4: the NHS number where type (`NH`,
    `NHS`) or assigner says so, else the hospital's number. A merge gives up MRG-1 (else MRG-4,
    MRG-2).

    **Which journey.** PV1-50, else PID-18.

    **Which message is answered.** MSA-2 in the namespace of MSH-5 and MSH-6. MSH-9 decides what a
    message says: EVN-1, MSH-9.3 and RF1-1 of a request are often wrong. Only where MSH-9.2 is empty
    is EVN-1 read, as versions 2.1 to 2.3 need.

    | message | where it holds | says | code | handoff | kept beside |
    | --- | --- | --- | --- | --- | --- |

    """
}
