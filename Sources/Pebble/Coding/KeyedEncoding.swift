// SPDX-License-Identifier: Apache-2.0

struct KeyedEncoding<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let node: EncodingNode

  var codingPath: [any CodingKey] { node.codingPath }

  func encodeNil(forKey key: Key) { node.entry(key.stringValue) { $0.append(.null) } }
  func encode(_ value: Bool, forKey key: Key) { node.entry(key.stringValue) { $0.append(value) } }
  func encode(_ value: String, forKey key: Key) { node.entry(key.stringValue) { $0.append(value) } }
  func encode(_ value: Double, forKey key: Key) { node.entry(key.stringValue) { $0.append(scalar: value) } }
  func encode(_ value: Float, forKey key: Key) { node.entry(key.stringValue) { $0.append(scalar: value) } }
  func encode(_ value: Int, forKey key: Key) { node.entry(key.stringValue) { $0.append(scalar: value) } }
  func encode(_ value: Int8, forKey key: Key) { node.entry(key.stringValue) { $0.append(scalar: value) } }
  func encode(_ value: Int16, forKey key: Key) { node.entry(key.stringValue) { $0.append(scalar: value) } }
  func encode(_ value: Int32, forKey key: Key) { node.entry(key.stringValue) { $0.append(scalar: value) } }
  func encode(_ value: Int64, forKey key: Key) { node.entry(key.stringValue) { $0.append(scalar: value) } }
  func encode(_ value: Int128, forKey key: Key) { node.entry(key.stringValue) { $0.append(scalar: value) } }
  func encode(_ value: UInt, forKey key: Key) { node.entry(key.stringValue) { $0.append(scalar: value) } }
  func encode(_ value: UInt8, forKey key: Key) { node.entry(key.stringValue) { $0.append(scalar: value) } }
  func encode(_ value: UInt16, forKey key: Key) { node.entry(key.stringValue) { $0.append(scalar: value) } }
  func encode(_ value: UInt32, forKey key: Key) { node.entry(key.stringValue) { $0.append(scalar: value) } }
  func encode(_ value: UInt64, forKey key: Key) { node.entry(key.stringValue) { $0.append(scalar: value) } }
  func encode(_ value: UInt128, forKey key: Key) { node.entry(key.stringValue) { $0.append(scalar: value) } }

  func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
    try node.entry(key, value, asOptional: false)
  }

  func encodeIfPresent<T: Encodable>(_ value: T?, forKey key: Key) throws {
    if let value { try node.entry(key, value, asOptional: true) }
  }

  func nestedContainer<Nested: CodingKey>(
    keyedBy _: Nested.Type, forKey key: Key
  ) -> KeyedEncodingContainer<Nested> {
    KeyedEncodingContainer(KeyedEncoding<Nested>(node: node.container(.keyed, key)))
  }

  func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
    UnkeyedEncoding(node: node.container(.unkeyed, key))
  }

  func superEncoder() -> any Encoder {
    SuperEncoder(slot: node.container(.slot, SuperKey.super))
  }

  func superEncoder(forKey key: Key) -> any Encoder {
    SuperEncoder(slot: node.container(.slot, key))
  }
}
