// SPDX-License-Identifier: Apache-2.0

/// The keys of a keyed container, as far as needed to notice one that comes a second time.
///
/// A few keys share 64 bits, where a collision costs a look at the entries; from then on a set keeps that from
/// happening at every key.
struct SeenKeys {
  private static let few = 32

  private var bits: UInt64 = 0
  private var count = 0
  private var names: Set<String>?

  /// Nothing is known of the keys, so any may be among them.
  static var unknown: SeenKeys {
    var seen = SeenKeys()
    seen.bits = .max
    return seen
  }

  /// Whether `insert` needs all keys, and more time.
  @inline(__always)
  var isLarge: Bool { count >= Self.few }

  /// Adds a key; returns false if it is certainly new.
  @inline(__always)
  mutating func insert(_ name: UnsafeRawBufferPointer) -> Bool {
    let bit = Self.bit(name)
    defer { bits |= bit }
    count += 1
    return bits & bit != 0
  }

  /// Adds a key when there are many; returns false if it is new.
  ///
  /// - Parameter all: the keys added so far, asked for once.
  mutating func insert(_ name: String, all: () -> [String]) -> Bool {
    if names == nil { names = Set(all()) }
    return !names!.insert(name).inserted
  }

  @inline(__always)
  private static func bit(_ name: UnsafeRawBufferPointer) -> UInt64 {
    guard let first = name.first, let last = name.last else { return 1 }
    let sum = UInt64(first) &* 7 &+ UInt64(name[name.count / 2]) &* 5 &+ UInt64(last) &* 3 &+ UInt64(name.count)
    return 1 << (sum & 63)
  }
}
