// SPDX-License-Identifier: Apache-2.0

/// The bytes of an input or a reply, as they are written.
final class Payload {
  @exclusivity(unchecked) private var bytes = ByteWriter()

  var count: Int { bytes.count }

  func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    try bytes.withBytes(body)
  }

  /// Appends an encoded value.
  func append<T: Encodable>(_ value: T) throws {
    try BinaryEncoder().encode(value, into: &bytes)
  }

  func append(raw part: UnsafeRawBufferPointer) {
    bytes.append(part)
  }

  /// Appends the value's own bytes, as `loadUnaligned` reads them.
  func append<T: BitwiseCopyable>(raw value: T) {
    withUnsafeBytes(of: value) { bytes.append($0) }
  }

  /// Appends the arguments of one call.
  func append<each Argument: Encodable>(arguments: repeat each Argument) throws {
    repeat try append(each arguments)
  }

  /// Forgets everything from `offset` on.
  func truncate(to offset: Int) {
    bytes.truncate(to: offset)
  }

  /// Begins a piece, see `Pieces`; returns where, for `endPiece`.
  func beginPiece() -> Int {
    append(raw: UInt64(0))
    return count - MemoryLayout<UInt64>.size
  }

  /// Ends a piece: it holds what was appended since its begin.
  func endPiece(_ begin: Int) {
    patch(raw: UInt64(count - begin - MemoryLayout<UInt64>.size), at: begin)
  }

  /// Overwrites what was appended before.
  func patch<T: BitwiseCopyable>(raw value: T, at offset: Int) {
    bytes.patch(bare: value, at: offset)
  }
}
