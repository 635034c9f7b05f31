// SPDX-License-Identifier: Apache-2.0

/// Writes values for a `BinaryDecoder` in a process of the same binary.
///
/// Values appended to one writer one after the other are read back in that order; each says itself where it ends.
struct BinaryEncoder {
  init() {}

  /// Appends `value`.
  ///
  /// - Throws: what an `encode(to:)` threw, or `EncodingError.invalidValue` for values nested deeper than
  ///   `codingDepthLimit` and for types that misuse their encoder. Nothing has been appended then.
  func encode<T: Encodable>(_ value: T, into bytes: inout ByteWriter) throws {
    if bytes.append(directly: value) { return }
    let start = bytes.count
    let storage = EncodingStorage()
    swap(&bytes, &storage.bytes)
    defer {
      swap(&bytes, &storage.bytes)
      storage.release()
    }
    do {
      try value.encode(in: storage, container: nil, parent: nil, key: nil)
      try storage.finish(from: start)
    } catch {
      storage.abandon(from: start)
      throw error
    }
  }
}

extension Encodable {
  /// Appends this value, through its own `encode(to:)`.
  ///
  /// - Parameters:
  ///   - container: the innermost container of `storage`.
  ///   - parent: the container or wrapper the value is in, which knows it by `key`.
  @inline(__always)
  func encode(
    in storage: EncodingStorage, container: EncodingNode?, parent: EncodingNode?, key: (any CodingKey)?
  ) throws {
    let node = EncodingNode(in: storage, parent: parent, key: key, valueType: Self.self)
    guard node.depth <= codingDepthLimit else { throw EncodingError.tooDeep(self, at: node.codingPath) }
    try encode(to: node)
    node.finish(inside: container)
  }
}
