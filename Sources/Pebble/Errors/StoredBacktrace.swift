// SPDX-License-Identifier: Apache-2.0

/// A backtrace as the `Backtrace` of the toolchain's `Runtime` module is encoded: in its documented formats
/// (CompactBacktraceFormat.md and CompactImageMapFormat.md in Swift's repository).
///
/// Each image is given a range of addresses of its own; where it really lies does not matter.
struct StoredBacktrace: Encodable {
  let architecture: String
  let backtrace: String
  let imageMap: String

  init(_ frames: [BacktraceHandle.Frame]) {
    #if arch(arm64)
      architecture = "arm64"
    #else
      architecture = "x86_64"
    #endif
    var images: [String] = []
    var compact: [UInt8] = [2]  // addresses of 64 bits
    for frame in frames {
      let image = images.firstIndex(of: frame.place.image) ?? images.endIndex
      if image == images.endIndex { images.append(frame.place.image) }
      compact.append(frame.isInterrupted ? 0x1f : 0x2f)  // a program counter, or a return address
      compact.append(bigEndian: Self.base(ofImage: image) + frame.place.offset)
    }
    compact.append(0)
    backtrace = Self.base64(compact)
    imageMap = Self.base64(Self.map(of: images))
  }

  private static let size: UInt64 = 1 << 40

  private static func base(ofImage number: Int) -> UInt64 { UInt64(number + 1) * size }

  private static func map(of images: [String]) -> [UInt8] {
    var map: [UInt8] = [2]  // addresses of 64 bits
    let platform = "Linux"
    map.append(UInt8(platform.utf8.count))
    map += platform.utf8
    map.append(UInt8(images.count))  // of one digit of 7 bits: there are no more than 64 frames
    for (number, path) in images.enumerated() {
      map.append(0o77)  // the base, and the offset of the end, of 8 bytes
      map.append(bigEndian: base(ofImage: number))
      map.append(bigEndian: size - 1)
      map.append(0)  // no build-id
      var rest = Array(path.utf8)[...]
      while !rest.isEmpty {
        let piece = rest.prefix(63)
        map.append(UInt8(piece.count))
        map += piece
        rest = rest.dropFirst(63)
      }
      map.append(0)
    }
    return map
  }

  private static func base64(_ bytes: [UInt8]) -> String {
    let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var text: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      let bits = group.reduce(0) { $0 << 8 | UInt32($1) } << (8 * (3 - UInt32(group.count)))
      for digit in 0..<4 {
        text.append(digit <= group.count ? digits[Int(bits >> (18 - 6 * UInt32(digit)) & 63)] : UInt8(ascii: "="))
      }
    }
    return String(decoding: text, as: UTF8.self)
  }
}

extension [UInt8] {
  fileprivate mutating func append(bigEndian number: UInt64) {
    Swift.withUnsafeBytes(of: number.bigEndian) { self += $0 }
  }
}
