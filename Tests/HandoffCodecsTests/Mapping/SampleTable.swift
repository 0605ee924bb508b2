/// What becomes of every message that others wrote (domain.md §5), reviewed row by row.
enum SampleTable {
  /// The rows of each folder of samples.
  static let folders: [String: [SampleRow]] = [
    "ebxml-acks": ebXML, "fhir-bars-api-json": bars, "fhir-ers-json": ers,
    "fhir-gravity-json": gravity, "fhir-v2tofhir": v2Pairs + hl7Pairs, "hl7v2-microsoft": hl7,
    "itk-111": reports111, "itk3": itk3,
  ]

  static let rows: [String: [String: String]] = folders.mapValues(summaries)
}
