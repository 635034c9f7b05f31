// SPDX-License-Identifier: Apache-2.0

/// Values whose type is known only at run time, written without their `encode(to:)`.
///
/// That changes nothing but speed: `init(from:)` accepts what is written, and the fast paths of the reader accept what
/// `encode(to:)` writes. The types are numbers, `Bool`, `String` and arrays of numbers and `Bool`; see `RawScalar` for
/// why the list ends there.
extension ByteWriter {
  /// Appends `value` and returns true if its type has a fast path.
  @inline(__always)
  mutating func append<T>(directly value: T) -> Bool {
    switch MemoryLayout<T>.size {
    case 8: appendWord(value)
    case 16: appendDoubleWord(value)
    case 1, 2, 4: appendSmall(value)
    default: false
    }
  }

  private mutating func appendWord<T>(_ value: T) -> Bool {
    if T.self == Int.self {
      append(scalar: unsafeBitCast(value, to: Int.self))
    } else if T.self == Double.self {
      append(scalar: unsafeBitCast(value, to: Double.self))
    } else if !_isPOD(T.self) {
      return appendArray(value)
    } else if T.self == UInt.self || T.self == UInt64.self {
      append(scalar: unsafeBitCast(value, to: UInt64.self))
    } else if T.self == Int64.self {
      append(scalar: unsafeBitCast(value, to: Int64.self))
    } else {
      return false
    }
    return true
  }

  private mutating func appendDoubleWord<T>(_ value: T) -> Bool {
    if T.self == String.self {
      append(unsafeBitCast(value, to: String.self))
    } else if T.self == Int128.self {
      append(scalar: unsafeBitCast(value, to: Int128.self))
    } else if T.self == UInt128.self {
      append(scalar: unsafeBitCast(value, to: UInt128.self))
    } else {
      return false
    }
    return true
  }

  private mutating func appendSmall<T>(_ value: T) -> Bool {
    if T.self == Bool.self {
      append(unsafeBitCast(value, to: Bool.self))
    } else if T.self == UInt8.self {
      append(scalar: unsafeBitCast(value, to: UInt8.self))
    } else if T.self == Float.self {
      append(scalar: unsafeBitCast(value, to: Float.self))
    } else if T.self == Int32.self {
      append(scalar: unsafeBitCast(value, to: Int32.self))
    } else if T.self == UInt32.self {
      append(scalar: unsafeBitCast(value, to: UInt32.self))
    } else if T.self == Int16.self {
      append(scalar: unsafeBitCast(value, to: Int16.self))
    } else if T.self == UInt16.self {
      append(scalar: unsafeBitCast(value, to: UInt16.self))
    } else if T.self == Int8.self {
      append(scalar: unsafeBitCast(value, to: Int8.self))
    } else if T.self == Float16.self {
      append(scalar: unsafeBitCast(value, to: Float16.self))
    } else {
      return false
    }
    return true
  }

  private mutating func appendArray<T>(_ value: T) -> Bool {
    append(value, ifArrayOf: UInt8.self) || append(value, ifArrayOf: Double.self)
      || append(value, ifArrayOf: Int.self) || append(value, ifArrayOf: Float.self)
      || append(value, ifArrayOf: Int32.self) || append(value, ifArrayOf: UInt64.self)
      || append(value, ifArrayOf: Int64.self) || append(value, ifArrayOf: UInt32.self)
      || append(value, ifArrayOf: UInt.self) || append(value, ifArrayOf: UInt16.self)
      || append(value, ifArrayOf: Int16.self) || append(value, ifArrayOf: Int8.self)
      || append(value, ifArrayOf: Float16.self) || append(value, ifArrayOf: Int128.self)
      || append(value, ifArrayOf: UInt128.self) || appendBools(value) || appendStrings(value)
  }

  @inline(__always)
  private mutating func append<T, Scalar: RawScalar>(_ value: T, ifArrayOf _: Scalar.Type) -> Bool {
    guard T.self == [Scalar].self else { return false }
    append(array: unsafeBitCast(value, to: [Scalar].self), of: Scalar.tag)
    return true
  }

  private mutating func appendBools<T>(_ value: T) -> Bool {
    guard T.self == [Bool].self else { return false }
    append(array: unsafeBitCast(value, to: [Bool].self), of: .bool)
    return true
  }

  private mutating func appendStrings<T>(_ value: T) -> Bool {
    guard T.self == [String].self else { return false }
    let strings = unsafeBitCast(value, to: [String].self)
    let length = count + 1
    append(.unkeyed)
    append(bare: 0 as UInt64)
    append(bare: UInt64(strings.count))
    for string in strings { append(string) }
    patch(count - length - WireHeader.unkeyed, at: length)
    return true
  }
}
