// SPDX-License-Identifier: Apache-2.0

/// What a subclass hands to its superclass: one value in a slot of the subclass's container, written whenever.
final class SuperEncoder: Encoder {
  private let slot: EncodingNode
  private lazy var value = slot.slotted()

  init(slot: EncodingNode) {
    self.slot = slot
  }

  var codingPath: [any CodingKey] { slot.codingPath }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    value.container(keyedBy: type)
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    value.unkeyedContainer()
  }

  func singleValueContainer() -> any SingleValueEncodingContainer {
    value.singleValueContainer()
  }
}

extension EncodingNode {
  /// The value in this slot.
  fileprivate func slotted() -> EncodingNode {
    let slot = activate() ? self : continuation
    return EncodingNode(in: slot.storage, parent: slot, key: nil, valueType: valueType)
  }
}
