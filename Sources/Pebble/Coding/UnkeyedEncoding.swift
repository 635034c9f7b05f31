// SPDX-License-Identifier: Apache-2.0

struct UnkeyedEncoding: UnkeyedEncodingContainer {
  let node: EncodingNode

  var codingPath: [any CodingKey] { node.codingPath }
  var count: Int { node.totalCount }

  mutating func encodeNil() { node.element().append(.null) }
  mutating func encode(_ value: Bool) { node.element().append(value) }
  mutating func encode(_ value: String) { node.element().append(value) }
  mutating func encode(_ value: Double) { node.element().append(scalar: value) }
  mutating func encode(_ value: Float) { node.element().append(scalar: value) }
  mutating func encode(_ value: Int) { node.element().append(scalar: value) }
  mutating func encode(_ value: Int8) { node.element().append(scalar: value) }
  mutating func encode(_ value: Int16) { node.element().append(scalar: value) }
  mutating func encode(_ value: Int32) { node.element().append(scalar: value) }
  mutating func encode(_ value: Int64) { node.element().append(scalar: value) }
  mutating func encode(_ value: Int128) { node.element().append(scalar: value) }
  mutating func encode(_ value: UInt) { node.element().append(scalar: value) }
  mutating func encode(_ value: UInt8) { node.element().append(scalar: value) }
  mutating func encode(_ value: UInt16) { node.element().append(scalar: value) }
  mutating func encode(_ value: UInt32) { node.element().append(scalar: value) }
  mutating func encode(_ value: UInt64) { node.element().append(scalar: value) }
  mutating func encode(_ value: UInt128) { node.element().append(scalar: value) }

  mutating func encode<T: Encodable>(_ value: T) throws {
    try node.append(value)
  }

  mutating func encode(contentsOf values: some Sequence<Bool>) { append(values, of: .bool) { $0.append($1) } }
  mutating func encode(contentsOf values: some Sequence<Double>) { append(values) }
  mutating func encode(contentsOf values: some Sequence<Float>) { append(values) }
  mutating func encode(contentsOf values: some Sequence<Int>) { append(values) }
  mutating func encode(contentsOf values: some Sequence<Int8>) { append(values) }
  mutating func encode(contentsOf values: some Sequence<Int16>) { append(values) }
  mutating func encode(contentsOf values: some Sequence<Int32>) { append(values) }
  mutating func encode(contentsOf values: some Sequence<Int64>) { append(values) }
  mutating func encode(contentsOf values: some Sequence<Int128>) { append(values) }
  mutating func encode(contentsOf values: some Sequence<UInt>) { append(values) }
  mutating func encode(contentsOf values: some Sequence<UInt8>) { append(values) }
  mutating func encode(contentsOf values: some Sequence<UInt16>) { append(values) }
  mutating func encode(contentsOf values: some Sequence<UInt32>) { append(values) }
  mutating func encode(contentsOf values: some Sequence<UInt64>) { append(values) }
  mutating func encode(contentsOf values: some Sequence<UInt128>) { append(values) }

  mutating func nestedContainer<Nested: CodingKey>(keyedBy _: Nested.Type) -> KeyedEncodingContainer<Nested> {
    KeyedEncodingContainer(KeyedEncoding<Nested>(node: node.container(.keyed)))
  }

  mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
    UnkeyedEncoding(node: node.container(.unkeyed))
  }

  mutating func superEncoder() -> any Encoder {
    node.container(.slot).slotted()
  }

  private func append<Scalar: RawScalar>(_ values: some Sequence<Scalar>) {
    append(values, of: Scalar.tag) { $0.append(scalar: $1) }
  }

  /// Appends a run if `values` are contiguous in memory, which is what makes `Data` fast.
  private func append<Element: BitwiseCopyable>(
    _ values: some Sequence<Element>, of element: WireTag, one append: (ByteWriter, Element) -> Void
  ) {
    let run: Void? = values.withContiguousStorageIfAvailable { numbers in
      guard !numbers.isEmpty else { return }
      let node = node.active()
      node.storage.bytes.append(run: numbers, of: element)
      node.count += numbers.count
    }
    if run == nil {
      for value in values { append(node.element(), value) }
    }
  }
}

/// Writing the elements of an unkeyed container.
extension EncodingNode {
  /// Begins an element, which is to be appended to the result at once.
  @inline(__always)
  fileprivate func element() -> ByteWriter {
    let node = active()
    node.count += 1
    return node.storage.bytes
  }

  fileprivate func append<T: Encodable>(_ value: T) throws {
    let node = active()
    let storage = node.storage
    if !storage.bytes.append(directly: value) {
      let start = storage.bytes.count
      do {
        try value.encode(in: storage, parent: node, key: IndexKey(totalCount))
      } catch {
        storage.abandon(from: start)
        throw error
      }
    }
    node.count += 1
  }

  fileprivate func container(_ kind: ContainerKind) -> EncodingNode {
    let node = active()
    let key = IndexKey(totalCount)
    node.count += 1
    return node.nested(kind, key)
  }
}
