// SPDX-License-Identifier: Apache-2.0

/// The bytes of one value being encoded and the containers still open at their end, innermost first.
///
/// A container's length is written when it is closed, which happens as soon as somebody writes outside of it. Writing
/// to a closed container is allowed and rare: what is written then goes to a *continuation*, the same container in a
/// storage of its own, and `finish` puts the parts together.
final class EncodingStorage {
  /// Valid as long as this object. A pointer and no property, for every node keeps it at hand.
  let writer: UnsafeMutablePointer<ByteWriter>
  @exclusivity(unchecked) private(set) var innermost: EncodingNode?
  /// Continued containers by where they begin.
  @exclusivity(unchecked) private var continuations: [Int: EncodingNode] = [:]
  /// What an `encode(to:)` did wrong where it could not throw. Kept by the first storage for all.
  @exclusivity(unchecked) private var failure: EncodingError?
  private let first: EncodingStorage?
  /// Whether nobody will read the bytes. Then containers may overlap, and none is referred to, which would be a cycle.
  @exclusivity(unchecked) private var isDiscarding: Bool

  /// - Parameter other: the storage that the first one of all is known by; nil for the first one itself.
  init(besides other: EncodingStorage? = nil, isDiscarding: Bool = false) {
    writer = .allocate(capacity: 1)
    writer.initialize(to: ByteWriter())
    first = other?.first ?? other
    self.isDiscarding = isDiscarding
  }

  deinit {
    writer.deinitialize(count: 1)
    writer.deallocate()
  }

  var bytes: ByteWriter {
    @inline(__always) _read { yield writer.pointee }
    @inline(__always) _modify { yield &writer.pointee }
  }

  /// Remembers the first failure until `finish`.
  func fail(_ error: EncodingError) {
    if let first { return first.fail(error) }
    if failure == nil { failure = error }
  }

  /// Appends the header of the container that `node` becomes.
  @inline(__always)
  func open(_ node: EncodingNode, _ kind: ContainerKind) {
    node.open(as: kind, at: bytes.count, inside: innermost.take())
    if !isDiscarding { innermost = node }
    bytes.append(kind.tag)
    bytes.append(bare: 0 as UInt64)
    if kind == .unkeyed { bytes.append(bare: 0 as UInt64) }
  }

  /// Closes all containers inside of `node`.
  @inline(__always)
  func close(inside node: EncodingNode?) {
    while let open = innermost, open !== node {
      let header = 1 + (open.kind == .unkeyed ? WireHeader.unkeyed : WireHeader.keyed)
      bytes.patch(bytes.count - open.header - header, at: open.header + 1)
      if open.kind == .unkeyed { bytes.patch(open.count, at: open.header + 9) }
      innermost = open.close()
    }
  }

  /// The node that takes what is still written to the closed container at `header`.
  func continuation(of header: Int, _ kind: ContainerKind, for node: @autoclosure () -> EncodingNode) -> EncodingNode {
    if let known = continuations[header] { return known }
    let continuation = node()
    continuation.storage.isDiscarding = isDiscarding
    continuation.storage.open(continuation, kind)
    if !isDiscarding { continuations[header] = continuation }
    return continuation
  }

  /// How many elements the closed unkeyed container at `header` had when it was closed.
  func elementCount(at header: Int) -> Int {
    let container = try? bytes.reader.elements(bytes.reader.value(at: header, limit: bytes.count))
    return container?.count ?? 0
  }

  /// How many came later.
  func elementsContinued(at header: Int) -> Int {
    continuations[header]?.count ?? 0
  }

  /// Marks the value at `offset`, the last one, as the content of an optional if it would be taken for one itself.
  ///
  /// There is no container in such a value, so nobody minds that it is moved.
  func wrapOptional(at offset: Int) {
    guard let value = try? bytes.reader.value(at: offset, limit: bytes.count) else { return }
    if value.tag == .null || value.tag == .some { bytes.insert(.some, at: offset) }
  }

  /// Closes what is open, and makes one value of the bytes from `start` on and their continuations.
  func finish(from start: Int) throws {
    close(inside: nil)
    if let failure { throw failure }
    guard !continuations.isEmpty else { return }
    for continuation in continuations.values { try continuation.storage.finish(from: 0) }
    let joined = try bytes.reader.joined(from: start, with: continuations)
    bytes.truncate(to: start)
    joined.withBytes { bytes.append($0) }
  }

  /// Forgets the bytes from `offset` on and the containers in them.
  func abandon(from offset: Int) {
    // Containers that are being discarded are not on the stack, and may not lose their headers.
    if isDiscarding { return }
    while let open = innermost, open.header >= offset { innermost = open.abandon() }
    for (header, continuation) in continuations where header >= offset {
      continuation.storage.release()
      continuations[header] = nil
    }
    if bytes.count > offset { bytes.truncate(to: offset) }
  }

  /// Ends the references among nodes and storages. What is still written is discarded.
  func release() {
    isDiscarding = true
    innermost = nil
    for continuation in continuations.values { continuation.storage.release() }
    continuations = [:]
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
