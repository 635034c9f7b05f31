// SPDX-License-Identifier: Apache-2.0

extension ByteReader {
  /// The value at `start`, with the elements of continued containers where they belong.
  ///
  /// - Parameter continuations: finished containers by where in these bytes they were begun.
  func joined(from start: Int, with continuations: [Int: EncodingNode]) throws -> ByteWriter {
    var joiner = Joiner(source: self, continuations: continuations)
    _ = try joiner.value(at: start, limit: count)
    return joiner.output
  }
}

private struct Joiner: ~Copyable {
  let source: ByteReader
  var output = ByteWriter()
  let continuations: [Int: EncodingNode]
  /// Where continued containers begin, in order.
  private let headers: [Int]

  init(source: ByteReader, continuations: [Int: EncodingNode]) {
    self.source = source
    self.continuations = continuations
    headers = continuations.keys.sorted()
  }

  /// Copies the value at `offset`; returns its end.
  mutating func value(at offset: Int, limit: Int) throws(WireFailure) -> Int {
    let value = try source.value(at: offset, limit: limit)
    let end = try source.end(of: value)
    guard continued(in: offset..<end) else {
      output.append(source.bytes(offset, count: end - offset))
      return end
    }
    let header = output.count
    output.append(value.tag)
    switch value.tag {
    case .some:
      _ = try self.value(at: value.payload, limit: end)
    case .slot:
      output.append(bare: 0 as UInt64)
      let body = try source.body(value)
      if !body.isEmpty { _ = try self.value(at: body.lowerBound, limit: body.upperBound) }
      close(header, WireHeader.keyed, continuedAt: offset)
    case .keyed:
      output.append(bare: 0 as UInt64)
      try entries(source.body(value))
      close(header, WireHeader.keyed, continuedAt: offset)
    case .unkeyed:
      output.append(bare: 0 as UInt64)
      let (elements, count) = try source.elements(value)
      output.append(bare: UInt64(count + (continuations[offset]?.count ?? 0)))
      try values(elements)
      close(header, WireHeader.unkeyed, continuedAt: offset)
    default:
      throw .malformed("a continued value is no container")
    }
    return end
  }

  private mutating func entries(_ body: Range<Int>) throws(WireFailure) {
    var offset = body.lowerBound
    while offset < body.upperBound {
      let entry = try source.entry(at: offset, limit: body.upperBound)
      output.append(source.bytes(offset, count: entry.value.payload - 1 - offset))
      offset = try value(at: entry.value.payload - 1, limit: body.upperBound)
    }
  }

  private mutating func values(_ elements: Range<Int>) throws(WireFailure) {
    var offset = elements.lowerBound
    while offset < elements.upperBound {
      let element = try source.value(at: offset, limit: elements.upperBound)
      if element.tag == .run {
        let end = try source.run(element).end
        output.append(source.bytes(offset, count: end - offset))
        offset = end
      } else {
        offset = try value(at: offset, limit: elements.upperBound)
      }
    }
  }

  /// Appends the continuation, if any, and writes the length.
  private mutating func close(_ header: Int, _ size: Int, continuedAt offset: Int) {
    continuations[offset]?.storage.bytes.withBytes { continuation in
      output.append(UnsafeRawBufferPointer(rebasing: continuation[(1 + size)...]))
    }
    output.patch(output.count - header - 1 - size, at: header + 1)
  }

  private func continued(in range: Range<Int>) -> Bool {
    var low = 0
    var high = headers.count
    while low < high {
      let middle = (low + high) / 2
      if headers[middle] < range.lowerBound { low = middle + 1 } else { high = middle }
    }
    return low < headers.count && headers[low] < range.upperBound
  }
}
