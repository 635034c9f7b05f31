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
    var pieces = Pieces(reply)
    while let (piece, isMarked) = pieces.next() {
      if isMarked {
        decoder.restart(piece)
        outcomes += successes(try Reply.value([Value].self, from: decoder))
      } else {
        outcomes.append(Reply.element(type, piece, decoder))
      }
    }
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
    if elements.count > 1, payload.append(numbers: elements) {
      outline.count = elements.count
      return (payload, outline)
    }
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

/// That each of them is one.
private func successes<Value>(_ values: [Value]) -> [Result<Value, any Error>] {
  typealias All = [Result<Value, any Error>]
  if Value.self == Int.self {
    return unsafeBitCast(successes(ofInts: unsafeBitCast(values, to: [Int].self)), to: All.self)
  }
  if Value.self == Double.self {
    return unsafeBitCast(successes(ofDoubles: unsafeBitCast(values, to: [Double].self)), to: All.self)
  }
  return values.map { .success($0) }
}

// The most usual numbers: what is generic looks types up for each element.

private func successes(ofInts values: [Int]) -> [Result<Int, any Error>] { values.map { .success($0) } }

private func successes(ofDoubles values: [Double]) -> [Result<Double, any Error>] { values.map { .success($0) } }
