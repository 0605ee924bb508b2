import HandoffCore

extension MappingContext.Processing {
  /// Refuses what a message says it is for where that is not taken here.
  ///
  /// Training told as care would raise alerts about people who are not waiting, or end a real
  /// handoff; care lost among training would be worse. A message that does not say is production.
  func check(isTest: Bool, field: String, _ code: Code) throws(MappingError) {
    switch (self, isTest) {
    case (.any, _), (.production, false), (.training, true): return
    case (.production, true):
      throw MappingError(
        code, field: field,
        explanation: "the message is for training or debugging, and this connector takes "
          + "production only; what is to be tried goes to a connector with processing: training",
        acknowledgement: .reject)
    case (.training, false):
      throw MappingError(
        code, field: field,
        explanation: "the message is for production, and this connector takes training and "
          + "debugging only (processing: training)", acknowledgement: .reject)
    }
  }
}

extension FHIRNode {
  /// Whether `meta` marks the resource as made for tests or training, and where.
  ///
  /// HTEST of v3-ActReason ("test health data") is FHIR's own label; converters of HL7 v2 write
  /// MSH-11 as a tag of table 0103.
  var testMark: Found<String>? {
    guard let meta = self["meta"] else { return nil }
    for coding in meta.all("tag") + meta.all("security") {
      guard let code = coding["code"]?.found else { continue }
      let system = coding["system"]?.text?.lowercased() ?? ""
      let isActReason = system.hasSuffix("actreason") && code.value == "HTEST"
      let isProcessingID = system.hasSuffix("v2-0103") && ["T", "D"].contains(code.value)
      if isActReason || isProcessingID { return code }
    }
    return nil
  }
}
