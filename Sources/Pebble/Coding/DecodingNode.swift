// SPDX-License-Identifier: Apache-2.0

/// One value being decoded, and what is known of the container it is.
final class DecodingNode: Decoder {
  let source: DecodingSource
  let value: WireValue
  private let parent: DecodingNode?
  private let key: (any CodingKey)?
  private let depth: Int
  /// The entries of a keyed container, once somebody asked for one.
  @exclusivity(unchecked) var entries = KeyedEntries(0..<0)

  /// The outermost value.
  init(_ source: DecodingSource, _ value: WireValue) {
    self.source = source
    self.value = value
    parent = nil
    key = nil
    depth = 1
  }

  /// A value in the container or wrapper `parent`, which knows it by `key`.
  init(_ value: WireValue, in parent: DecodingNode, _ key: (any CodingKey)?) throws(WireFailure) {
    guard parent.depth < codingDepthLimit else { throw .tooDeep }
    source = parent.source
    self.value = value
    self.parent = parent
    self.key = key
    depth = parent.depth + 1
  }

  var reader: ByteReader {
    @inline(__always) get { source.reader }
  }

  var userInfo: [CodingUserInfoKey: Any] { [:] }

  var codingPath: [any CodingKey] {
    var path: [any CodingKey] = []
    var node: DecodingNode? = self
    while let current = node {
      if let key = current.key { path.append(key) }
      node = current.parent
    }
    return path.reversed()
  }

  func container<Key: CodingKey>(keyedBy _: Key.Type) throws -> KeyedDecodingContainer<Key> {
    do throws(WireFailure) {
      let value = try reader.unwrapped(value)
      switch value.tag {
      case .keyed: entries = KeyedEntries(try reader.body(value))
      case .empty: entries = KeyedEntries(value.payload..<value.payload)
      default: throw .mismatch(found: value.tag)
      }
    } catch {
      throw DecodingError(error, expecting: [String: Any].self, at: codingPath)
    }
    return KeyedDecodingContainer(KeyedDecoding(node: self))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    do throws(WireFailure) {
      return try UnkeyedDecoding(node: self)
    } catch {
      throw DecodingError(error, expecting: [Any].self, at: codingPath)
    }
  }

  func singleValueContainer() -> any SingleValueDecodingContainer {
    SingleValueDecoding(node: self)
  }

  /// Decodes a value inside this one.
  @inline(__always)
  func decode<T: Decodable>(_ type: T.Type, _ value: WireValue, _ key: @autoclosure () -> (any CodingKey)?) throws -> T
  {
    let node: DecodingNode
    do throws(WireFailure) {
      let reader = reader
      let path = try reader.fastPath(value, to: type)
      if path.isFast { return try reader.decode(value, as: type, path) }
      node = try DecodingNode(value, in: self, key())
    } catch {
      throw self.error(error, expecting: type, key())
    }
    return try T(from: node)
  }

  /// A container or super decoder inside this one.
  func nested(_ value: WireValue, _ key: any CodingKey) throws -> DecodingNode {
    do throws(WireFailure) {
      return try DecodingNode(value, in: self, key)
    } catch {
      throw self.error(error, expecting: Any.self, key)
    }
  }

  func error(_ failure: WireFailure, expecting type: Any.Type, _ key: (any CodingKey)?) -> DecodingError {
    DecodingError(failure, expecting: type, at: codingPath + (key.map { [$0] } ?? []))
  }
}
