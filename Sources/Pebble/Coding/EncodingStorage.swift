// SPDX-License-Identifier: Apache-2.0

/// The bytes of one value being encoded and the containers still open at their end, innermost first.
///
/// A container's length is written when it is closed, which happens as soon as somebody writes outside of it. Writing to
/// a closed container is allowed and rare: what is written then goes to a *continuation*, the same container in a storage
/// of its own, and `finish` puts the parts together.
final class EncodingStorage {
  /// Valid as long as this object. A pointer and no property, for every node keeps it at hand.
  let writer: UnsafeMutablePointer<ByteWriter>
  @exclusivity(unchecked) private(set) var innermost: EncodingNode?
  /// Continued containers by where they begin.
  @exclusivity(unchecked) private var continuations: [Int: EncodingNode] = [:]
  /// What an `encode(to:)` did wrong where it could not throw. Kept by the storage that the others continue.
  @exclusivity(unchecked) private var failure: EncodingError?
  private let origin: EncodingStorage?
  /// The storages whose `origin` this one is.
  @exclusivity(unchecked) private var others: [EncodingStorage] = []

  init(continuing origin: EncodingStorage? = nil) {
    writer = .allocate(capacity: 1)
    writer.initialize(to: ByteWriter())
    self.origin = origin
    origin?.others.append(self)
  }

  deinit {
    writer.deinitialize(count: 1)
    writer.deallocate()
  }

  /// Exchanges all bytes, as is done before a value is encoded and again when it has been.
  func swap(_ bytes: inout ByteWriter) {
    Swift.swap(&bytes, &writer.pointee)
  }

  /// Remembers the first failure until `finish`.
  func fail(_ error: EncodingError) {
    if let origin { return origin.fail(error) }
    if failure == nil { failure = error }
  }

  /// Appends the header of the container that `node` becomes.
  @inline(__always)
  func open(_ node: EncodingNode, _ kind: ContainerKind) {
    node.open(as: kind, at: writer.pointee.count, inside: innermost.take())
    innermost = node
    writer.pointee.append(kind.tag)
    writer.pointee.append(bare: 0 as UInt64)
    if kind == .unkeyed { writer.pointee.append(bare: 0 as UInt64) }
  }

  /// Closes all containers inside of `node`.
  @inline(__always)
  func close(inside node: EncodingNode?) {
    while let open = innermost, open !== node {
      let header = 1 + (open.kind == .unkeyed ? WireHeader.unkeyed : WireHeader.keyed)
      writer.pointee.patch(writer.pointee.count - open.header - header, at: open.header + 1)
      if open.kind == .unkeyed { writer.pointee.patch(open.count, at: open.header + 9) }
      innermost = open.close()
    }
  }

  /// The node that takes what is still written to the closed container at `header`.
  func continuation(of header: Int, _ kind: ContainerKind, for node: @autoclosure () -> EncodingNode) -> EncodingNode {
    if let known = continuations[header] { return known }
    let continuation = node()
    continuation.storage.open(continuation, kind)
    continuations[header] = continuation
    return continuation
  }

  /// How many elements the closed unkeyed container at `header` had when it was closed.
  func elementCount(at header: Int) -> Int {
    let container = try? writer.pointee.reader.elements(writer.pointee.reader.value(at: header, limit: writer.pointee.count))
    return container?.count ?? 0
  }

  /// How many came later.
  func elementsContinued(at header: Int) -> Int {
    continuations[header]?.count ?? 0
  }

  /// Marks the closed value at `offset` as the content of an optional, if it would be taken for an optional itself.
  func wrapOptional(at offset: Int) {
    guard let value = try? writer.pointee.reader.value(at: offset, limit: writer.pointee.count), value.tag == .null || value.tag == .some
    else { return }
    writer.pointee.insert(.some, at: offset)
    guard !continuations.isEmpty else { return }
    continuations = Dictionary(uniqueKeysWithValues: continuations.map { ($0 < offset ? $0 : $0 + 1, $1) })
  }

  /// Closes what is open, and makes one value of the bytes from `start` on and their continuations.
  func finish(from start: Int) throws {
    close(inside: nil)
    if let failure { throw failure }
    guard !continuations.isEmpty else { return }
    for continuation in continuations.values { try continuation.storage.finish(from: 0) }
    let joined = try writer.pointee.reader.joined(from: start, with: continuations)
    writer.pointee.truncate(to: start)
    joined.withBytes { writer.pointee.append($0) }
  }

  /// Ends all references among the nodes and storages. To be called when nothing more is written.
  func release() {
    innermost = nil
    continuations = [:]
    for other in others { other.release() }
    others = []
  }

  /// Forgets the bytes from `offset` on and the containers in them.
  func abandon(from offset: Int) {
    while let open = innermost, open.header >= offset { innermost = open.abandon() }
    if !continuations.isEmpty { continuations = continuations.filter { $0.key < offset } }
    if writer.pointee.count > offset { writer.pointee.truncate(to: offset) }
  }
}

enum ContainerKind {
  case keyed, unkeyed, slot

  var tag: WireTag {
    switch self {
    case .keyed: .keyed
    case .unkeyed: .unkeyed
    case .slot: .slot
    }
  }
}
