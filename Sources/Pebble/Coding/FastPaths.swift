// SPDX-License-Identifier: Apache-2.0

// Values whose type is known only at run time, written and read without their `encode(to:)` and `init(from:)`.
// That changes nothing but speed: the format is what the type's own methods would produce or accept. The types are
// numbers, `Bool`, `String`, arrays of numbers, and `Data` when reading; see `RawScalar` for why the list ends there.

extension ByteWriter {
  /// Appends `value` and returns true if its type has a fast path.
  @inline(__always)
  func append<T>(directly value: T) -> Bool {
    switch MemoryLayout<T>.size {
    case 8: appendWord(value)
    case 16: appendDoubleWord(value)
    case 1, 2, 4: appendSmall(value)
    default: false
    }
  }

  private func appendWord<T>(_ value: T) -> Bool {
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

  private func appendDoubleWord<T>(_ value: T) -> Bool {
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

  private func appendSmall<T>(_ value: T) -> Bool {
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

  private func appendArray<T>(_ value: T) -> Bool {
    append(value, ifArrayOf: UInt8.self) || append(value, ifArrayOf: Double.self)
      || append(value, ifArrayOf: Int.self) || append(value, ifArrayOf: Float.self)
      || append(value, ifArrayOf: Int32.self) || append(value, ifArrayOf: UInt64.self)
      || append(value, ifArrayOf: Int64.self) || append(value, ifArrayOf: UInt32.self)
      || append(value, ifArrayOf: UInt.self) || append(value, ifArrayOf: UInt16.self)
      || append(value, ifArrayOf: Int16.self) || append(value, ifArrayOf: Int8.self)
      || append(value, ifArrayOf: Float16.self) || append(value, ifArrayOf: Int128.self)
      || append(value, ifArrayOf: UInt128.self) || appendBools(value)
  }

  @inline(__always)
  private func append<T, Scalar: RawScalar>(_ value: T, ifArrayOf _: Scalar.Type) -> Bool {
    guard T.self == [Scalar].self else { return false }
    append(array: unsafeBitCast(value, to: [Scalar].self), of: Scalar.tag)
    return true
  }

  private func appendBools<T>(_ value: T) -> Bool {
    guard T.self == [Bool].self else { return false }
    append(array: unsafeBitCast(value, to: [Bool].self), of: .bool)
    return true
  }
}

extension ByteReader {
  /// Reads `value` if it was written as exactly what `type` is and that has a fast path.
  @inline(__always)
  func decode<T>(directly value: WireValue, as type: T.Type) throws(WireFailure) -> T? {
    switch value.tag {
    case .int64:
      if type == Int.self || type == Int64.self { return unsafeBitCast(try scalar(value, as: Int64.self), to: type) }
    case .float64:
      if type == Double.self { return unsafeBitCast(try scalar(value, as: Double.self), to: type) }
    case .string:
      if type == String.self { return unsafeBitCast(try string(value), to: type) }
    case .yes, .no:
      if type == Bool.self { return unsafeBitCast(value.tag == .yes, to: type) }
    case .unkeyed:
      return try decode(array: value, as: type)
    case .null, .empty, .some, .keyed, .slot, .run, .bool:
      return nil
    default:
      return try decode(small: value, as: type)
    }
    return nil
  }

  private func decode<T>(small value: WireValue, as type: T.Type) throws(WireFailure) -> T? {
    switch value.tag {
    case .int8: try decode(value, as: type, if: Int8.self)
    case .int16: try decode(value, as: type, if: Int16.self)
    case .int32: try decode(value, as: type, if: Int32.self)
    case .int128: try decode(value, as: type, if: Int128.self)
    case .uint8: try decode(value, as: type, if: UInt8.self)
    case .uint16: try decode(value, as: type, if: UInt16.self)
    case .uint32: try decode(value, as: type, if: UInt32.self)
    case .uint64 where type == UInt.self: try decode(value, as: type, if: UInt.self)
    case .uint64: try decode(value, as: type, if: UInt64.self)
    case .uint128: try decode(value, as: type, if: UInt128.self)
    case .float16: try decode(value, as: type, if: Float16.self)
    case .float32: try decode(value, as: type, if: Float.self)
    default: nil
    }
  }

  @inline(__always)
  private func decode<T, Scalar: RawScalar>(
    _ value: WireValue, as type: T.Type, if scalar: Scalar.Type
  ) throws(WireFailure) -> T? {
    type == scalar ? unsafeBitCast(try self.scalar(value, as: scalar), to: type) : nil
  }

  private func decode<T>(array value: WireValue, as type: T.Type) throws(WireFailure) -> T? {
    guard let run = try soleRun(value) else { return nil }
    return switch run.element {
    case .int8: array(run, as: type, of: Int8.self)
    case .int16: array(run, as: type, of: Int16.self)
    case .int32: array(run, as: type, of: Int32.self)
    case .int64: array(run, as: type, of: Int.self) ?? array(run, as: type, of: Int64.self)
    case .int128: array(run, as: type, of: Int128.self)
    case .uint8: array(run, as: type, of: UInt8.self) ?? data(run, as: type)
    case .uint16: array(run, as: type, of: UInt16.self)
    case .uint32: array(run, as: type, of: UInt32.self)
    case .uint64: array(run, as: type, of: UInt64.self) ?? array(run, as: type, of: UInt.self)
    case .uint128: array(run, as: type, of: UInt128.self)
    case .float16: array(run, as: type, of: Float16.self)
    case .float32: array(run, as: type, of: Float.self)
    case .float64: array(run, as: type, of: Double.self)
    case .bool: try bools(run, as: type)
    default: nil
    }
  }

  @inline(__always)
  private func array<T, Scalar: RawScalar>(_ run: WireRun, as type: T.Type, of _: Scalar.Type) -> T? {
    guard type == [Scalar].self else { return nil }
    let numbers = [Scalar](unsafeUninitializedCapacity: run.count) { numbers, count in
      UnsafeMutableRawBufferPointer(numbers).copyMemory(from: bytes(run.start, count: run.end - run.start))
      count = run.count
    }
    return unsafeBitCast(numbers, to: type)
  }

  private func bools<T>(_ run: WireRun, as type: T.Type) throws(WireFailure) -> T? {
    guard type == [Bool].self else { return nil }
    var all: UInt8 = 0
    let bools = [Bool](unsafeUninitializedCapacity: run.count) { bools, count in
      for (index, byte) in bytes(run.start, count: run.count).enumerated() {
        bools.initializeElement(at: index, to: byte & 1 != 0)
        all |= byte
      }
      count = run.count
    }
    guard all <= 1 else { throw .malformed("a Bool is neither 0 nor 1") }
    return unsafeBitCast(bools, to: type)
  }

  private func data<T>(_ run: WireRun, as type: T.Type) -> T? {
    guard type == foundationData, let data = type as? any RangeReplaceableCollection.Type else { return nil }
    return data.copying(bytes(run.start, count: run.count)) as? T
  }
}

/// `Foundation.Data` if this program contains it. Its own `init(from:)` would take the bytes one by one.
private let foundationData: Any.Type? = _typeByName("20FoundationEssentials4DataV") ?? _typeByName("10Foundation4DataV")

extension RangeReplaceableCollection {
  fileprivate static func copying(_ bytes: UnsafeRawBufferPointer) -> Self? {
    guard Element.self == UInt8.self else { return nil }
    return Self(UnsafeBufferPointer(start: bytes.baseAddress?.assumingMemoryBound(to: Element.self), count: bytes.count))
  }
}
