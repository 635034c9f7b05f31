// SPDX-License-Identifier: Apache-2.0

/// Bounds-checked reading of bytes that nobody vouches for.
///
/// Every read states the `limit` it must not cross, with `0 <= offset <= limit <= count`; offsets handed out keep that.
/// A length is loaded once, checked, and the checked copy is used: bytes that change meanwhile, as a hostile worker's
/// shared memory may, can spoil a value but not the process.
struct ByteReader {
  private let base: UnsafeRawPointer
  let count: Int

  /// The bytes must stay allocated as long as the reader is used.
  init(_ bytes: UnsafeRawBufferPointer) {
    // An empty buffer may have no address; this one is never read, for every offset into it is out of bounds.
    base = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 1).unsafelyUnwrapped
    count = bytes.baseAddress == nil ? 0 : bytes.count
  }

  @inline(__always)
  func load<Number: BitwiseCopyable>(_: Number.Type, at offset: Int, limit: Int) throws(WireFailure) -> Number {
    guard limit - offset >= MemoryLayout<Number>.size else { throw .truncated }
    return base.loadUnaligned(fromByteOffset: offset, as: Number.self)
  }

  /// A count of bytes or elements of one byte at least, which therefore cannot exceed what is left before `limit`.
  @inline(__always)
  func loadLength(at offset: Int, header: Int, limit: Int) throws(WireFailure) -> Int {
    let length = try load(UInt64.self, at: offset, limit: limit)
    guard limit - offset >= header, length <= UInt64(limit - offset - header) else { throw .truncated }
    return Int(length)
  }

  @inline(__always)
  func loadVarint(at offset: inout Int, limit: Int) throws(WireFailure) -> UInt {
    let first = try load(UInt8.self, at: offset, limit: limit)
    if first < 0x80 {
      offset += 1
      return UInt(first)
    }
    return try loadLongVarint(at: &offset, limit: limit)
  }

  @inline(never)
  private func loadLongVarint(at offset: inout Int, limit: Int) throws(WireFailure) -> UInt {
    var number: UInt = 0
    for shift in stride(from: 0, to: UInt.bitWidth, by: 7) {
      let byte = try load(UInt8.self, at: offset, limit: limit)
      offset += 1
      number |= UInt(byte & 0x7F) << UInt(shift)
      if byte < 0x80 { return number }
    }
    throw .malformed("a count does not end")
  }

  /// The bytes of a range that has been checked.
  @inline(__always)
  func bytes(_ offset: Int, count: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: base + offset, count: count)
  }

  /// Text whose range has been checked. Ill-formed UTF-8 is repaired with U+FFFD, after copying it out.
  @inline(__always)
  func text(_ offset: Int, count: Int) -> String {
    String(unsafeUninitializedCapacity: count) { copy in
      UnsafeMutableRawBufferPointer(copy).copyMemory(from: bytes(offset, count: count))
      return count
    }
  }

  /// Whether a range that has been checked holds exactly the UTF-8 of `text`.
  @inline(__always)
  func matches(_ text: String, _ offset: Int, count: Int) -> Bool {
    var text = text
    return text.withUTF8 { utf8 in
      utf8.count == count && equal(UnsafeRawPointer(utf8.baseAddress), base + offset, count)
    }
  }
}

/// memcmp for strings of a few bytes, without importing the C library.
@inline(__always)
private func equal(_ left: UnsafeRawPointer?, _ right: UnsafeRawPointer, _ count: Int) -> Bool {
  guard let left else { return true }
  var offset = 0
  while count - offset >= 8 {
    let difference =
      left.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      ^ right.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    if difference != 0 { return false }
    offset += 8
  }
  while offset < count {
    if left.load(fromByteOffset: offset, as: UInt8.self) != right.load(fromByteOffset: offset, as: UInt8.self) {
      return false
    }
    offset += 1
  }
  return true
}
