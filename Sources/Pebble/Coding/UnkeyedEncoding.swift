// SPDX-License-Identifier: Apache-2.0

struct UnkeyedEncoding: UnkeyedEncodingContainer {
  let node: EncodingNode

  var codingPath: [any CodingKey] { node.codingPath }
  var count: Int { node.totalCount }

  func encodeNil() { node.element { $0.append(.null) } }
  func encode(_ value: Bool) { node.element { $0.append(value) } }
  func encode(_ value: String) { node.element { $0.append(value) } }
  func encode(_ value: Double) { node.element { $0.append(scalar: value) } }
  func encode(_ value: Float) { node.element { $0.append(scalar: value) } }
  func encode(_ value: Int) { node.element { $0.append(scalar: value) } }
  func encode(_ value: Int8) { node.element { $0.append(scalar: value) } }
  func encode(_ value: Int16) { node.element { $0.append(scalar: value) } }
  func encode(_ value: Int32) { node.element { $0.append(scalar: value) } }
  func encode(_ value: Int64) { node.element { $0.append(scalar: value) } }
  func encode(_ value: Int128) { node.element { $0.append(scalar: value) } }
  func encode(_ value: UInt) { node.element { $0.append(scalar: value) } }
  func encode(_ value: UInt8) { node.element { $0.append(scalar: value) } }
  func encode(_ value: UInt16) { node.element { $0.append(scalar: value) } }
  func encode(_ value: UInt32) { node.element { $0.append(scalar: value) } }
  func encode(_ value: UInt64) { node.element { $0.append(scalar: value) } }
  func encode(_ value: UInt128) { node.element { $0.append(scalar: value) } }

  func encode<T: Encodable>(_ value: T) throws {
    try node.append(value)
  }

  func encode(contentsOf values: some Sequence<Bool>) { append(values, of: .bool) { $0.append($1) } }
  func encode(contentsOf values: some Sequence<Double>) { append(values) }
  func encode(contentsOf values: some Sequence<Float>) { append(values) }
  func encode(contentsOf values: some Sequence<Int>) { append(values) }
  func encode(contentsOf values: some Sequence<Int8>) { append(values) }
  func encode(contentsOf values: some Sequence<Int16>) { append(values) }
  func encode(contentsOf values: some Sequence<Int32>) { append(values) }
  func encode(contentsOf values: some Sequence<Int64>) { append(values) }
  func encode(contentsOf values: some Sequence<Int128>) { append(values) }
  func encode(contentsOf values: some Sequence<UInt>) { append(values) }
  func encode(contentsOf values: some Sequence<UInt8>) { append(values) }
  func encode(contentsOf values: some Sequence<UInt16>) { append(values) }
  func encode(contentsOf values: some Sequence<UInt32>) { append(values) }
  func encode(contentsOf values: some Sequence<UInt64>) { append(values) }
  func encode(contentsOf values: some Sequence<UInt128>) { append(values) }

  func nestedContainer<Nested: CodingKey>(keyedBy _: Nested.Type) -> KeyedEncodingContainer<Nested> {
    KeyedEncodingContainer(KeyedEncoding<Nested>(node: node.container(.keyed)))
  }

  func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
    UnkeyedEncoding(node: node.container(.unkeyed))
  }

  func superEncoder() -> any Encoder {
    SuperEncoder(slot: node.container(.slot))
  }

  private func append<Scalar: RawScalar>(_ values: some Sequence<Scalar>) {
    append(values, of: Scalar.tag) { $0.append(scalar: $1) }
  }

  /// Appends a run if `values` are contiguous in memory, which is what makes `Data` fast.
  private func append<Element: BitwiseCopyable>(
    _ values: some Sequence<Element>, of element: WireTag, one append: (inout ByteWriter, Element) -> Void
  ) {
    let run: Void? = values.withContiguousStorageIfAvailable { node.append(run: $0, of: element) }
    if run == nil {
      for value in values { node.element { append(&$0, value) } }
    }
  }
}

/// Writing the elements of an unkeyed container.
extension EncodingNode {
  /// Appends an element, which is what `write` appends.
  @inline(__always)
  fileprivate func element(_ write: (inout ByteWriter) -> Void) {
    guard activate() else { return continuation.elementElsewhere(write) }
    count += 1
    write(&bytes)
  }

  @inline(never)
  private func elementElsewhere(_ write: (inout ByteWriter) -> Void) {
    element(write)
  }

  fileprivate func append<T: Encodable>(_ value: T) throws {
    guard activate() else { return try continuation.append(value) }
    let key = IndexKey(totalCount)
    count += 1
    if bytes.append(directly: value) { return }
    let start = bytes.count
    do {
      try value.encode(in: storage, container: self, parent: self, key: key)
    } catch {
      storage.abandon(from: start)
      count -= 1
      throw error
    }
  }

  fileprivate func append<Element: BitwiseCopyable>(run: UnsafeBufferPointer<Element>, of element: WireTag) {
    guard activate() else { return continuation.append(run: run, of: element) }
    guard !run.isEmpty else { return }
    bytes.append(run: run, of: element)
    count += run.count
  }

  fileprivate func container(_ kind: ContainerKind) -> EncodingNode {
    guard activate() else { return continuation.container(kind) }
    let key = IndexKey(totalCount)
    count += 1
    return nested(kind, key)
  }
}
