internal import CLibrdkafka

extension KafkaAdmin {
  /// Every entry of the cluster's access control that this library can name.
  ///
  /// Entries of resources that librdkafka does not know (transactional ids, delegation tokens) are
  /// left out.
  ///
  /// - Throws: ``KafkaError/Code/securityDisabled`` where the cluster has no access control,
  ///   ``KafkaError/Code/unsupportedFeature`` where the broker does not know the request.
  public func acls(within timeout: Duration = .seconds(10)) async throws(KafkaError) -> [KafkaAcl] {
    try await request(
      "DescribeAcls", RD_KAFKA_ADMIN_OP_DESCRIBEACLS, within: timeout
    ) { client, options, queue throws(KafkaError) in
      var text = [CChar](repeating: 0, count: 256)
      let filter = rd_kafka_AclBindingFilter_new(
        RD_KAFKA_RESOURCE_ANY, nil, RD_KAFKA_RESOURCE_PATTERN_ANY, nil, nil,
        RD_KAFKA_ACL_OPERATION_ANY, RD_KAFKA_ACL_PERMISSION_TYPE_ANY, &text, text.count)
      guard let filter else { throw KafkaError(.invalidArgument, message: string(text)) }
      defer { rd_kafka_AclBinding_destroy(filter) }
      rd_kafka_DescribeAcls(client, filter, options, queue)
    } read: { event throws(KafkaError) in
      var count = 0
      let result = rd_kafka_event_DescribeAcls_result(event)
      let bindings = rd_kafka_DescribeAcls_result_acls(result, &count)
      return (0..<count).compactMap { bindings?[$0].flatMap(KafkaAcl.init) }.sorted()
    }
  }

  /// Adds entries; one that is there already stays as it is.
  ///
  /// Throws the first refusal; entries before and after it may have been added.
  public func createAcls(
    _ acls: [KafkaAcl], within timeout: Duration = .seconds(30)
  ) async throws(KafkaError) {
    guard !acls.isEmpty else { return }
    try await request(
      "CreateAcls", RD_KAFKA_ADMIN_OP_CREATEACLS, within: timeout
    ) { client, options, queue throws(KafkaError) in
      var bindings: [OpaquePointer?] = []
      defer { for binding in bindings { rd_kafka_AclBinding_destroy(binding) } }
      for acl in acls { bindings.append(try acl.native(rd_kafka_AclBinding_new)) }
      rd_kafka_CreateAcls(client, &bindings, bindings.count, options, queue)
    } read: { event throws(KafkaError) in
      var count = 0
      let result = rd_kafka_event_CreateAcls_result(event)
      let results = rd_kafka_CreateAcls_result_acls(result, &count)
      for index in 0..<count {
        try throwIfError(rd_kafka_acl_result_error(results?[index]))
      }
    }
  }

  /// Removes exactly these entries; one that is not there is none to remove.
  public func deleteAcls(
    _ acls: [KafkaAcl], within timeout: Duration = .seconds(30)
  ) async throws(KafkaError) {
    guard !acls.isEmpty else { return }
    try await request(
      "DeleteAcls", RD_KAFKA_ADMIN_OP_DELETEACLS, within: timeout
    ) { client, options, queue throws(KafkaError) in
      var filters: [OpaquePointer?] = []
      defer { for filter in filters { rd_kafka_AclBinding_destroy(filter) } }
      for acl in acls { filters.append(try acl.native(rd_kafka_AclBindingFilter_new)) }
      rd_kafka_DeleteAcls(client, &filters, filters.count, options, queue)
    } read: { event throws(KafkaError) in
      var count = 0
      let result = rd_kafka_event_DeleteAcls_result(event)
      let responses = rd_kafka_DeleteAcls_result_responses(result, &count)
      for index in 0..<count {
        try throwIfError(rd_kafka_DeleteAcls_result_response_error(responses?[index]))
      }
    }
  }
}

/// The error stays the result's: it is read, not freed.
private func throwIfError(_ error: OpaquePointer?) throws(KafkaError) {
  guard let error else { return }
  throw KafkaError(
    .init(rd_kafka_error_code(error)), message: String(cString: rd_kafka_error_string(error)))
}

extension KafkaAcl {
  /// Whether this library can write such an entry.
  public var isWritable: Bool { resource != .transactionalID }

  /// One of librdkafka's two makers of entries and of filters, which take the same.
  fileprivate typealias Maker = (
    rd_kafka_ResourceType_t, UnsafePointer<CChar>?, rd_kafka_ResourcePatternType_t,
    UnsafePointer<CChar>?, UnsafePointer<CChar>?, rd_kafka_AclOperation_t,
    rd_kafka_AclPermissionType_t, UnsafeMutablePointer<CChar>?, Int
  ) -> OpaquePointer?

  fileprivate func native(_ make: Maker) throws(KafkaError) -> OpaquePointer {
    let types: [Resource: rd_kafka_ResourceType_t] = [
      .topic: RD_KAFKA_RESOURCE_TOPIC, .group: RD_KAFKA_RESOURCE_GROUP,
      .cluster: RD_KAFKA_RESOURCE_BROKER,
    ]
    guard let type = types[resource], let native = Self.operations[operation] else {
      throw KafkaError(
        .unsupportedFeature,
        message: "librdkafka \(KafkaLibrary.version) cannot name a \(resource.rawValue)")
    }
    var text = [CChar](repeating: 0, count: 256)
    let made = make(
      type, name,
      pattern == .literal ? RD_KAFKA_RESOURCE_PATTERN_LITERAL : RD_KAFKA_RESOURCE_PATTERN_PREFIXED,
      principal, host, native,
      permission == .allow
        ? RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW : RD_KAFKA_ACL_PERMISSION_TYPE_DENY, &text, text.count)
    guard let made else { throw KafkaError(.invalidArgument, message: string(text)) }
    return made
  }

  private static let operations: [Operation: rd_kafka_AclOperation_t] = [
    .all: RD_KAFKA_ACL_OPERATION_ALL, .read: RD_KAFKA_ACL_OPERATION_READ,
    .write: RD_KAFKA_ACL_OPERATION_WRITE, .create: RD_KAFKA_ACL_OPERATION_CREATE,
    .delete: RD_KAFKA_ACL_OPERATION_DELETE, .alter: RD_KAFKA_ACL_OPERATION_ALTER,
    .describe: RD_KAFKA_ACL_OPERATION_DESCRIBE,
    .clusterAction: RD_KAFKA_ACL_OPERATION_CLUSTER_ACTION,
    .describeConfigs: RD_KAFKA_ACL_OPERATION_DESCRIBE_CONFIGS,
    .alterConfigs: RD_KAFKA_ACL_OPERATION_ALTER_CONFIGS,
    .idempotentWrite: RD_KAFKA_ACL_OPERATION_IDEMPOTENT_WRITE,
  ]

  /// `nil` for an entry of a kind that librdkafka or we have no name for.
  fileprivate init?(_ binding: OpaquePointer) {
    let types: [rd_kafka_ResourceType_t.RawValue: Resource] = [
      RD_KAFKA_RESOURCE_TOPIC.rawValue: .topic, RD_KAFKA_RESOURCE_GROUP.rawValue: .group,
      RD_KAFKA_RESOURCE_BROKER.rawValue: .cluster,
    ]
    let patterns: [rd_kafka_ResourcePatternType_t.RawValue: Pattern] = [
      RD_KAFKA_RESOURCE_PATTERN_LITERAL.rawValue: .literal,
      RD_KAFKA_RESOURCE_PATTERN_PREFIXED.rawValue: .prefixed,
    ]
    let native = rd_kafka_AclBinding_operation(binding)
    guard let type = types[rd_kafka_AclBinding_restype(binding).rawValue],
      let pattern = patterns[rd_kafka_AclBinding_resource_pattern_type(binding).rawValue],
      let operation = Self.operations.first(where: { $0.value == native })?.key,
      let name = rd_kafka_AclBinding_name(binding),
      let principal = rd_kafka_AclBinding_principal(binding),
      let host = rd_kafka_AclBinding_host(binding)
    else { return nil }
    let isAllowed =
      rd_kafka_AclBinding_permission_type(binding) == RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW
    self.init(
      type, String(cString: name), pattern: pattern, principal: String(cString: principal),
      host: String(cString: host), operation, permission: isAllowed ? .allow : .deny)
  }
}
