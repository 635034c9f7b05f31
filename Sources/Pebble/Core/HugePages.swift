// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// Memory that is about to be written for the first time.
enum HugePages {
  /// From less they do not pay.
  private static let minimum = 4 << 20
  private static let page = UInt(4096)

  /// Asks for huge pages under a large buffer: to get and clear small ones costs several times what the copy into them
  /// does. Where there are none, nothing comes of it.
  @inline(__always)
  static func ask(under buffer: UnsafeMutableRawBufferPointer) {
    if buffer.count >= minimum { advise(buffer) }
  }

  /// With what the allocator has in the same pages, as the C library does it for its own.
  @inline(never)
  private static func advise(_ buffer: UnsafeMutableRawBufferPointer) {
    let begin = UInt(bitPattern: buffer.baseAddress) & ~(page - 1)
    let end = (UInt(bitPattern: buffer.baseAddress) + UInt(buffer.count) + page - 1) & ~(page - 1)
    madvise(UnsafeMutableRawPointer(bitPattern: begin), Int(end - begin), MADV_HUGEPAGE)
  }
}
