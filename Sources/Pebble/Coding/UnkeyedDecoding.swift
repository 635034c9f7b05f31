// SPDX-License-Identifier: Apache-2.0

struct UnkeyedDecoding: UnkeyedDecodingContainer {
  private let node: DecodingNode
  private let total: Int
  private let limit: Int
  private var next: Int
  /// The run that holds the next element, and how many of its elements have been taken.
  private var run: WireRun?
  private var taken = 0
  private(set) var currentIndex = 0

  init(node: DecodingNode) throws(WireFailure) {
    self.node = node
    let value = try node.reader.unwrapped(node.value)
    switch value.tag {
    case .unkeyed:
      let (bytes, count) = try node.reader.elements(value)
      next = bytes.lowerBound
      limit = bytes.upperBound
      total = count
    case .empty:
      next = value.payload
      limit = value.payload
      total = 0
    default:
      throw .mismatch(found: value.tag)
    }
  }

  var codingPath: [any CodingKey] { node.codingPath }
  var count: Int? { total }
  var isAtEnd: Bool { currentIndex >= total }

  mutating func decodeNil() throws -> Bool {
    let element = try peek(Any.self)
    guard try check(Any.self, { () throws(WireFailure) in try node.reader.isNull(element.value) }) else { return false }
    advance(element)
    return true
  }

  mutating func decode(_ type: Bool.Type) throws -> Bool {
    try take(type) { value, reader throws(WireFailure) in try reader.bool(value) }
  }

  mutating func decode(_ type: String.Type) throws -> String {
    try take(type) { value, reader throws(WireFailure) in try reader.string(value) }
  }

  mutating func decode(_ type: Double.Type) throws -> Double { try scalar() }
  mutating func decode(_ type: Float.Type) throws -> Float { try scalar() }
  mutating func decode(_ type: Int.Type) throws -> Int { try scalar() }
  mutating func decode(_ type: Int8.Type) throws -> Int8 { try scalar() }
  mutating func decode(_ type: Int16.Type) throws -> Int16 { try scalar() }
  mutating func decode(_ type: Int32.Type) throws -> Int32 { try scalar() }
  mutating func decode(_ type: Int64.Type) throws -> Int64 { try scalar() }
  mutating func decode(_ type: Int128.Type) throws -> Int128 { try scalar() }
  mutating func decode(_ type: UInt.Type) throws -> UInt { try scalar() }
  mutating func decode(_ type: UInt8.Type) throws -> UInt8 { try scalar() }
  mutating func decode(_ type: UInt16.Type) throws -> UInt16 { try scalar() }
  mutating func decode(_ type: UInt32.Type) throws -> UInt32 { try scalar() }
  mutating func decode(_ type: UInt64.Type) throws -> UInt64 { try scalar() }
  mutating func decode(_ type: UInt128.Type) throws -> UInt128 { try scalar() }

  mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
    let element = try peek(type)
    let decoded = try node.decode(type, element.value, IndexKey(currentIndex))
    advance(element)
    return decoded
  }

  mutating func decodeIfPresent<T: Decodable>(_ type: T.Type) throws -> T? {
    if isAtEnd { return nil }
    let element = try peek(type)
    if try check(type, { () throws(WireFailure) in try node.reader.isNull(element.value) }) {
      advance(element)
      return nil
    }
    let content = try check(type) { () throws(WireFailure) in try node.reader.unwrapped(element.value) }
    let decoded = try node.decode(type, content, IndexKey(currentIndex))
    advance(element)
    return decoded
  }

  mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) throws -> KeyedDecodingContainer<Nested> {
    let element = try peek(type)
    let container = try node.nested(element.value, IndexKey(currentIndex)).container(keyedBy: type)
    advance(element)
    return container
  }

  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
    let element = try peek([Any].self)
    let container = try node.nested(element.value, IndexKey(currentIndex)).unkeyedContainer()
    advance(element)
    return container
  }

  mutating func superDecoder() throws -> any Decoder {
    let element = try peek(Any.self)
    let decoder = try node.nested(element.value, IndexKey(currentIndex))
    advance(element)
    return decoder
  }
}

/// Taking elements. One that fails to decode stays the next one.
extension UnkeyedDecoding {
  private struct Element {
    let value: WireValue
    /// Where the next element is, outside of runs.
    let end: Int
  }

  @inline(__always)
  private mutating func peek(_ type: Any.Type) throws -> Element {
    guard currentIndex < total else { throw DecodingError.exhausted(type, at: codingPath + [IndexKey(currentIndex)]) }
    do throws(WireFailure) {
      if let run, taken < run.count {
        return Element(value: try node.reader.element(taken, of: run), end: run.end)
      }
      let value = try node.reader.value(at: next, limit: limit)
      if value.tag == .run { return try enterRun(value) }
      return Element(value: value, end: try node.reader.end(of: value))
    } catch {
      throw node.error(error, expecting: type, IndexKey(currentIndex))
    }
  }

  private mutating func enterRun(_ value: WireValue) throws(WireFailure) -> Element {
    let run = try node.reader.run(value)
    guard run.count > 0 else { throw .malformed("a run is empty") }
    let first = try node.reader.element(0, of: run)
    self.run = run
    taken = 0
    next = run.end
    return Element(value: first, end: run.end)
  }

  @inline(__always)
  private mutating func advance(_ element: Element) {
    currentIndex += 1
    next = element.end
    taken += 1
  }

  @inline(__always)
  private mutating func scalar<Scalar: RawScalar>() throws -> Scalar {
    try take(Scalar.self) { value, reader throws(WireFailure) in try reader.scalar(value, as: Scalar.self) }
  }

  @inline(__always)
  private mutating func take<T>(
    _ type: T.Type, _ body: (WireValue, ByteReader) throws(WireFailure) -> T
  ) throws -> T {
    let element = try peek(type)
    let reader = node.reader
    let decoded = try check(type) { () throws(WireFailure) in try body(element.value, reader) }
    advance(element)
    return decoded
  }

  @inline(__always)
  private func check<Result>(_ type: Any.Type, _ body: () throws(WireFailure) -> Result) throws -> Result {
    do throws(WireFailure) {
      return try body()
    } catch {
      throw node.error(error, expecting: type, IndexKey(currentIndex))
    }
  }
}
