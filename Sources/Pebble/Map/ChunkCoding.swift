// SPDX-License-Identifier: Apache-2.0

// How a chunk's elements, and their outcomes, travel between processes.

/// Which of a chunk's elements a job has; those that could not be encoded fail alone.
struct ChunkOutline: Sendable {
  /// How many the job has.
  fileprivate(set) var count = 0
  fileprivate var failures: [(index: Int, error: any Error)] = []

  /// The outcome of every element, from those of the ones that the job has.
  func all<Value>(_ outcomes: [Result<Value, any Error>]) -> [Result<Value, any Error>] {
    var all = outcomes
    for failure in failures { all.insert(.failure(failure.error), at: failure.index) }
    return all
  }

  /// The outcome of every element, from the job's reply.
  func all<Value: Decodable>(
    _ type: Value.Type, _ reply: UnsafeRawBufferPointer
  ) throws -> [Result<Value, any Error>] {
    var outcomes: [Result<Value, any Error>] = []
    outcomes.reserveCapacity(min(count, reply.count))
    let decoder = BinaryDecoder(reply)
    for piece in Pieces(reply) { outcomes.append(Reply.element(type, piece, decoder)) }
    guard outcomes.count == count else {
      throw PebbleError(.undecodable, "a chunk of \(count) elements came back with \(outcomes.count)")
    }
    return failures.isEmpty ? outcomes : all(outcomes)
  }
}

extension Payload {
  /// The input of a job that is a chunk of these elements, and which of them are in it.
  static func chunk<Input>(
    _ elements: [Input], _ encode: (Input, Payload) throws -> Void
  ) -> (Payload, ChunkOutline) {
    let payload = Payload()
    var outline = ChunkOutline()
    payload.append(raw: InputForm.chunk.rawValue)
    for index in elements.indices {
      let begin = payload.beginPiece()
      do {
        try encode(elements[index], payload)
        payload.endPiece(begin)
        outline.count += 1
      } catch {
        payload.truncate(to: begin)
        outline.failures.append((index, error))
      }
    }
    return (payload, outline)
  }
}

extension Reply {
  @inline(__always)
  fileprivate static func element<Value: Decodable>(
    _ type: Value.Type, _ piece: UnsafeRawBufferPointer, _ decoder: BinaryDecoder
  ) -> Result<Value, any Error> {
    guard piece.count >= MemoryLayout<Int32>.size else {
      return .failure(PebbleError(.undecodable, "an element's reply"))
    }
    let code = piece.loadUnaligned(as: Int32.self)
    let bytes = UnsafeRawBufferPointer(rebasing: piece[MemoryLayout<Int32>.size...])
    guard code == 0 else { return .failure(Reply.error(code: code, bytes)) }
    do {
      decoder.restart(bytes)
      return .success(try Reply.value(type, from: decoder))
    } catch {
      return .failure(error)
    }
  }
}

extension ReplyWriter {
  /// Begins the answer to an element of a chunk: a piece that holds the status, then what the reply would have been.
  func beginElement() -> Int {
    let begin = bytes.beginPiece()
    bytes.append(raw: Int32(0))
    return begin
  }

  func endElement(_ begin: Int, _ status: Int32) {
    bytes.endPiece(begin)
    bytes.patch(raw: status, at: begin + MemoryLayout<UInt64>.size)
  }
}
