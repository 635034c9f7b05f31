// SPDX-License-Identifier: Apache-2.0

// How a chunk's elements, and their outcomes, travel between processes.

extension Payload {
  /// One element of a chunk.
  convenience init<each Argument: Encodable>(element arguments: repeat each Argument) throws {
    self.init()
    try append(arguments: repeat each arguments)
  }

  /// The input of a job that is a chunk.
  convenience init(chunk elements: [Payload]) {
    self.init()
    append(raw: InputForm.chunk.rawValue)
    for element in elements { element.withBytes { append(pieceOf: $0) } }
  }
}

extension Reply {
  /// The outcomes of a chunk's elements.
  static func elements<Value: Decodable>(
    _ type: Value.Type, _ reply: UnsafeRawBufferPointer, count: Int
  ) throws -> [Result<Value, any Error>] {
    let results = Pieces(reply).map { piece in Result { try element(type, piece) } }
    guard results.count == count else {
      throw PebbleError(.undecodable, "a chunk of \(count) elements came back with \(results.count)")
    }
    return results
  }

  private static func element<Value: Decodable>(_ type: Value.Type, _ piece: UnsafeRawBufferPointer) throws -> Value {
    guard piece.count >= MemoryLayout<Int32>.size else { throw PebbleError(.undecodable, "an element's reply") }
    let code = piece.loadUnaligned(as: Int32.self)
    let bytes = UnsafeRawBufferPointer(rebasing: piece.dropFirst(MemoryLayout<Int32>.size))
    guard code == 0 else { throw Reply.error(code: code, bytes) }
    return try Reply.value(type, bytes)
  }
}
