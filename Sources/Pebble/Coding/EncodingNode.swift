// SPDX-License-Identifier: Apache-2.0

/// One value being encoded, and the container it has become if it asked for one.
final class EncodingNode: Encoder {
  private enum State {
    /// Nothing has been written.
    case fresh
    /// A single value has been written.
    case single
    /// A container at the end of the storage: what is appended there belongs to it.
    case innermost
    /// A container with another one open inside.
    case open
    case closed
    /// Its bytes are gone, for an error was thrown in it; what else it is given is dropped.
    case abandoned
  }

  let storage: EncodingStorage
  /// The bytes of `storage`, which keeps them.
  private let writer: UnsafeMutablePointer<ByteWriter>
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
  /// The closed container that this one continues.
  let origin: (storage: EncodingStorage, header: Int)?

  /// A value to be written at the end of `storage`.
  init(in storage: EncodingStorage, parent: EncodingNode?, key: (any CodingKey)?, valueType: Any.Type) {
    self.storage = storage
    writer = storage.writer
    self.parent = parent
    self.key = key
    self.valueType = valueType
    depth = (parent?.depth ?? 0) + 1
    origin = nil
    header = storage.bytes.count
  }

  /// The rest of the container that was closed at `header` in `storage`.
  private init(
    continuing header: Int, of storage: EncodingStorage, parent: EncodingNode?, key: (any CodingKey)?,
    valueType: Any.Type, seen: SeenKeys
  ) {
    self.storage = EncodingStorage(besides: storage)
    writer = self.storage.writer
    self.parent = parent
    self.key = key
    self.valueType = valueType
    depth = (parent?.depth ?? 0) + 1
    origin = (storage, header)
    self.header = 0
    self.seen = seen
  }

  var bytes: ByteWriter {
    @inline(__always) _read { yield writer.pointee }
    @inline(__always) _modify { yield &writer.pointee }
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
    if isAtEnd {
      storage.open(self, kind)
      return self
    }
    if state != .fresh, state != .single, self.kind == kind { return self }
    storage.fail(
      .misuse(by: valueType, "asks for a \(kind) container after something else was encoded", at: codingPath))
    return discarded(as: kind)
  }

  /// Whether nothing has been written, neither by this value nor behind its back.
  private var isAtEnd: Bool {
    state == .fresh && header == bytes.count
  }

  /// To be called before the only thing this value encodes is appended.
  @inline(__always)
  func beginSingle() throws {
    guard isAtEnd else {
      throw EncodingError.misuse(
        by: valueType, "encodes a single value after something else was encoded", at: codingPath)
    }
    state = .single
  }

  /// Forgets a single value that threw an error.
  func restart(at start: Int) {
    storage.abandon(from: start)
    header = start
    state = .fresh
  }

  /// To be called after `encode(to:)`, with the container that the value is in. A value that wrote nothing is `empty`.
  @inline(__always)
  func finish(inside parent: EncodingNode?) {
    if isAtEnd { bytes.append(.empty) }
    if state != .closed { storage.close(inside: parent) }
  }
}

/// The container.
extension EncodingNode {
  /// Makes this container the innermost one by closing what is inside. If that cannot be done, because it is closed
  /// itself, the result is false and `continuation` is to be written to instead.
  @inline(__always)
  func activate() -> Bool {
    state == .innermost || reactivate()
  }

  @inline(never)
  private func reactivate() -> Bool {
    guard state == .open else { return false }
    storage.close(inside: self)
    return state == .innermost
  }

  var continuation: EncodingNode {
    guard state == .closed else { return discarded(as: kind) }
    return storage.continuation(
      of: header, kind,
      for: EncodingNode(continuing: header, of: storage, parent: parent, key: key, valueType: valueType, seen: seen))
  }

  /// A container inside this one, which must be the innermost.
  func nested(_ kind: ContainerKind, _ key: any CodingKey) -> EncodingNode {
    let node = EncodingNode(in: storage, parent: self, key: key, valueType: valueType)
    storage.open(node, kind)
    if node.depth > codingDepthLimit {
      storage.fail(.tooDeep(valueType, at: codingPath))
      return discarded(as: kind)
    }
    return node
  }

  /// The container inside this one that was closed at `header`, to be written to again under `key`.
  func reopened(_ kind: ContainerKind, at header: Int, of storage: EncodingStorage, _ key: any CodingKey)
    -> EncodingNode
  {
    storage.continuation(
      of: header, kind,
      for: EncodingNode(continuing: header, of: storage, parent: self, key: key, valueType: valueType, seen: .unknown))
  }

  /// A container whose bytes nobody will read.
  private func discarded(as kind: ContainerKind) -> EncodingNode {
    let storage = EncodingStorage(besides: storage, isDiscarding: true)
    let node = EncodingNode(in: storage, parent: parent, key: key, valueType: valueType)
    storage.open(node, kind)
    return node
  }

  /// How many elements an unkeyed container has, wherever they are.
  var totalCount: Int {
    if let origin { return count + origin.storage.elementCount(at: origin.header) }
    return state == .closed ? count + storage.elementsContinued(at: header) : count
  }
}

/// The storage's stack of open containers.
extension EncodingNode {
  @inline(__always)
  func open(as kind: ContainerKind, at header: Int, inside outer: consuming EncodingNode?) {
    outer?.state = .open
    self.outer = outer
    self.kind = kind
    self.header = header
    state = .innermost
  }

  /// Returns the container around this one.
  @inline(__always)
  func close() -> EncodingNode? {
    leave(as: .closed)
  }

  /// Returns the container around this one.
  func abandon() -> EncodingNode? {
    leave(as: .abandoned)
  }

  @inline(__always)
  private func leave(as state: State) -> EncodingNode? {
    self.state = state
    let outer = outer.take()
    outer?.state = .innermost
    return outer
  }
}
