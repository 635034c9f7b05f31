// SPDX-License-Identifier: Apache-2.0

/// One value being encoded, and the container it has become if it asked for one.
final class EncodingNode: Encoder {
  private enum State {
    /// Nothing has been written.
    case fresh
    /// A single value has been written.
    case single
    /// On the storage's stack of open containers.
    case open
    case closed
    /// Its bytes are gone, for an error was thrown in it; what else it is given is dropped.
    case abandoned
  }

  @exclusivity(unchecked) private(set) var storage: EncodingStorage
  let valueType: Any.Type
  let depth: Int
  private let parent: EncodingNode?
  private let key: (any CodingKey)?
  @exclusivity(unchecked) private var state = State.fresh

  @exclusivity(unchecked) private(set) var kind = ContainerKind.keyed
  /// Where the value begins, and its header with it.
  @exclusivity(unchecked) private(set) var header: Int
  /// Elements of an unkeyed container.
  @exclusivity(unchecked) var count = 0
  /// Keys of a keyed container.
  @exclusivity(unchecked) var seen = SeenKeys()
  /// The open container around this one.
  @exclusivity(unchecked) private var outer: EncodingNode?
  /// What this container continues: a closed container at `header` in `storage`.
  let origin: (storage: EncodingStorage, header: Int)?

  /// A value to be written at the end of `storage`.
  init(in storage: EncodingStorage, parent: EncodingNode?, key: (any CodingKey)?, valueType: Any.Type) {
    self.storage = storage
    self.parent = parent
    self.key = key
    self.valueType = valueType
    depth = (parent?.depth ?? 0) + 1
    origin = nil
    header = storage.bytes.count
  }

  /// The rest of a container that was closed, the one at `header` of `storage`.
  private init(
    continuing header: Int, of storage: EncodingStorage, parent: EncodingNode?, key: (any CodingKey)?,
    valueType: Any.Type, seen: SeenKeys
  ) {
    self.storage = EncodingStorage(ByteWriter(), continuing: storage)
    self.parent = parent
    self.key = key
    self.valueType = valueType
    depth = (parent?.depth ?? 0) + 1
    origin = (storage, header)
    self.header = 0
    self.seen = seen
  }

  var userInfo: [CodingUserInfoKey: Any] { [:] }

  var codingPath: [any CodingKey] {
    var path: [any CodingKey] = []
    var node: EncodingNode? = self
    while let current = node {
      if let key = current.key { path.append(key) }
      node = current.parent
    }
    return path.reversed()
  }

  func container<Key: CodingKey>(keyedBy _: Key.Type) -> KeyedEncodingContainer<Key> {
    KeyedEncodingContainer(KeyedEncoding(node: container(.keyed)))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    UnkeyedEncoding(node: container(.unkeyed))
  }

  func singleValueContainer() -> any SingleValueEncodingContainer {
    SingleValueEncoding(node: self)
  }

  /// A value may ask for its container again, of the same kind: a subclass and its superclass may share one.
  private func container(_ kind: ContainerKind) -> EncodingNode {
    if state == .fresh, begin() {
      storage.open(self, kind)
      return self
    }
    if state != .fresh, state != .single, self.kind == kind { return self }
    storage.fail(.misuse(by: valueType, "asks for a \(kind) container after it encoded something else", at: codingPath))
    return discarded(as: kind)
  }

  /// Whether a fresh value can still be written; moves it to where it then belongs.
  private func begin() -> Bool {
    if let slot = parent, slot.kind == .slot {
      storage = slot.active().storage
      header = storage.bytes.count
      return true
    }
    return header == storage.bytes.count
  }

  /// Begins the only thing this value encodes, which is to be appended to the result at once.
  @inline(__always)
  func single() throws -> ByteWriter {
    guard state == .fresh, begin() else {
      throw EncodingError.misuse(by: valueType, "encodes a single value after it encoded something else", at: codingPath)
    }
    state = .single
    return storage.bytes
  }

  /// Forgets a single value that threw an error.
  func restart(at start: Int) {
    storage.abandon(from: start)
    header = start
    state = .fresh
  }

  /// To be called after `encode(to:)`: a value that wrote nothing is `empty`.
  @inline(__always)
  func finish(inside innermost: EncodingNode?) {
    if state == .fresh, begin() { storage.bytes.append(.empty) }
    if storage.innermost !== innermost { storage.close(inside: innermost) }
  }
}

/// The container.
extension EncodingNode {
  /// The node through which to write at the end of this container, with no container open inside it.
  @inline(__always)
  func active() -> EncodingNode {
    storage.innermost === self ? self : activated()
  }

  @inline(never)
  private func activated() -> EncodingNode {
    switch state {
    case .open:
      storage.close(inside: self)
      return self
    case .closed:
      return storage.continuation(
        of: header, kind,
        for: EncodingNode(
          continuing: header, of: storage, parent: parent, key: key, valueType: valueType, seen: seen)
      ).active()
    case .fresh, .single, .abandoned:
      return discarded(as: kind)
    }
  }

  /// A container inside this one, which must be active.
  func nested(_ kind: ContainerKind, _ key: any CodingKey) -> EncodingNode {
    let node = EncodingNode(in: storage, parent: self, key: key, valueType: valueType)
    storage.open(node, kind)
    if node.depth > codingDepthLimit {
      storage.fail(.tooDeep(valueType, at: codingPath))
      return discarded(as: kind)
    }
    return node
  }

  /// A value inside this slot.
  func slotted() -> EncodingNode {
    EncodingNode(in: storage, parent: self, key: nil, valueType: valueType)
  }

  /// The container inside this one that was closed at `header`, to be written to again under `key`.
  func reopened(_ kind: ContainerKind, at header: Int, of storage: EncodingStorage, _ key: any CodingKey) -> EncodingNode {
    storage.continuation(
      of: header, kind,
      for: EncodingNode(continuing: header, of: storage, parent: self, key: key, valueType: valueType, seen: .unknown))
  }

  /// A container whose bytes nobody will read.
  private func discarded(as kind: ContainerKind) -> EncodingNode {
    let storage = EncodingStorage(ByteWriter(), continuing: storage)
    let node = EncodingNode(in: storage, parent: parent, key: key, valueType: valueType)
    storage.open(node, kind)
    return node
  }

  /// How many elements an unkeyed container has, wherever they are.
  var totalCount: Int {
    if let origin { return count + origin.storage.elementCount(at: origin.header) }
    return state == .closed ? count + storage.elementsContinued(at: header) : count
  }

  func opened(as kind: ContainerKind, at header: Int, inside outer: EncodingNode?) {
    state = .open
    self.kind = kind
    self.header = header
    self.outer = outer
  }

  /// Returns the container around this one.
  @inline(__always)
  func closed() -> EncodingNode? {
    state = .closed
    defer { outer = nil }
    return outer
  }

  /// Returns the container around this one.
  func abandoned() -> EncodingNode? {
    state = .abandoned
    defer { outer = nil }
    return outer
  }
}
