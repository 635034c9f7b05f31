// SPDX-License-Identifier: Apache-2.0

struct SingleValueEncoding: SingleValueEncodingContainer {
  let node: EncodingNode

  var codingPath: [any CodingKey] { node.codingPath }

  mutating func encodeNil() throws { try node.single().append(.null) }
  mutating func encode(_ value: Bool) throws { try node.single().append(value) }
  mutating func encode(_ value: String) throws { try node.single().append(value) }
  mutating func encode(_ value: Double) throws { try node.single().append(scalar: value) }
  mutating func encode(_ value: Float) throws { try node.single().append(scalar: value) }
  mutating func encode(_ value: Int) throws { try node.single().append(scalar: value) }
  mutating func encode(_ value: Int8) throws { try node.single().append(scalar: value) }
  mutating func encode(_ value: Int16) throws { try node.single().append(scalar: value) }
  mutating func encode(_ value: Int32) throws { try node.single().append(scalar: value) }
  mutating func encode(_ value: Int64) throws { try node.single().append(scalar: value) }
  mutating func encode(_ value: Int128) throws { try node.single().append(scalar: value) }
  mutating func encode(_ value: UInt) throws { try node.single().append(scalar: value) }
  mutating func encode(_ value: UInt8) throws { try node.single().append(scalar: value) }
  mutating func encode(_ value: UInt16) throws { try node.single().append(scalar: value) }
  mutating func encode(_ value: UInt32) throws { try node.single().append(scalar: value) }
  mutating func encode(_ value: UInt64) throws { try node.single().append(scalar: value) }
  mutating func encode(_ value: UInt128) throws { try node.single().append(scalar: value) }

  mutating func encode<T: Encodable>(_ value: T) throws {
    let bytes = try node.single()
    if bytes.append(directly: value) { return }
    let start = bytes.count
    do {
      try value.encode(in: node.storage, parent: node, key: nil)
    } catch {
      node.restart(at: start)
      throw error
    }
    if node.valueType is any OptionalType.Type { node.storage.wrapOptional(at: start) }
  }
}

/// `Optional`, whatever it wraps.
private protocol OptionalType {}
extension Optional: OptionalType {}
