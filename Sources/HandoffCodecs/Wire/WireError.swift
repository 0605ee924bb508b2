/// Why bytes are not a record of ours.
///
/// It names the field and the fault, never the value: what could not be read may hold identity.
package struct WireError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong; the raw value is the code shown to people and counted.
  package enum Fault: String, CaseIterable, Hashable, Sendable {
    /// `ce_type` is none of ours.
    case typeUnknown = "wire.type-unknown"
    /// `ce_type` or `ce_specversion` is of a version newer than this reader.
    case versionUnknown = "wire.version-unknown"
    /// A mandatory CloudEvents attribute is absent or not text.
    case attributeMissing = "wire.attribute-missing"
    /// Data in a form that no reader takes.
    case contentType = "wire.content-type"
    /// Not Protobuf, JSON or UTF-8 where it must be.
    case malformed = "wire.malformed"
    /// A mandatory field is absent.
    case fieldMissing = "wire.field-missing"
    /// A field that breaks its own rule: length, range, alphabet, unknown enum value.
    case fieldInvalid = "wire.field-invalid"
    /// The record's key is not the one its data calls for.
    case keyMismatch = "wire.key-mismatch"
    /// The record's `ce_id` is not the one its data calls for.
    case idMismatch = "wire.id-mismatch"
    /// Larger than ``WireCodec/valueBytesMax``.
    case tooLarge = "wire.too-large"
    /// A null value: a deletion mark, which no reader of records takes for one.
    case tombstone = "wire.tombstone"
  }

  package var fault: Fault
  /// Which field or attribute, as the schema names it, such as `HandoffEvent.patient_key`.
  package var field: String

  package init(_ fault: Fault, _ field: String) {
    self.fault = fault
    self.field = field
  }

  package var description: String { "\(fault.rawValue): \(field)" }
}
