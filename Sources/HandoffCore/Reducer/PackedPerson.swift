/// Somebody as the reducer holds them between two events.
///
/// The bytes can be read by the very build that packed them and by no other: their layout is
/// nobody's contract (decision 0070), and what does not fit it traps.
package struct PackedPerson: Hashable, Sendable {
  package var key: PatientKey
  /// When something about the person may next be different; `nil` where nothing will.
  package var nextDue: Timestamp?
  /// Everything but these two.
  package var bytes: [UInt8]
}

// MARK: One piece

extension PackedPerson {
  private static let headByteCount = 2 + 16 + 16 + 8

  /// Everything, for a file that only this build reads.
  package var image: [UInt8] {
    var image: [UInt8] = []
    image.reserveCapacity(Self.headByteCount + bytes.count)
    Self.append(key.epoch, to: &image)
    Self.append(key.high, to: &image)
    Self.append(key.low, to: &image)
    Self.append((nextDue ?? .distantPast).nanoseconds, to: &image)
    image += bytes
    return image
  }

  /// Takes what ``image`` gave; `nil` for bytes that are too few.
  package init?(image: ArraySlice<UInt8>) {
    guard image.count >= Self.headByteCount else { return nil }
    // Within the bytes, as was just asked.
    let head = unsafe image.withUnsafeBytes { bytes in
      unsafe (
        epoch: bytes.loadUnaligned(as: UInt16.self),
        high: bytes.loadUnaligned(fromByteOffset: 2, as: UInt128.self),
        low: bytes.loadUnaligned(fromByteOffset: 18, as: UInt128.self),
        due: bytes.loadUnaligned(fromByteOffset: 34, as: Int64.self)
      )
    }
    key = PatientKey(epoch: head.epoch, high: head.high, low: head.low)
    let nextDue = Timestamp(nanoseconds: head.due)
    self.nextDue = nextDue == .distantPast ? nil : nextDue
    bytes = Array(image.dropFirst(Self.headByteCount))
  }

  private static func append(_ number: some FixedWidthInteger, to image: inout [UInt8]) {
    unsafe withUnsafeBytes(of: number) { bytes in unsafe image.append(contentsOf: bytes) }
  }
}
