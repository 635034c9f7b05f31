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

  /// Adds `name`; returns false if it is certainly new.
  ///
  /// - Parameter all: the keys added so far, asked for once.
  @inline(__always)
  mutating func insert(_ name: String, all: () -> [String]) -> Bool {
    if count < Self.few {
      let bit = Self.bit(name)
      defer { bits |= bit }
      count += 1
      return bits & bit != 0
    }
    return insertIntoSet(name, all: all)
  }

  @inline(never)
  private mutating func insertIntoSet(_ name: String, all: () -> [String]) -> Bool {
    if names == nil { names = Set(all()) }
    return !names!.insert(name).inserted
  }

  @inline(__always)
  private static func bit(_ name: String) -> UInt64 {
    var name = name
    return name.withUTF8 { utf8 in
      guard let first = utf8.first, let last = utf8.last else { return 1 }
      let middle = utf8[utf8.count / 2]
      return 1 << ((UInt64(first) &* 7 &+ UInt64(middle) &* 5 &+ UInt64(last) &* 3 &+ UInt64(utf8.count)) & 63)
    }
  }
}
