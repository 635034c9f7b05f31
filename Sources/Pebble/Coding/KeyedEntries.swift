// SPDX-License-Identifier: Apache-2.0

/// The entries of a keyed container being decoded.
///
/// Keys are mostly asked for in the order they were written, so the search starts behind the last one found. Whoever
/// asks for many in another order gets an index.
struct KeyedEntries {
  private static let patience = 512

  private let bytes: Range<Int>
  private var next: Int
  private var visited = 0
  private var index: [String: Int]?

  init(_ bytes: Range<Int>) {
    self.bytes = bytes
    next = bytes.lowerBound
  }

  /// The value named `name`, or nil if there is none. The search for the next one starts behind it.
  @inline(__always)
  mutating func take(_ name: String, _ reader: ByteReader) throws(WireFailure) -> WireValue? {
    guard let value = try find(name, reader) else { return nil }
    next = try reader.end(of: value)
    return value
  }

  /// The value named `name`, or nil if there is none.
  @inline(__always)
  mutating func find(_ name: String, _ reader: ByteReader) throws(WireFailure) -> WireValue? {
    if next < bytes.upperBound {
      let entry = try reader.entry(at: next, limit: bytes.upperBound)
      if reader.entry(entry, isNamed: name) { return entry.value }
    }
    return try search(name, reader)
  }

  @inline(never)
  private mutating func search(_ name: String, _ reader: ByteReader) throws(WireFailure) -> WireValue? {
    if visited > Self.patience, index == nil { index = try makeIndex(reader) }
    if let index {
      guard let offset = index[name] else { return nil }
      return try reader.entry(at: offset, limit: bytes.upperBound).value
    }
    var offset = bytes.lowerBound
    while offset < bytes.upperBound {
      let entry = try reader.entry(at: offset, limit: bytes.upperBound)
      visited += 1
      if reader.entry(entry, isNamed: name) { return entry.value }
      offset = try reader.end(of: entry.value)
    }
    return nil
  }

  private func makeIndex(_ reader: ByteReader) throws(WireFailure) -> [String: Int] {
    var index: [String: Int] = [:]
    try forEach(reader) { entry in
      let name = reader.name(of: entry)
      if index[name] == nil { index[name] = entry.offset }
    }
    return index
  }

  /// The names in the order they were written, up to the first malformed entry, each of them once.
  func names(_ reader: ByteReader) -> [String] {
    var names: [String] = []
    try? forEach(reader) { entry in names.append(reader.name(of: entry)) }
    if names.count < 2 { return names }
    var seen = Set<String>(minimumCapacity: names.count)
    let isRepeated = names.map { !seen.insert($0).inserted }
    return isRepeated.contains(true) ? zip(names, isRepeated).compactMap { $1 ? nil : $0 } : names
  }

  /// Visits the entries in the order they were written.
  private func forEach(_ reader: ByteReader, _ body: (WireEntry) -> Void) throws(WireFailure) {
    var offset = bytes.lowerBound
    while offset < bytes.upperBound {
      let entry = try reader.entry(at: offset, limit: bytes.upperBound)
      if !entry.isDead { body(entry) }
      offset = try reader.end(of: entry.value)
    }
  }
}
