// SPDX-License-Identifier: Apache-2.0

/// What single values say, whatever type they were written as.
extension ByteReader {
  @inline(__always)
  func scalar<Scalar: RawScalar>(_ value: WireValue, as _: Scalar.Type) throws(WireFailure) -> Scalar {
    if value.tag == Scalar.tag { return try load(Scalar.self, at: value.payload, limit: value.limit) }
    return try Scalar(number(value))
  }

  @inline(never)
  private func number(_ value: WireValue) throws(WireFailure) -> WireNumber {
    let value = try unwrapped(value)
    switch value.tag {
    case .int8: return .signed(Int128(try load(Int8.self, at: value.payload, limit: value.limit)))
    case .int16: return .signed(Int128(try load(Int16.self, at: value.payload, limit: value.limit)))
    case .int32: return .signed(Int128(try load(Int32.self, at: value.payload, limit: value.limit)))
    case .int64: return .signed(Int128(try load(Int64.self, at: value.payload, limit: value.limit)))
    case .int128: return .signed(try load(Int128.self, at: value.payload, limit: value.limit))
    case .uint8: return .unsigned(UInt128(try load(UInt8.self, at: value.payload, limit: value.limit)))
    case .uint16: return .unsigned(UInt128(try load(UInt16.self, at: value.payload, limit: value.limit)))
    case .uint32: return .unsigned(UInt128(try load(UInt32.self, at: value.payload, limit: value.limit)))
    case .uint64: return .unsigned(UInt128(try load(UInt64.self, at: value.payload, limit: value.limit)))
    case .uint128: return .unsigned(try load(UInt128.self, at: value.payload, limit: value.limit))
    case .float16: return .floating(Double(try load(Float16.self, at: value.payload, limit: value.limit)))
    case .float32: return .floating(Double(try load(Float.self, at: value.payload, limit: value.limit)))
    case .float64: return .floating(try load(Double.self, at: value.payload, limit: value.limit))
    default: throw .mismatch(found: value.tag)
    }
  }

  @inline(__always)
  func bool(_ value: WireValue) throws(WireFailure) -> Bool {
    if value.tag == .yes { return true }
    if value.tag == .no { return false }
    let inner = try unwrapped(value)
    guard inner.tag == .yes || inner.tag == .no else { throw .mismatch(found: inner.tag) }
    return inner.tag == .yes
  }

  @inline(__always)
  func string(_ value: WireValue) throws(WireFailure) -> String {
    let value = value.tag == .string ? value : try unwrapped(value)
    guard value.tag == .string else { throw .mismatch(found: value.tag) }
    let range = try textRange(value)
    return text(range.start, count: range.count)
  }

  func isNull(_ value: WireValue) throws(WireFailure) -> Bool {
    if value.tag == .slot { return try unslotted(value).tag == .null }
    return value.tag == .null
  }
}

extension ByteWriter {
  @inline(__always)
  mutating func append(_ bool: Bool) {
    append(bool ? WireTag.yes : .no)
  }

  @inline(__always)
  mutating func append<Scalar: RawScalar>(scalar: Scalar) {
    append(Scalar.tag)
    append(bare: scalar)
  }

  @inline(__always)
  mutating func append(_ string: String) {
    append(.string)
    var string = string
    string.withUTF8 { utf8 in
      append(varint: UInt(utf8.count))
      append(UnsafeRawBufferPointer(utf8))
    }
  }

  /// The key of an entry of a keyed container.
  @inline(__always)
  mutating func append(key: String) {
    var key = key
    key.withUTF8 { utf8 in
      append(varint: UInt(utf8.count) << 1)
      append(UnsafeRawBufferPointer(utf8))
    }
  }

  /// A run of an unkeyed container.
  mutating func append<Scalar: BitwiseCopyable>(run numbers: UnsafeBufferPointer<Scalar>, of element: WireTag) {
    append(headOfRun: numbers.count, of: element)
    append(UnsafeRawBufferPointer(numbers))
  }

  /// An unkeyed container that is one run, or empty.
  mutating func append<Scalar: BitwiseCopyable>(array: [Scalar], of element: WireTag) {
    array.withUnsafeBytes { numbers in
      reserve(2 + WireHeader.unkeyed + WireHeader.run + numbers.count)
      append(headOf: array, of: element)
      append(numbers)
    }
  }

  /// What comes before the bytes of such a container's numbers.
  mutating func append<Scalar: BitwiseCopyable>(headOf array: [Scalar], of element: WireTag) {
    if array.isEmpty {
      append(.unkeyed)
      append(bare: 0 as UInt64)
      append(bare: 0 as UInt64)
    } else {
      append(headOfArray: array.count, of: element, size: MemoryLayout<Scalar>.stride)
    }
  }

  /// What comes before numbers that are all of an array.
  mutating func append(headOfArray count: Int, of element: WireTag, size: Int) {
    append(.unkeyed)
    append(bare: UInt64(1 + WireHeader.run + size * count))
    append(bare: UInt64(count))
    append(headOfRun: count, of: element)
  }

  /// The same, written over such a head at `offset`, for there are more now.
  mutating func patch(headOfArray count: Int, size: Int, at offset: Int) {
    let length = offset + 1
    let run = length + WireHeader.unkeyed
    patch(1 + WireHeader.run + size * count, at: length)
    patch(count, at: length + 8)
    patch(count, at: run + 2)  // behind two tags
  }

  private mutating func append(headOfRun count: Int, of element: WireTag) {
    append(.run)
    append(element)
    append(bare: UInt64(count))
  }
}
