// SPDX-License-Identifier: Apache-2.0

struct SingleValueEncoding: SingleValueEncodingContainer {
  let node: EncodingNode

  var codingPath: [any CodingKey] { node.codingPath }

  func encodeNil() throws { try append { $0.append(.null) } }
  func encode(_ value: Bool) throws { try append { $0.append(value) } }
  func encode(_ value: String) throws { try append { $0.append(value) } }
  func encode(_ value: Double) throws { try append { $0.append(scalar: value) } }
  func encode(_ value: Float) throws { try append { $0.append(scalar: value) } }
  func encode(_ value: Int) throws { try append { $0.append(scalar: value) } }
  func encode(_ value: Int8) throws { try append { $0.append(scalar: value) } }
  func encode(_ value: Int16) throws { try append { $0.append(scalar: value) } }
  func encode(_ value: Int32) throws { try append { $0.append(scalar: value) } }
  func encode(_ value: Int64) throws { try append { $0.append(scalar: value) } }
  func encode(_ value: Int128) throws { try append { $0.append(scalar: value) } }
  func encode(_ value: UInt) throws { try append { $0.append(scalar: value) } }
  func encode(_ value: UInt8) throws { try append { $0.append(scalar: value) } }
  func encode(_ value: UInt16) throws { try append { $0.append(scalar: value) } }
  func encode(_ value: UInt32) throws { try append { $0.append(scalar: value) } }
  func encode(_ value: UInt64) throws { try append { $0.append(scalar: value) } }
  func encode(_ value: UInt128) throws { try append { $0.append(scalar: value) } }

  func encode<T: Encodable>(_ value: T) throws {
    try node.beginSingle()
    if node.bytes.append(directly: value) { return }
    let start = node.bytes.count
    do {
      try value.encode(in: node.storage, container: node.storage.innermost, parent: node, key: nil)
    } catch {
      node.restart(at: start)
      throw error
    }
    if node.valueType is any OptionalType.Type { node.storage.wrapOptional(at: start) }
  }

  @inline(__always)
  private func append(_ write: (inout ByteWriter) -> Void) throws {
    try node.beginSingle()
    write(&node.bytes)
  }
}

/// `Optional`, whatever it wraps.
private protocol OptionalType {}
extension Optional: OptionalType {}
