// SPDX-License-Identifier: Apache-2.0

struct KeyedDecoding<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let node: DecodingNode

  var codingPath: [any CodingKey] { node.codingPath }

  /// No key comes twice, for types rely on that.
  var allKeys: [Key] {
    node.entries.names(node.reader).compactMap(Key.init(stringValue:))
  }

  func contains(_ key: Key) -> Bool {
    ((try? node.entries.find(key.stringValue, node.reader)) ?? nil) != nil
  }

  func decodeNil(forKey key: Key) throws -> Bool {
    do throws(WireFailure) {
      if let value = try node.entries.find(key.stringValue, node.reader) { return try node.reader.isNull(value) }
    } catch {
      throw node.error(error, expecting: Any.self, key)
    }
    throw DecodingError.missing(key, at: codingPath)
  }

  func decode(_: Bool.Type, forKey key: Key) throws -> Bool { try present(key, bool(key)) }
  func decode(_: String.Type, forKey key: Key) throws -> String { try present(key, string(key)) }
  func decode(_: Double.Type, forKey key: Key) throws -> Double { try present(key, number(key)) }
  func decode(_: Float.Type, forKey key: Key) throws -> Float { try present(key, number(key)) }
  func decode(_: Int.Type, forKey key: Key) throws -> Int { try present(key, number(key)) }
  func decode(_: Int8.Type, forKey key: Key) throws -> Int8 { try present(key, number(key)) }
  func decode(_: Int16.Type, forKey key: Key) throws -> Int16 { try present(key, number(key)) }
  func decode(_: Int32.Type, forKey key: Key) throws -> Int32 { try present(key, number(key)) }
  func decode(_: Int64.Type, forKey key: Key) throws -> Int64 { try present(key, number(key)) }
  func decode(_: Int128.Type, forKey key: Key) throws -> Int128 { try present(key, number(key)) }
  func decode(_: UInt.Type, forKey key: Key) throws -> UInt { try present(key, number(key)) }
  func decode(_: UInt8.Type, forKey key: Key) throws -> UInt8 { try present(key, number(key)) }
  func decode(_: UInt16.Type, forKey key: Key) throws -> UInt16 { try present(key, number(key)) }
  func decode(_: UInt32.Type, forKey key: Key) throws -> UInt32 { try present(key, number(key)) }
  func decode(_: UInt64.Type, forKey key: Key) throws -> UInt64 { try present(key, number(key)) }
  func decode(_: UInt128.Type, forKey key: Key) throws -> UInt128 { try present(key, number(key)) }

  func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
    guard let value = try take(key, type) else { throw DecodingError.missing(key, at: codingPath) }
    return try node.decode(type, value, key)
  }

  func decodeIfPresent(_: Bool.Type, forKey key: Key) throws -> Bool? { try bool(key, nilIsAbsent: true) }
  func decodeIfPresent(_: String.Type, forKey key: Key) throws -> String? { try string(key, nilIsAbsent: true) }
  func decodeIfPresent(_: Double.Type, forKey key: Key) throws -> Double? { try number(key, nilIsAbsent: true) }
  func decodeIfPresent(_: Float.Type, forKey key: Key) throws -> Float? { try number(key, nilIsAbsent: true) }
  func decodeIfPresent(_: Int.Type, forKey key: Key) throws -> Int? { try number(key, nilIsAbsent: true) }
  func decodeIfPresent(_: Int8.Type, forKey key: Key) throws -> Int8? { try number(key, nilIsAbsent: true) }
  func decodeIfPresent(_: Int16.Type, forKey key: Key) throws -> Int16? { try number(key, nilIsAbsent: true) }
  func decodeIfPresent(_: Int32.Type, forKey key: Key) throws -> Int32? { try number(key, nilIsAbsent: true) }
  func decodeIfPresent(_: Int64.Type, forKey key: Key) throws -> Int64? { try number(key, nilIsAbsent: true) }
  func decodeIfPresent(_: Int128.Type, forKey key: Key) throws -> Int128? { try number(key, nilIsAbsent: true) }
  func decodeIfPresent(_: UInt.Type, forKey key: Key) throws -> UInt? { try number(key, nilIsAbsent: true) }
  func decodeIfPresent(_: UInt8.Type, forKey key: Key) throws -> UInt8? { try number(key, nilIsAbsent: true) }
  func decodeIfPresent(_: UInt16.Type, forKey key: Key) throws -> UInt16? { try number(key, nilIsAbsent: true) }
  func decodeIfPresent(_: UInt32.Type, forKey key: Key) throws -> UInt32? { try number(key, nilIsAbsent: true) }
  func decodeIfPresent(_: UInt64.Type, forKey key: Key) throws -> UInt64? { try number(key, nilIsAbsent: true) }
  func decodeIfPresent(_: UInt128.Type, forKey key: Key) throws -> UInt128? { try number(key, nilIsAbsent: true) }

  func decodeIfPresent<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T? {
    guard let value = try take(key, type) else { return nil }
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
    try node.nested(present(key, take(key, type)), key).container(keyedBy: type)
  }

  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
    try node.nested(present(key, take(key, [Any].self)), key).unkeyedContainer()
  }

  /// As with the coders of Foundation, a missing superclass is decoded from nil.
  func superDecoder() throws -> any Decoder {
    try node.nested(take(SuperKey.super, Any.self) ?? .null, SuperKey.super)
  }

  func superDecoder(forKey key: Key) throws -> any Decoder {
    try node.nested(take(key, Any.self) ?? .null, key)
  }
}

/// Finding entries and reading what needs no `init(from:)`.
extension KeyedDecoding {
  @inline(__always)
  private func present<T>(_ key: Key, _ value: T?) throws -> T {
    guard let value else { throw DecodingError.missing(key, at: codingPath) }
    return value
  }

  @inline(__always)
  private func take(_ key: some CodingKey, _ type: Any.Type) throws -> WireValue? {
    do throws(WireFailure) {
      return try node.entries.take(key.stringValue, node.reader)
    } catch {
      throw node.error(error, expecting: type, key)
    }
  }

  @inline(__always)
  private func bool(_ key: Key, nilIsAbsent: Bool = false) throws -> Bool? {
    try read(key, nilIsAbsent) { reader, value throws(WireFailure) in try reader.bool(value) }
  }

  @inline(__always)
  private func string(_ key: Key, nilIsAbsent: Bool = false) throws -> String? {
    try read(key, nilIsAbsent) { reader, value throws(WireFailure) in try reader.string(value) }
  }

  @inline(__always)
  private func number<Number: RawScalar>(_ key: Key, nilIsAbsent: Bool = false) throws -> Number? {
    try read(key, nilIsAbsent) { reader, value throws(WireFailure) in try reader.scalar(value, as: Number.self) }
  }

  @inline(__always)
  private func read<T>(
    _ key: Key, _ nilIsAbsent: Bool, _ body: (ByteReader, WireValue) throws(WireFailure) -> T
  ) throws -> T? {
    do throws(WireFailure) {
      let reader = node.reader
      guard let value = try node.entries.take(key.stringValue, reader) else { return nil }
      if nilIsAbsent, try reader.isNull(value) { return nil }
      return try body(reader, value)
    } catch {
      throw node.error(error, expecting: T.self, key)
    }
  }
}
