// SPDX-License-Identifier: Apache-2.0

/// The bytes of an input or a reply, as they are written.
final class Payload {
  private var bytes = ByteWriter()

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

  /// Appends a piece made of all of these one after the other.
  func append(pieceOf parts: UnsafeRawBufferPointer...) {
    append(raw: UInt64(parts.reduce(0) { $0 + $1.count }))
    for part in parts { append(raw: part) }
  }
}
