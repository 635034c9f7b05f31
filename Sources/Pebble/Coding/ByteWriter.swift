// SPDX-License-Identifier: Apache-2.0

/// Bytes that grow at the end.
struct ByteWriter: ~Copyable {
  private var base: UnsafeMutableRawPointer?
  private var capacity = 0
  private(set) var count = 0

  /// Allocates nothing before something is appended.
  init() {}

  deinit {
    base?.deallocate()
  }

  /// Calls `body` with all bytes written so far. They must not be used after it returns.
  func withBytes<R, E>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
    try body(UnsafeRawBufferPointer(start: base, count: count))
  }

  /// The bytes written so far, until the next change.
  var reader: ByteReader {
    @inline(__always) get { ByteReader(UnsafeRawBufferPointer(start: base, count: count)) }
  }

  /// Makes room for as many more bytes.
  @inline(__always)
  mutating func reserve(_ extra: Int) {
    if capacity &- count < extra { grow(extra) }
  }

  @inline(never)
  private mutating func grow(_ extra: Int) {
    let bigger = max(capacity * 2, count + extra, 256)
    let moved = UnsafeMutableRawPointer.allocate(byteCount: bigger, alignment: 16)
    if let base {
      moved.copyMemory(from: base, byteCount: count)
      base.deallocate()
    }
    base = moved
    capacity = bigger
  }

  mutating func append(_ bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress, !bytes.isEmpty else { return }
    reserve(bytes.count)
    (base.unsafelyUnwrapped + count).copyMemory(from: start, byteCount: bytes.count)
    count &+= bytes.count
  }

  /// The bytes of `number`, without a tag.
  @inline(__always)
  mutating func append<Number: BitwiseCopyable>(bare number: Number) {
    reserve(MemoryLayout<Number>.size)
    base.unsafelyUnwrapped.storeBytes(of: number, toByteOffset: count, as: Number.self)
    count &+= MemoryLayout<Number>.size
  }

  @inline(__always)
  mutating func append(_ tag: WireTag) {
    append(bare: tag.rawValue)
  }

  /// Seven bits a byte, the lowest first; the top bit says that more follow.
  @inline(__always)
  mutating func append(varint number: UInt) {
    var rest = number
    while rest >= 0x80 {
      append(bare: UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    append(bare: UInt8(truncatingIfNeeded: rest))
  }

  /// Overwrites eight bytes written before.
  @inline(__always)
  mutating func patch(_ number: Int, at offset: Int) {
    precondition(offset >= 0 && offset <= count - 8)
    base.unsafelyUnwrapped.storeBytes(of: UInt64(number), toByteOffset: offset, as: UInt64.self)
  }

  /// Overwrites bytes written before with those of `number`.
  mutating func patch<Number: BitwiseCopyable>(bare number: Number, at offset: Int) {
    precondition(offset >= 0 && offset <= count - MemoryLayout<Number>.size)
    base.unsafelyUnwrapped.storeBytes(of: number, toByteOffset: offset, as: Number.self)
  }

  /// Sets the lowest bit of a byte written before.
  mutating func setLowestBit(at offset: Int) {
    precondition(offset >= 0 && offset < count)
    let byte = base.unsafelyUnwrapped + offset
    byte.storeBytes(of: byte.load(as: UInt8.self) | 1, as: UInt8.self)
  }

  /// Puts a byte before others written already.
  mutating func insert(_ tag: WireTag, at offset: Int) {
    precondition(offset >= 0 && offset <= count)
    reserve(1)
    let place = base.unsafelyUnwrapped + offset
    (place + 1).copyMemory(from: place, byteCount: count - offset)
    place.storeBytes(of: tag.rawValue, as: UInt8.self)
    count += 1
  }

  /// Forgets everything from `offset` on. The memory is kept.
  mutating func truncate(to offset: Int) {
    precondition(offset >= 0 && offset <= count)
    count = offset
  }
}
