// SPDX-License-Identifier: Apache-2.0

/// Reads what a `BinaryEncoder` wrote, or what somebody claims it did.
///
/// Any bytes may be given to it: whatever they are, `decode` returns a value that the type's own `init(from:)` accepts,
/// or throws. It never traps by itself, allocates no more than a small multiple of the bytes present, never recurses
/// deeper than `codingDepthLimit` values, and stands bytes that change while it reads. Decoded values are copies.
final class BinaryDecoder {
  @exclusivity(unchecked) private var reader: ByteReader
  @exclusivity(unchecked) private var offset = 0
  @exclusivity(unchecked) private var source: DecodingSource?

  /// - Parameter bytes: must stay allocated as long as the decoder is used.
  init(_ bytes: UnsafeRawBufferPointer) {
    reader = ByteReader(bytes)
  }

  /// Goes on with other bytes.
  func restart(_ bytes: UnsafeRawBufferPointer) {
    reader = ByteReader(bytes)
    offset = 0
    source = nil
  }

  /// Whether all values have been taken.
  var isAtEnd: Bool { offset >= reader.count }

  /// Takes the next value. If it throws, the value stays the next one.
  ///
  /// - Throws: `DecodingError`, or what an `init(from:)` threw.
  func decode<T: Decodable>(_ type: T.Type) throws -> T {
    let value: WireValue
    let end: Int
    do throws(WireFailure) {
      value = try reader.value(at: offset, limit: reader.count)
      end = try reader.end(of: value)
      let path = try reader.fastPath(value, to: type)
      if path.isFast {
        let decoded = try reader.decode(value, as: type, path)
        offset = end
        return decoded
      }
    } catch {
      throw DecodingError(error, expecting: type, at: [])
    }
    let decoded = try decode(type, value)
    offset = end
    return decoded
  }

  /// The numbers that the next value, an array, consists of; nil when it does not.
  func run() -> WireRun? {
    try? reader.soleRun(reader.value(at: offset, limit: reader.count))
  }

  /// One of these, which must have it.
  func decode<T: Decodable>(_ type: T.Type, _ index: Int, of run: WireRun) throws -> T {
    let value: WireValue
    do throws(WireFailure) {
      value = try reader.element(index, of: run)
      let path = try reader.fastPath(value, to: type)
      if path.isFast { return try reader.decode(value, as: type, path) }
    } catch {
      throw DecodingError(error, expecting: type, at: [])
    }
    return try decode(type, value)
  }

  private func decode<T: Decodable>(_ type: T.Type, _ value: WireValue) throws -> T {
    let source = self.source ?? DecodingSource(reader)
    self.source = source
    defer { releaseSource() }
    return try T(from: DecodingNode(source, value))
  }

  /// A decoder or container that somebody has kept may outlive the bytes, and gets its own.
  private func releaseSource() {
    guard var source = self.source.take() else { return }
    if isKnownUniquelyReferenced(&source) {
      self.source = source
    } else {
      source.keepBytes()
    }
  }
}

/// The bytes that the nodes of one decoder read.
final class DecodingSource {
  @exclusivity(unchecked) private(set) var reader: ByteReader
  private var copy: UnsafeMutableRawBufferPointer?

  init(_ reader: ByteReader) {
    self.reader = reader
  }

  deinit {
    copy?.deallocate()
  }

  /// Makes the bytes live as long as this object. Offsets into them stay what they are.
  func keepBytes() {
    guard copy == nil, reader.count > 0 else { return }
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: reader.count, alignment: 1)
    copy.copyMemory(from: reader.bytes(0, count: reader.count))
    self.copy = copy
    reader = ByteReader(UnsafeRawBufferPointer(copy))
  }
}
