// SPDX-License-Identifier: Apache-2.0

/// A number that travels as its bytes.
///
/// The list of conforming types is closed and must stay so: each of them is valid for *every* pattern of bits, which is
/// why bytes from a hostile worker may be copied straight into one. Nothing else qualifies, `BitwiseCopyable` structs
/// included: a `Bool` of 2, an enumeration out of range or an upside-down `Range` is undefined or traps later, and only
/// the type's own `init(from:)` knows what it forbids.
protocol RawScalar: BitwiseCopyable {
  /// What the wire calls this type. `Int` and `Int64` are one there, and so are `UInt` and `UInt64`.
  static var tag: WireTag { get }

  /// Makes the value equal to a number that was written as another type.
  init(_ number: WireNumber) throws(WireFailure)
}

/// A number of any type, as wide as they come.
enum WireNumber {
  case signed(Int128)
  case unsigned(UInt128)
  case floating(Double)
}

extension RawScalar where Self: FixedWidthInteger {
  init(_ number: WireNumber) throws(WireFailure) {
    let exact: Self? =
      switch number {
      case .signed(let integer): Self(exactly: integer)
      case .unsigned(let integer): Self(exactly: integer)
      case .floating: throw .mismatch(found: .float64)
      }
    guard let exact else { throw .unrepresentable }
    self = exact
  }
}

extension RawScalar where Self: BinaryFloatingPoint {
  /// Integers must fit exactly; a wider floating-point number is rounded, unless that makes it infinite.
  init(_ number: WireNumber) throws(WireFailure) {
    let close: Self? =
      switch number {
      case .signed(let integer): Self(exactly: integer)
      case .unsigned(let integer): Self(exactly: integer)
      case .floating(let value): Self(value)
      }
    guard let close else { throw .unrepresentable }
    if case .floating(let value) = number, value.isFinite, !close.isFinite { throw .unrepresentable }
    self = close
  }
}

extension Int8: RawScalar { static var tag: WireTag { .int8 } }
extension Int16: RawScalar { static var tag: WireTag { .int16 } }
extension Int32: RawScalar { static var tag: WireTag { .int32 } }
extension Int64: RawScalar { static var tag: WireTag { .int64 } }
extension Int128: RawScalar { static var tag: WireTag { .int128 } }
extension UInt8: RawScalar { static var tag: WireTag { .uint8 } }
extension UInt16: RawScalar { static var tag: WireTag { .uint16 } }
extension UInt32: RawScalar { static var tag: WireTag { .uint32 } }
extension UInt64: RawScalar { static var tag: WireTag { .uint64 } }
extension UInt128: RawScalar { static var tag: WireTag { .uint128 } }
extension Float16: RawScalar { static var tag: WireTag { .float16 } }
extension Float: RawScalar { static var tag: WireTag { .float32 } }
extension Double: RawScalar { static var tag: WireTag { .float64 } }

#if _pointerBitWidth(_64)
  extension Int: RawScalar { static var tag: WireTag { .int64 } }
  extension UInt: RawScalar { static var tag: WireTag { .uint64 } }
#else
  #error("Pebble supports 64-bit platforms only")
#endif
