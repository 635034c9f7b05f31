// SPDX-License-Identifier: Apache-2.0

struct KeyedEncoding<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let node: EncodingNode

  var codingPath: [any CodingKey] { node.codingPath }

  mutating func encodeNil(forKey key: Key) { node.entry(key.stringValue).append(.null) }
  mutating func encode(_ value: Bool, forKey key: Key) { node.entry(key.stringValue).append(value) }
  mutating func encode(_ value: String, forKey key: Key) { node.entry(key.stringValue).append(value) }
  mutating func encode(_ value: Double, forKey key: Key) { node.entry(key.stringValue).append(scalar: value) }
  mutating func encode(_ value: Float, forKey key: Key) { node.entry(key.stringValue).append(scalar: value) }
  mutating func encode(_ value: Int, forKey key: Key) { node.entry(key.stringValue).append(scalar: value) }
  mutating func encode(_ value: Int8, forKey key: Key) { node.entry(key.stringValue).append(scalar: value) }
  mutating func encode(_ value: Int16, forKey key: Key) { node.entry(key.stringValue).append(scalar: value) }
  mutating func encode(_ value: Int32, forKey key: Key) { node.entry(key.stringValue).append(scalar: value) }
  mutating func encode(_ value: Int64, forKey key: Key) { node.entry(key.stringValue).append(scalar: value) }
  mutating func encode(_ value: Int128, forKey key: Key) { node.entry(key.stringValue).append(scalar: value) }
  mutating func encode(_ value: UInt, forKey key: Key) { node.entry(key.stringValue).append(scalar: value) }
  mutating func encode(_ value: UInt8, forKey key: Key) { node.entry(key.stringValue).append(scalar: value) }
  mutating func encode(_ value: UInt16, forKey key: Key) { node.entry(key.stringValue).append(scalar: value) }
  mutating func encode(_ value: UInt32, forKey key: Key) { node.entry(key.stringValue).append(scalar: value) }
  mutating func encode(_ value: UInt64, forKey key: Key) { node.entry(key.stringValue).append(scalar: value) }
  mutating func encode(_ value: UInt128, forKey key: Key) { node.entry(key.stringValue).append(scalar: value) }

  mutating func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
    try node.append(value, key, asOptional: false)
  }

  mutating func encodeIfPresent<T: Encodable>(_ value: T?, forKey key: Key) throws {
    if let value { try node.append(value, key, asOptional: true) }
  }

  mutating func nestedContainer<Nested: CodingKey>(
    keyedBy _: Nested.Type, forKey key: Key
  ) -> KeyedEncodingContainer<Nested> {
    KeyedEncodingContainer(KeyedEncoding<Nested>(node: node.container(.keyed, key)))
  }

  mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
    UnkeyedEncoding(node: node.container(.unkeyed, key))
  }

  mutating func superEncoder() -> any Encoder {
    node.container(.slot, SuperKey.super).slotted()
  }

  mutating func superEncoder(forKey key: Key) -> any Encoder {
    node.container(.slot, key).slotted()
  }
}
