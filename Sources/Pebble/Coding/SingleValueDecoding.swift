// SPDX-License-Identifier: Apache-2.0

struct SingleValueDecoding: SingleValueDecodingContainer {
  let node: DecodingNode

  var codingPath: [any CodingKey] { node.codingPath }

  func decodeNil() -> Bool {
    (try? node.reader.isNull(node.value)) ?? false
  }

  func decode(_ type: Bool.Type) throws -> Bool {
    try read(type) { value, reader throws(WireFailure) in try reader.bool(value) }
  }

  func decode(_ type: String.Type) throws -> String {
    try read(type) { value, reader throws(WireFailure) in try reader.string(value) }
  }

  func decode(_ type: Double.Type) throws -> Double { try scalar() }
  func decode(_ type: Float.Type) throws -> Float { try scalar() }
  func decode(_ type: Int.Type) throws -> Int { try scalar() }
  func decode(_ type: Int8.Type) throws -> Int8 { try scalar() }
  func decode(_ type: Int16.Type) throws -> Int16 { try scalar() }
  func decode(_ type: Int32.Type) throws -> Int32 { try scalar() }
  func decode(_ type: Int64.Type) throws -> Int64 { try scalar() }
  func decode(_ type: Int128.Type) throws -> Int128 { try scalar() }
  func decode(_ type: UInt.Type) throws -> UInt { try scalar() }
  func decode(_ type: UInt8.Type) throws -> UInt8 { try scalar() }
  func decode(_ type: UInt16.Type) throws -> UInt16 { try scalar() }
  func decode(_ type: UInt32.Type) throws -> UInt32 { try scalar() }
  func decode(_ type: UInt64.Type) throws -> UInt64 { try scalar() }
  func decode(_ type: UInt128.Type) throws -> UInt128 { try scalar() }

  func decode<T: Decodable>(_ type: T.Type) throws -> T {
    let content: WireValue
    do throws(WireFailure) {
      content = try node.reader.unwrapped(node.value)
    } catch {
      throw node.error(error, expecting: type, nil)
    }
    return try node.decode(type, content, nil)
  }

  @inline(__always)
  private func scalar<Scalar: RawScalar>() throws -> Scalar {
    try read(Scalar.self) { value, reader throws(WireFailure) in try reader.scalar(value, as: Scalar.self) }
  }

  @inline(__always)
  private func read<T>(_ type: T.Type, _ body: (WireValue, ByteReader) throws(WireFailure) -> T) throws -> T {
    do throws(WireFailure) {
      return try body(node.value, node.reader)
    } catch {
      throw node.error(error, expecting: type, nil)
    }
  }
}
