internal import Crypto
internal import Foundation
package import HandoffCodecs
package import HandoffCore

/// Why something sealed is not taken.
package enum BoundarySealError: Error, Hashable, Sendable {
  /// Sealed to a key that is none of ours.
  case recipientUnknown
  /// Sealed by a key that is none of the other side's: whoever wrote it is somebody else.
  case senderUnknown
  /// Altered, taken from another place, or sealed for another organisation.
  case notAuthentic
}

/// Seals between ingest and one organisation, each of them known to the other by its key.
///
/// HPKE in its authenticated mode (RFC 9180 §5.1.3): who opens knows that the holder of the sender's
/// private key sealed it. What is sealed is bound to topic kind, organisation and clear header, so
/// that it cannot be read in another place.
package struct BoundarySeal: Sendable {
  /// Which topic, and so which direction.
  package enum Direction: String, CaseIterable, Sendable {
    case inbox, outbox
  }

  private static let suite = HPKE.Ciphersuite(
    kem: .Curve25519_HKDF_SHA256, kdf: .HKDF_SHA256, aead: .AES_GCM_256)

  private let own: BoundaryKeys
  private let other: BoundaryPublicKeys
  private let info: Data

  /// `own` are the keys of this side, `other` those of the other.
  package init(
    _ direction: Direction, organisation: ODSCode, own: BoundaryKeys, other: BoundaryPublicKeys
  ) {
    self.own = own
    self.other = other
    info = Data("baton.\(direction.rawValue).v1/\(organisation)".utf8)
  }

  /// Seals `content` to the other side's current key, with the clear `header` bound to it.
  package func seal(_ content: [UInt8], header: [[UInt8]]) -> SealedEnvelope {
    guard let key = own.keys[own.current], let recipient = other.keys[other.current],
      var sender = try? HPKE.Sender(
        recipientKey: recipient, ciphersuite: Self.suite, info: info, authenticatedBy: key)
    else { preconditionFailure("keys of the right curve make a sender") }
    let ids = [other.current.bytes, own.current.bytes]
    let bound = Self.bound(header + ids + [Array(sender.encapsulatedKey)])
    guard let ciphertext = try? sender.seal(content, authenticating: bound) else {
      preconditionFailure("the first message of a sender always seals")
    }
    return SealedEnvelope(
      recipientKey: other.current, senderKey: own.current,
      encapsulatedKey: Array(sender.encapsulatedKey), ciphertext: Array(ciphertext))
  }

  /// Opens what the other side sealed.
  package func open(
    _ envelope: SealedEnvelope, header: [[UInt8]]
  ) throws(BoundarySealError) -> [UInt8] {
    guard let key = own.keys[envelope.recipientKey] else { throw .recipientUnknown }
    guard let sender = other.keys[envelope.senderKey] else { throw .senderUnknown }
    let ids = [envelope.recipientKey.bytes, envelope.senderKey.bytes]
    let bound = Self.bound(header + ids + [envelope.encapsulatedKey])
    do {
      var recipient = try HPKE.Recipient(
        privateKey: key, ciphersuite: Self.suite, info: info,
        encapsulatedKey: Data(envelope.encapsulatedKey), authenticatedBy: sender)
      return Array(try recipient.open(envelope.ciphertext, authenticating: bound))
    } catch {
      throw .notAuthentic
    }
  }

  /// The clear fields in the order of their numbers, each led by its length.
  private static func bound(_ parts: [[UInt8]]) -> [UInt8] {
    parts.flatMap { part in
      stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: part.count >> $0) }
        + part
    }
  }
}

extension SealedFrame {
  /// The clear header that is bound to the content.
  private static func header(_ source: Code, _ reception: ReceptionID, _ rail: Code) -> [[UInt8]] {
    [Array(source.description.utf8), reception.bytes, Array(rail.description.utf8)]
  }

  /// Seals a frame of `source`.
  package init(
    _ content: FrameContent, source: Code, receptionID: ReceptionID, rail: Code,
    by seal: BoundarySeal
  ) {
    self.init(
      source: source, receptionID: receptionID, rail: rail,
      envelope: seal.seal(content.protobuf, header: Self.header(source, receptionID, rail)))
  }

  /// Opens it; bytes that are no content of ours were not sealed by a connector of ours.
  package func content(by seal: BoundarySeal) throws(BoundarySealError) -> FrameContent {
    let bytes = try seal.open(envelope, header: Self.header(source, receptionID, rail))
    do {
      return try FrameContent(protobuf: bytes)
    } catch {
      throw .notAuthentic
    }
  }
}

extension SealedNotice {
  /// Seals a notice for `organisation`.
  package init(_ notice: Notice, id: Token, for organisation: ODSCode, by seal: BoundarySeal) {
    self.init(
      organisation: organisation, noticeID: id,
      envelope: seal.seal(
        notice.protobuf, header: [Array(organisation.description.utf8), id.bytes]))
  }

  /// Opens it.
  package func notice(by seal: BoundarySeal) throws(BoundarySealError) -> Notice {
    let bytes = try seal.open(
      envelope, header: [Array(organisation.description.utf8), noticeID.bytes])
    do {
      return try Notice(protobuf: bytes)
    } catch {
      throw .notAuthentic
    }
  }
}
