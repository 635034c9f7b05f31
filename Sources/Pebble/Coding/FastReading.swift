// SPDX-License-Identifier: Apache-2.0

/// How a value can be read without `init(from:)`.
enum FastPath {
  case none
  case single
  case array(WireRun)
  case strings

  @inline(__always)
  var isFast: Bool {
    if case .none = self { false } else { true }
  }
}

/// Values whose type is known only at run time, read without their `init(from:)` if they were written as exactly that
/// type. `Data` is among them: its own `init(from:)` would take the bytes one by one.
extension ByteReader {
  @inline(__always)
  func fastPath(_ value: WireValue, to type: Any.Type) throws(WireFailure) -> FastPath {
    switch value.tag {
    case .int64: type == Int.self || type == Int64.self ? .single : .none
    case .string: type == String.self ? .single : .none
    case .float64: type == Double.self ? .single : .none
    case .null, .keyed: .none
    default: try otherFastPath(value, to: type)
    }
  }

  @inline(never)
  private func otherFastPath(_ value: WireValue, to type: Any.Type) throws(WireFailure) -> FastPath {
    if value.tag == .unkeyed {
      if type == [String].self { return .strings }
      guard let run = try soleRun(value), run.element.isElement(ofArray: type) else { return .none }
      return .array(run)
    }
    return value.tag.isTag(of: type) ? .single : .none
  }

  /// - Parameter path: what `fastPath` returned for the same value and type, and not `none`.
  @inline(__always)
  func decode<T>(_ value: WireValue, as type: T.Type, _ path: FastPath) throws(WireFailure) -> T {
    switch path {
    case .array(let run): return try decodeArray(run, as: type)
    case .strings: return unsafeBitCast(try strings(value), to: type)
    default: break
    }
    switch value.tag {
    case .int64: return unsafeBitCast(try scalar(value, as: Int64.self), to: type)
    case .string: return unsafeBitCast(try string(value), to: type)
    case .float64: return unsafeBitCast(try scalar(value, as: Double.self), to: type)
    default: return try decodeOther(value, as: type)
    }
  }

  @inline(never)
  private func decodeOther<T>(_ value: WireValue, as type: T.Type) throws(WireFailure) -> T {
    switch value.tag {
    case .no, .yes: unsafeBitCast(value.tag == .yes, to: type)
    case .int8: unsafeBitCast(try scalar(value, as: Int8.self), to: type)
    case .int16: unsafeBitCast(try scalar(value, as: Int16.self), to: type)
    case .int32: unsafeBitCast(try scalar(value, as: Int32.self), to: type)
    case .int128: unsafeBitCast(try scalar(value, as: Int128.self), to: type)
    case .uint8: unsafeBitCast(try scalar(value, as: UInt8.self), to: type)
    case .uint16: unsafeBitCast(try scalar(value, as: UInt16.self), to: type)
    case .uint32: unsafeBitCast(try scalar(value, as: UInt32.self), to: type)
    case .uint64: unsafeBitCast(try scalar(value, as: UInt64.self), to: type)
    case .uint128: unsafeBitCast(try scalar(value, as: UInt128.self), to: type)
    case .float16: unsafeBitCast(try scalar(value, as: Float16.self), to: type)
    case .float32: unsafeBitCast(try scalar(value, as: Float.self), to: type)
    default: throw .mismatch(found: value.tag)
    }
  }

  @inline(never)
  private func decodeArray<T>(_ run: WireRun, as type: T.Type) throws(WireFailure) -> T {
    switch run.element {
    case .bool: unsafeBitCast(try bools(run), to: type)
    case .int8: unsafeBitCast(array(run, of: Int8.self), to: type)
    case .int16: unsafeBitCast(array(run, of: Int16.self), to: type)
    case .int32: unsafeBitCast(array(run, of: Int32.self), to: type)
    case .int64 where type == [Int64].self: unsafeBitCast(array(run, of: Int64.self), to: type)
    case .int64: unsafeBitCast(array(run, of: Int.self), to: type)
    case .int128: unsafeBitCast(array(run, of: Int128.self), to: type)
    case .uint8 where type == [UInt8].self: unsafeBitCast(array(run, of: UInt8.self), to: type)
    case .uint8: try data(run, as: type)
    case .uint16: unsafeBitCast(array(run, of: UInt16.self), to: type)
    case .uint32: unsafeBitCast(array(run, of: UInt32.self), to: type)
    case .uint64 where type == [UInt64].self: unsafeBitCast(array(run, of: UInt64.self), to: type)
    case .uint64: unsafeBitCast(array(run, of: UInt.self), to: type)
    case .uint128: unsafeBitCast(array(run, of: UInt128.self), to: type)
    case .float16: unsafeBitCast(array(run, of: Float16.self), to: type)
    case .float32: unsafeBitCast(array(run, of: Float.self), to: type)
    case .float64: unsafeBitCast(array(run, of: Double.self), to: type)
    default: throw .mismatch(found: run.element)
    }
  }

  private func array<Scalar: RawScalar>(_ run: WireRun, of _: Scalar.Type) -> [Scalar] {
    [Scalar](unsafeUninitializedCapacity: run.count) { numbers, count in
      HugePages.ask(under: UnsafeMutableRawBufferPointer(numbers))
      UnsafeMutableRawBufferPointer(numbers).copyMemory(from: bytes(run.start, count: run.end - run.start))
      count = run.count
    }
  }

  private func bools(_ run: WireRun) throws(WireFailure) -> [Bool] {
    var all: UInt8 = 0
    let bools = [Bool](unsafeUninitializedCapacity: run.count) { bools, count in
      for (index, byte) in bytes(run.start, count: run.count).enumerated() {
        bools.initializeElement(at: index, to: byte & 1 != 0)
        all |= byte
      }
      count = run.count
    }
    guard all <= 1 else { throw .malformed("a Bool is neither 0 nor 1") }
    return bools
  }

  private func strings(_ value: WireValue) throws(WireFailure) -> [String] {
    let (bytes, count) = try elements(value)
    var strings: [String] = []
    strings.reserveCapacity(min(count, bytes.count / 2))
    var offset = bytes.lowerBound
    for index in 0..<count {
      do throws(WireFailure) {
        let element = try self.value(at: offset, limit: bytes.upperBound)
        strings.append(try string(element))
        offset = try end(of: element)
      } catch {
        throw .element(index, of: String.self, error)
      }
    }
    return strings
  }

  private func data<T>(_ run: WireRun, as type: T.Type) throws(WireFailure) -> T {
    guard let collection = type as? any RangeReplaceableCollection.Type,
      let data = collection.copying(bytes(run.start, count: run.count)) as? T
    else { throw .mismatch(found: .unkeyed) }
    return data
  }
}

extension WireTag {
  fileprivate func isTag(of type: Any.Type) -> Bool {
    switch self {
    case .no, .yes: type == Bool.self
    case .int8: type == Int8.self
    case .int16: type == Int16.self
    case .int32: type == Int32.self
    case .int64: type == Int.self || type == Int64.self
    case .int128: type == Int128.self
    case .uint8: type == UInt8.self
    case .uint16: type == UInt16.self
    case .uint32: type == UInt32.self
    case .uint64: type == UInt.self || type == UInt64.self
    case .uint128: type == UInt128.self
    case .float16: type == Float16.self
    case .float32: type == Float.self
    case .float64: type == Double.self
    default: false
    }
  }

  fileprivate func isElement(ofArray type: Any.Type) -> Bool {
    switch self {
    case .bool: type == [Bool].self
    case .int8: type == [Int8].self
    case .int16: type == [Int16].self
    case .int32: type == [Int32].self
    case .int64: type == [Int].self || type == [Int64].self
    case .int128: type == [Int128].self
    case .uint8: type == [UInt8].self || type == foundationData
    case .uint16: type == [UInt16].self
    case .uint32: type == [UInt32].self
    case .uint64: type == [UInt].self || type == [UInt64].self
    case .uint128: type == [UInt128].self
    case .float16: type == [Float16].self
    case .float32: type == [Float].self
    case .float64: type == [Double].self
    default: false
    }
  }
}

/// `Foundation.Data` if this program contains it.
let foundationData: Any.Type? = _typeByName("20FoundationEssentials4DataV") ?? _typeByName("10Foundation4DataV")

extension RangeReplaceableCollection {
  fileprivate static func copying(_ bytes: UnsafeRawBufferPointer) -> Self? {
    guard Element.self == UInt8.self else { return nil }
    return Self(
      UnsafeBufferPointer(start: bytes.baseAddress?.assumingMemoryBound(to: Element.self), count: bytes.count))
  }
}
