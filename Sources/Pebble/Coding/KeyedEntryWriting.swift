// SPDX-License-Identifier: Apache-2.0

/// Writing the entries of a keyed container. Of two with the same key the later one counts.
extension EncodingNode {
  /// Begins an entry, whose value is to be appended to the result at once.
  @inline(__always)
  func entry(_ name: String) -> ByteWriter {
    let node = active()
    node.previous(name)?.kill()
    let bytes = node.storage.bytes
    bytes.append(key: name)
    return bytes
  }

  /// - Parameter asOptional: whether the reader may find nothing instead of a value.
  func append<T: Encodable>(_ value: T, _ key: some CodingKey, asOptional: Bool) throws {
    let node = active()
    let name = key.stringValue
    let previous = node.previous(name)
    let storage = node.storage
    let start = storage.bytes.count
    storage.bytes.append(key: name)
    if !storage.bytes.append(directly: value) {
      let offset = storage.bytes.count
      do {
        try value.encode(in: storage, parent: node, key: key)
      } catch {
        storage.abandon(from: start)
        throw error
      }
      if asOptional { storage.wrapOptional(at: offset) }
    }
    previous?.kill()
  }

  /// A container in this one. A second request for the same key and kind continues what the first one began.
  func container(_ kind: ContainerKind, _ key: some CodingKey) -> EncodingNode {
    let node = active()
    let name = key.stringValue
    if let previous = node.previous(name) {
      let value = previous.entry.value
      if kind != .slot, value.tag == kind.tag {
        return node.reopened(kind, at: value.payload - 1, of: previous.storage, key)
      }
      previous.kill()
    }
    node.storage.bytes.append(key: name)
    return node.nested(kind, key)
  }

  /// The entry that one named `name`, about to be written, replaces.
  @inline(__always)
  private func previous(_ name: String) -> WrittenEntry? {
    seen.insert(name, all: names) ? written(name) : nil
  }

  @inline(never)
  private func written(_ name: String) -> WrittenEntry? {
    var found: WrittenEntry?
    forEachEntry { storage, entry in
      if storage.bytes.reader.entry(entry, isNamed: name) { found = WrittenEntry(storage: storage, entry: entry) }
    }
    return found
  }

  private func names() -> [String] {
    var names: [String] = []
    forEachEntry { storage, entry in names.append(storage.bytes.reader.name(of: entry)) }
    return names
  }

  /// Visits the entries of this container and of the one it continues.
  private func forEachEntry(_ body: (EncodingStorage, WireEntry) -> Void) {
    if let origin, let closed = try? origin.storage.bytes.reader.body(at: origin.header) {
      origin.storage.forEachEntry(in: closed, body)
    }
    storage.forEachEntry(in: header + 1 + WireHeader.keyed..<storage.bytes.count, body)
  }
}

private struct WrittenEntry {
  let storage: EncodingStorage
  let entry: WireEntry

  func kill() {
    storage.bytes.setLowestBit(at: entry.offset)
  }
}

extension EncodingStorage {
  fileprivate func forEachEntry(in body: Range<Int>, _ visit: (EncodingStorage, WireEntry) -> Void) {
    var offset = body.lowerBound
    while offset < body.upperBound {
      guard let entry = try? bytes.reader.entry(at: offset, limit: body.upperBound),
        let end = try? bytes.reader.end(of: entry.value)
      else { return }
      visit(self, entry)
      offset = end
    }
  }
}

extension ByteReader {
  fileprivate func body(at header: Int) throws(WireFailure) -> Range<Int> {
    try body(value(at: header, limit: count))
  }
}

extension ByteWriter {
  @inline(__always)
  fileprivate func append(key name: String) {
    var name = name
    name.withUTF8 { utf8 in
      append(varint: UInt(utf8.count) << 1)
      append(UnsafeRawBufferPointer(utf8))
    }
  }
}
