package import HandoffCore

/// Who a message is about, in clear: ingest makes the patient key of it and seals the rest.
///
/// It prints redacted everywhere.
package struct ClearPerson: Hashable, Sendable {
  /// How sure the sender is of the NHS number (UKCore-NHSNumberVerificationStatus, in short).
  package enum NHSNumberStatus: String, Hashable, Sendable {
    case verified
    /// Present, and nothing said of a trace.
    case present
    /// Present and not found by a trace, or the trace still has to be resolved.
    case untraced
    /// Present, but its check digit fails and the connector takes the person as untraced.
    case checkDigitFailed
    case absent
  }

  /// An id that one organisation gave the person.
  package struct LocalID: Hashable, Sendable {
    package var value: String
    /// The assigning authority as written; the sending organisation where the field names none.
    package var assigner: String?
    /// HL7 table 0203, such as `MR`, or what FHIR says in its place.
    package var type: String?

    package init(value: String, assigner: String? = nil, type: String? = nil) {
      self.value = value
      self.assigner = assigner
      self.type = type
    }
  }

  /// Never one whose check digit fails.
  package var nhsNumber: NHSNumber?
  package var nhsNumberStatus: NHSNumberStatus = .absent
  package var localIDs: [LocalID] = []
  package var familyName: String?
  package var givenName: String?
  /// `YYYY-MM-DD`, shorter where the sender knows no more.
  package var birthDate: String?
  package var postcode: String?

  package init() {}

  /// Whether there is anything to key the person by.
  package var isIdentified: Bool { nhsNumber != nil || !localIDs.isEmpty }
}

extension ClearPerson: CustomStringConvertible, CustomReflectable {
  package var description: String { "ClearPerson(redacted)" }
  package var customMirror: Mirror { Mirror(self, children: []) }
}

extension ClearPerson.LocalID: CustomStringConvertible, CustomReflectable {
  package var description: String { "LocalID(redacted)" }
  package var customMirror: Mirror { Mirror(self, children: []) }
}
