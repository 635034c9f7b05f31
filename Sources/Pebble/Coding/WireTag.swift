// SPDX-License-Identifier: Apache-2.0

/// The first byte of every encoded value.
///
/// The format is for two processes running the same binary, hence native byte order. Every value says what it is and
/// how long it is, so it can be skipped without being understood:
///
///     null no yes empty              nothing follows; `empty` is a value whose `encode(to:)` wrote nothing
///     int8 ... float64               the bytes of the number, unaligned
///     string                         varint count, UTF-8
///     some                           a value that is `null` or `some` itself: tells `.some(nil)` from `nil`
///     keyed                          u64 length, then entries: varint (count << 1 | dead), key in UTF-8, value
///     unkeyed                        u64 length, u64 element count, then values and runs
///     slot                           u64 length, then at most one value: what a `superEncoder` wrote
///
/// A run stands for many elements of an unkeyed container at once: `run`, element tag, u64 count, the bare numbers one
/// after the other. It is how `[Double]` and `Data` travel. A dead entry was replaced by a later one of the same key.
/// A length counts the bytes behind the header it is in.
enum WireTag: UInt8 {
  case null, no, yes, empty, some, string, keyed, unkeyed, slot
  /// Inside an unkeyed container only.
  case run
  /// The element tag of a run of `Bool`, and of nothing else: one byte each, 0 or 1.
  case bool
  case int8, int16, int32, int64, int128
  case uint8, uint16, uint32, uint64, uint128
  case float16, float32, float64

  /// The bytes of one number, or nil for everything that is not a number.
  @inline(__always)
  var scalarSize: Int? {
    switch self {
    case .int8, .uint8: 1
    case .int16, .uint16, .float16: 2
    case .int32, .uint32, .float32: 4
    case .int64, .uint64, .float64: 8
    case .int128, .uint128: 16
    default: nil
    }
  }
}

/// The fixed parts that follow a tag.
enum WireHeader {
  /// Of `keyed` and `slot`: the length.
  static let keyed = 8
  /// Of `unkeyed`: the length and the element count.
  static let unkeyed = 16
  /// Of `run`: the element tag and the count.
  static let run = 9
}
