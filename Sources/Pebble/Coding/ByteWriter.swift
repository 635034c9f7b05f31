// SPDX-License-Identifier: Apache-2.0

/// Bytes that grow at the end.
final class ByteWriter {
  @exclusivity(unchecked) private var base: UnsafeMutableRawPointer
  @exclusivity(unchecked) private var capacity: Int
  @exclusivity(unchecked) private(set) var count = 0

  convenience init() {
    self.init(minimumCapacity: 256)
  }

  /// - Parameter minimumCapacity: how many bytes fit before the first reallocation, at least one.
  init(minimumCapacity: Int) {
    capacity = max(minimumCapacity, 1)
    base = .allocate(byteCount: capacity, alignment: 16)
  }

  deinit {
    base.deallocate()
  }

  /// Calls `body` with all bytes written so far. They must not be used after it returns, nor changed inside it.
  func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    try body(UnsafeRawBufferPointer(start: base, count: count))
  }

  /// The bytes written so far, until the next change.
  var reader: ByteReader {
    @inline(__always) get { ByteReader(UnsafeRawBufferPointer(start: base, count: count)) }
  }

  @inline(__always)
  func reserve(_ extra: Int) {
    if capacity - count < extra { grow(extra) }
  }

  @inline(never)
  private func grow(_ extra: Int) {
    let bigger = max(capacity * 2, count + extra)
    let moved = UnsafeMutableRawPointer.allocate(byteCount: bigger, alignment: 16)
    moved.copyMemory(from: base, byteCount: count)
    base.deallocate()
    base = moved
    capacity = bigger
  }

  func append(_ bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress, !bytes.isEmpty else { return }
    reserve(bytes.count)
    (base + count).copyMemory(from: start, byteCount: bytes.count)
    count += bytes.count
  }

  @inline(__always)
  func append(_ byte: UInt8) {
    reserve(1)
    base.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
    count += 1
  }

  /// The bytes of `number`, without a tag.
  @inline(__always)
  func append<Number: BitwiseCopyable>(bare number: Number) {
    reserve(MemoryLayout<Number>.size)
    base.storeBytes(of: number, toByteOffset: count, as: Number.self)
    count += MemoryLayout<Number>.size
  }

  @inline(__always)
  func append(_ tag: WireTag) {
    append(tag.rawValue)
  }

  /// Seven bits a byte, the lowest first; the top bit says that more follow.
  @inline(__always)
  func append(varint number: UInt) {
    var rest = number
    while rest >= 0x80 {
      append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    append(UInt8(truncatingIfNeeded: rest))
  }

  /// Overwrites eight bytes written before.
  @inline(__always)
  func patch(_ number: Int, at offset: Int) {
    precondition(offset >= 0 && offset <= count - 8)
    base.storeBytes(of: UInt64(number), toByteOffset: offset, as: UInt64.self)
  }

  /// Sets the lowest bit of a byte written before.
  func setLowestBit(at offset: Int) {
    precondition(offset >= 0 && offset < count)
    base.storeBytes(of: base.load(fromByteOffset: offset, as: UInt8.self) | 1, toByteOffset: offset, as: UInt8.self)
  }

  /// Puts a byte before others written already.
  func insert(_ tag: WireTag, at offset: Int) {
    precondition(offset >= 0 && offset <= count)
    reserve(1)
    (base + offset + 1).copyMemory(from: base + offset, byteCount: count - offset)
    base.storeBytes(of: tag.rawValue, toByteOffset: offset, as: UInt8.self)
    count += 1
  }

  /// Forgets everything from `offset` on. The memory is kept.
  func truncate(to offset: Int) {
    precondition(offset >= 0 && offset <= count)
    count = offset
  }
}
