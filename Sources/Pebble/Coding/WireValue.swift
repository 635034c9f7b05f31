// SPDX-License-Identifier: Apache-2.0

/// Where one encoded value is: its tag, and where what follows the tag begins.
///
/// An element of a run looks like any other number, its tag taken from the run.
struct WireValue {
  let tag: WireTag
  /// The first byte behind the tag.
  let payload: Int
  /// The end of what the value may occupy: of the container around it.
  let limit: Int

  /// What is read where nothing is.
  static var null: WireValue { WireValue(tag: .null, payload: 0, limit: 0) }
}

/// One `key: value` of a keyed container.
struct WireEntry {
  /// Where the entry begins, with the count of its key.
  let offset: Int
  let key: Int
  let keyCount: Int
  /// A later entry has the same key.
  let isDead: Bool
  let value: WireValue
}

/// A stretch of equal elements in an unkeyed container.
struct WireRun {
  let element: WireTag
  let elementSize: Int
  let count: Int
  /// The first element.
  let start: Int

  var end: Int { start + count * elementSize }
}

extension ByteReader {
  @inline(__always)
  func value(at offset: Int, limit: Int) throws(WireFailure) -> WireValue {
    let byte = try load(UInt8.self, at: offset, limit: limit)
    guard let tag = WireTag(rawValue: byte) else { throw .unknownTag(byte) }
    return WireValue(tag: tag, payload: offset + 1, limit: limit)
  }

  /// Where `value` ends and its neighbour begins; takes the same time for long values as for short ones.
  @inline(__always)
  func end(of value: WireValue) throws(WireFailure) -> Int {
    if let size = value.tag.scalarSize {
      guard value.limit - value.payload >= size else { throw .truncated }
      return value.payload + size
    }
    if value.tag == .string {
      let text = try textRange(value)
      return text.start + text.count
    }
    return try endOfStructure(value)
  }

  @inline(never)
  private func endOfStructure(_ value: WireValue) throws(WireFailure) -> Int {
    switch value.tag {
    case .null, .no, .yes, .empty:
      return value.payload
    case .keyed, .slot, .unkeyed:
      let header = value.tag == .unkeyed ? WireHeader.unkeyed : WireHeader.keyed
      let length = try loadLength(at: value.payload, header: header, limit: value.limit)
      return value.payload + header + length
    case .some:
      var inner = value
      while inner.tag == .some { inner = try self.value(at: inner.payload, limit: inner.limit) }
      return try end(of: inner)
    default:
      throw .unknownTag(value.tag.rawValue)
    }
  }

  @inline(__always)
  func textRange(_ value: WireValue) throws(WireFailure) -> (start: Int, count: Int) {
    var start = value.payload
    let count = try loadVarint(at: &start, limit: value.limit)
    guard count <= UInt(value.limit - start) else { throw .truncated }
    return (start, Int(count))
  }

  /// The bytes of a keyed container or slot behind its header.
  @inline(__always)
  func body(_ value: WireValue) throws(WireFailure) -> Range<Int> {
    let length = try loadLength(at: value.payload, header: WireHeader.keyed, limit: value.limit)
    let start = value.payload + WireHeader.keyed
    return start..<start + length
  }

  @inline(__always)
  func entry(at offset: Int, limit: Int) throws(WireFailure) -> WireEntry {
    var key = offset
    let prefix = try loadVarint(at: &key, limit: limit)
    let keyCount = prefix >> 1
    guard keyCount <= UInt(limit - key) else { throw .truncated }
    let value = try value(at: key + Int(keyCount), limit: limit)
    return WireEntry(offset: offset, key: key, keyCount: Int(keyCount), isDead: prefix & 1 != 0, value: value)
  }

  @inline(__always)
  func entry(_ entry: WireEntry, isNamed name: String) -> Bool {
    !entry.isDead && matches(name, entry.key, count: entry.keyCount)
  }

  func name(of entry: WireEntry) -> String {
    text(entry.key, count: entry.keyCount)
  }

  /// The elements of an unkeyed container, and how many there are. Each takes a byte at least, so the count is bounded.
  func elements(_ value: WireValue) throws(WireFailure) -> (bytes: Range<Int>, count: Int) {
    let length = try loadLength(at: value.payload, header: WireHeader.unkeyed, limit: value.limit)
    let start = value.payload + WireHeader.unkeyed
    let count = try load(UInt64.self, at: value.payload + 8, limit: value.limit)
    guard count <= UInt64(length) else { throw .malformed("more elements than bytes") }
    return (start..<start + length, Int(count))
  }

  /// The run that `value`, with the tag `run`, begins.
  func run(_ value: WireValue) throws(WireFailure) -> WireRun {
    let byte = try load(UInt8.self, at: value.payload, limit: value.limit)
    guard let element = WireTag(rawValue: byte), let size = element == .bool ? 1 : element.scalarSize else {
      throw .unknownTag(byte)
    }
    let count = try loadLength(at: value.payload + 1, header: 8, limit: value.limit)
    let start = value.payload + WireHeader.run
    guard count <= (value.limit - start) / size else { throw .truncated }
    return WireRun(element: element, elementSize: size, count: count, start: start)
  }

  /// One element of `run`, which must have it.
  @inline(__always)
  func element(_ index: Int, of run: WireRun) throws(WireFailure) -> WireValue {
    let offset = run.start + index * run.elementSize
    guard run.element == .bool else {
      return WireValue(tag: run.element, payload: offset, limit: offset + run.elementSize)
    }
    switch try load(UInt8.self, at: offset, limit: offset + 1) {
    case 0: return WireValue(tag: .no, payload: offset, limit: offset)
    case 1: return WireValue(tag: .yes, payload: offset, limit: offset)
    case let byte: throw .malformed("a Bool is \(byte)")
    }
  }

  /// The run that is all of the unkeyed container `value`, if one is.
  func soleRun(_ value: WireValue) throws(WireFailure) -> WireRun? {
    let (bytes, count) = try elements(value)
    guard !bytes.isEmpty else { return nil }
    let first = try self.value(at: bytes.lowerBound, limit: bytes.upperBound)
    guard first.tag == .run else { return nil }
    let run = try run(first)
    return run.count == count && run.end == bytes.upperBound ? run : nil
  }

  /// What is inside a slot; other values are returned as they are.
  @inline(__always)
  func unslotted(_ value: WireValue) throws(WireFailure) -> WireValue {
    guard value.tag == .slot else { return value }
    let body = try body(value)
    guard !body.isEmpty else { return WireValue(tag: .empty, payload: body.lowerBound, limit: body.upperBound) }
    return try self.value(at: body.lowerBound, limit: body.upperBound)
  }

  /// What is behind one `some`; other values are returned as they are.
  @inline(__always)
  func unwrapped(_ value: WireValue) throws(WireFailure) -> WireValue {
    let value = try unslotted(value)
    guard value.tag == .some else { return value }
    return try self.value(at: value.payload, limit: value.limit)
  }
}
