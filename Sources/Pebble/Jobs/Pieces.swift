// SPDX-License-Identifier: Apache-2.0

/// What a job's input holds, said by its first byte.
enum InputForm: UInt8 {
  /// The arguments of one call.
  case call
  /// A piece for each of several calls; a marked one holds the only argument of each of many, as an array of numbers.
  /// The reply is of the same kind.
  case chunk
  #if Tracing
    /// The context of a span, in a piece, and then an input of another form.
    case traced
  #endif
}

/// Byte strings one after the other, each behind its length, whose highest bit may be a mark.
///
/// Ends early when the bytes do not hold what a length says.
struct Pieces {
  /// What comes behind the pieces so far.
  private(set) var rest: UnsafeRawBufferPointer

  init(_ bytes: UnsafeRawBufferPointer) {
    rest = bytes
  }

  static let mark: UInt64 = 1 << 63

  mutating func next() -> (piece: UnsafeRawBufferPointer, isMarked: Bool)? {
    let header = MemoryLayout<UInt64>.size
    guard rest.count >= header else { return nil }
    let marked = rest.loadUnaligned(as: UInt64.self)
    let length = marked & ~Self.mark
    guard length <= UInt64(rest.count - header) else { return nil }
    let end = header + Int(length)
    defer { rest = UnsafeRawBufferPointer(rebasing: rest[end...]) }
    return (UnsafeRawBufferPointer(rebasing: rest[header..<end]), length != marked)
  }
}
