// SPDX-License-Identifier: Apache-2.0

struct KeyedDecoding<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let node: DecodingNode

  var codingPath: [any CodingKey] { node.codingPath }

  var allKeys: [Key] {
    var keys: [Key] = []
    try? node.entries.forEach(node.reader) { entry in
      if let key = Key(stringValue: node.reader.name(of: entry)) { keys.append(key) }
    }
    return keys
  }

  func contains(_ key: Key) -> Bool {
    (try? find(key, Any.self)) != nil
  }

  func decodeNil(forKey key: Key) throws -> Bool {
    try read(key, Any.self) { value, reader throws(WireFailure) in try reader.isNull(value) }
  }

  func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool {
    try read(key, type) { value, reader throws(WireFailure) in try reader.bool(value) }
  }

  func decode(_ type: String.Type, forKey key: Key) throws -> String {
    try read(key, type) { value, reader throws(WireFailure) in try reader.string(value) }
  }

  func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try scalar(key) }
  func decode(_ type: Float.Type, forKey key: Key) throws -> Float { try scalar(key) }
  func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try scalar(key) }
  func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { try scalar(key) }
  func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 { try scalar(key) }
  func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { try scalar(key) }
  func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try scalar(key) }
  func decode(_ type: Int128.Type, forKey key: Key) throws -> Int128 { try scalar(key) }
  func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt { try scalar(key) }
  func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { try scalar(key) }
  func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 { try scalar(key) }
  func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 { try scalar(key) }
  func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 { try scalar(key) }
  func decode(_ type: UInt128.Type, forKey key: Key) throws -> UInt128 { try scalar(key) }

  func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
    guard let value = try find(key, type) else { throw DecodingError.missing(key, at: codingPath) }
    return try node.decode(type, value, key)
  }

  func decodeIfPresent<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T? {
    guard let value = try find(key, type) else { return nil }
    let content: WireValue
    do throws(WireFailure) {
      if try node.reader.isNull(value) { return nil }
      content = try node.reader.unwrapped(value)
    } catch {
      throw node.error(error, expecting: type, key)
    }
    return try node.decode(type, content, key)
  }

  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) throws -> KeyedDecodingContainer<Nested> {
    guard let value = try find(key, type) else { throw DecodingError.missing(key, at: codingPath) }
    return try node.nested(value, key).container(keyedBy: type)
  }

  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
    guard let value = try find(key, [Any].self) else { throw DecodingError.missing(key, at: codingPath) }
    return try node.nested(value, key).unkeyedContainer()
  }

  /// As with the coders of Foundation, a missing superclass is decoded from nil.
  func superDecoder() throws -> any Decoder {
    try node.nested(found(SuperKey.super, Any.self) ?? .null, SuperKey.super)
  }

  func superDecoder(forKey key: Key) throws -> any Decoder {
    try node.nested(find(key, Any.self) ?? .null, key)
  }

  @inline(__always)
  private func find(_ key: Key, _ type: Any.Type) throws -> WireValue? {
    try found(key, type)
  }

  @inline(__always)
  private func found(_ key: some CodingKey, _ type: Any.Type) throws -> WireValue? {
    do throws(WireFailure) {
      return try node.entries.find(key.stringValue, node.reader)
    } catch {
      throw node.error(error, expecting: type, key)
    }
  }

  @inline(__always)
  private func scalar<Scalar: RawScalar>(_ key: Key) throws -> Scalar {
    try read(key, Scalar.self) { value, reader throws(WireFailure) in try reader.scalar(value, as: Scalar.self) }
  }

  @inline(__always)
  private func read<T, Result>(
    _ key: Key, _ type: T.Type, _ body: (WireValue, ByteReader) throws(WireFailure) -> Result
  ) throws -> Result {
    do throws(WireFailure) {
      let reader = node.reader
      if let value = try node.entries.find(key.stringValue, reader) { return try body(value, reader) }
    } catch {
      throw node.error(error, expecting: type, key)
    }
    throw DecodingError.missing(key, at: codingPath)
  }
}
