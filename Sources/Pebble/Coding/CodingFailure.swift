// SPDX-License-Identifier: Apache-2.0

/// How many values may sit inside one another, containers and wrappers alike.
///
/// Cyclic objects and hostile nesting end here instead of at the end of the stack.
let codingDepthLimit = 512

/// What is wrong with a value, before anybody adds where it was and what it should have been.
enum WireFailure: Error {
  case truncated
  case unknownTag(UInt8)
  case malformed(String)
  case mismatch(found: WireTag)
  case unrepresentable
  case tooDeep
  /// In an element of what was to be read at once.
  indirect case element(Int, of: Any.Type, WireFailure)
}

extension DecodingError {
  init(_ failure: WireFailure, expecting type: Any.Type, at path: [any CodingKey]) {
    func context(_ description: String) -> Context { Context(codingPath: path, debugDescription: description) }
    switch failure {
    case .truncated:
      self = .dataCorrupted(context("The encoded bytes end inside a value of type \(type)."))
    case .unknownTag(let byte):
      self = .dataCorrupted(context("No value of type \(type) begins with the byte \(byte)."))
    case .malformed(let detail):
      self = .dataCorrupted(context("The encoded bytes of a value of type \(type) are malformed: \(detail)."))
    case .mismatch(found: .null):
      self = .valueNotFound(type, context("Expected a value of type \(type) but found nil."))
    case .mismatch(let tag):
      self = .typeMismatch(type, context("Expected a value of type \(type) but found \(tag)."))
    case .unrepresentable:
      self = .dataCorrupted(context("The encoded number does not fit in \(type)."))
    case .tooDeep:
      self = .dataCorrupted(context("Values are nested deeper than \(codingDepthLimit) levels."))
    case .element(let index, let type, let failure):
      self.init(failure, expecting: type, at: path + [IndexKey(index)])
    }
  }

  static func missing(_ key: some CodingKey, at path: [any CodingKey]) -> DecodingError {
    .keyNotFound(
      key, Context(codingPath: path, debugDescription: "No value is associated with \"\(key.stringValue)\"."))
  }

  static func exhausted(_ type: Any.Type, at path: [any CodingKey]) -> DecodingError {
    .valueNotFound(type, Context(codingPath: path, debugDescription: "The unkeyed container is at its end."))
  }
}

extension EncodingError {
  static func tooDeep(_ value: Any, at path: [any CodingKey]) -> EncodingError {
    .invalidValue(
      value,
      Context(
        codingPath: path,
        debugDescription: "Values are nested deeper than \(codingDepthLimit) levels, or refer to themselves."))
  }

  /// A value that asks its encoder for what cannot be given any more.
  static func misuse(by type: Any.Type, _ description: String, at path: [any CodingKey]) -> EncodingError {
    .invalidValue(type, Context(codingPath: path, debugDescription: "\(type) \(description)."))
  }
}
