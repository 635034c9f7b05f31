// SPDX-License-Identifier: Apache-2.0

/// Writing the entries of a keyed container. Of two with the same key the later one counts.
extension EncodingNode {
  /// Appends an entry, whose value is what `write` appends.
  @inline(__always)
  func entry(_ name: String, _ write: (inout ByteWriter) -> Void) {
    guard beginEntry(name) else { return continuation.entryElsewhere(name, write) }
    write(&bytes)
  }

  @inline(never)
  private func entryElsewhere(_ name: String, _ write: (inout ByteWriter) -> Void) {
    entry(name, write)
  }

  /// Appends a key, unless this container is closed. The value has to follow.
  @inline(never)
  private func beginEntry(_ name: String) -> Bool {
    guard activate() else { return false }
    let start = bytes.count
    if append(key: name) { written(name, before: start)?.kill() }
    return true
  }

  /// - Parameter asOptional: whether the reader may find nothing instead of a value.
  func entry<T: Encodable>(_ key: some CodingKey, _ value: T, asOptional: Bool) throws {
    guard activate() else { return try continuation.entry(key, value, asOptional: asOptional) }
    let start = bytes.count
    let name = key.stringValue
    let isRepeated = append(key: name)
    if !bytes.append(directly: value) {
      let offset = bytes.count
      do {
        try value.encode(in: storage, container: self, parent: self, key: key)
      } catch {
        storage.abandon(from: start)
        throw error
      }
      if asOptional { storage.wrapOptional(at: offset) }
    }
    if isRepeated { written(name, before: start)?.kill() }
  }

  /// A container in this one. A second request for the same key and kind continues what the first one began.
  func container(_ kind: ContainerKind, _ key: some CodingKey) -> EncodingNode {
    guard activate() else { return continuation.container(kind, key) }
    let start = bytes.count
    let name = key.stringValue
    if append(key: name), let previous = written(name, before: start) {
      let value = previous.entry.value
      if kind != .slot, value.tag == kind.tag {
        bytes.truncate(to: start)
        return reopened(kind, at: value.payload - 1, of: previous.storage, key)
      }
      previous.kill()
    }
    return nested(kind, key)
  }

  /// Appends `name`; returns false if it is certainly new.
  @inline(__always)
  private func append(key name: String) -> Bool {
    if seen.isLarge { return appendToLarge(key: name) }
    let start = bytes.count
    bytes.append(key: name)
    return seen.insert(bytes.reader.bytes(start, count: bytes.count - start))
  }

  @inline(never)
  private func appendToLarge(key name: String) -> Bool {
    defer { bytes.append(key: name) }
    return seen.insert(name, all: names)
  }

  /// The entry named `name` before the offset `end`.
  @inline(never)
  private func written(_ name: String, before end: Int) -> WrittenEntry? {
    var found: WrittenEntry?
    forEachEntry(before: end) { storage, entry in
      if storage.bytes.reader.entry(entry, isNamed: name) { found = WrittenEntry(storage: storage, entry: entry) }
    }
    return found
  }

  private func names() -> [String] {
    var names: [String] = []
    forEachEntry(before: bytes.count) { storage, entry in names.append(storage.bytes.reader.name(of: entry)) }
    return names
  }

  /// Visits the entries of this container and of the one it continues.
  private func forEachEntry(before end: Int, _ body: (EncodingStorage, WireEntry) -> Void) {
    if let origin, let closed = try? origin.storage.bytes.reader.body(at: origin.header) {
      origin.storage.forEachEntry(in: closed, body)
    }
    storage.forEachEntry(in: header + 1 + WireHeader.keyed..<end, body)
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
