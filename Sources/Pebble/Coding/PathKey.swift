// SPDX-License-Identifier: Apache-2.0

/// A position in an unkeyed container, as a part of a coding path.
struct IndexKey: CodingKey {
  let index: Int

  init(_ index: Int) {
    self.index = index
  }

  init(intValue: Int) {
    index = intValue
  }

  init?(stringValue: String) {
    return nil
  }

  var intValue: Int? { index }
  var stringValue: String { "Index \(index)" }
}

/// The key of what a superclass writes when its subclass names none.
enum SuperKey: String, CodingKey {
  case `super`
}
