// SPDX-License-Identifier: Apache-2.0

/// The arguments as a worker takes them, one after the other.
///
/// Remembers whether it was a bad argument that made a call throw.
final class ArgumentReader {
  private let decoder: BinaryDecoder
  private(set) var failure: (any Error)?
  /// Of a chunk: what is left of it, and the numbers that are the only arguments of the next elements.
  private var pieces: Pieces
  private var numbers: WireRun?
  private var index = 0

  /// - Parameter bytes: the arguments of one call; or the pieces of a chunk.
  init(_ bytes: UnsafeRawBufferPointer) {
    decoder = BinaryDecoder(bytes)
    pieces = Pieces(bytes)
  }

  /// Goes on with the arguments of the next element of a chunk. False: there is none.
  func nextElement() -> Bool {
    failure = nil
    if let numbers, index + 1 < numbers.count {
      index += 1
      return true
    }
    numbers = nil
    guard let (piece, isMarked) = pieces.next() else { return false }
    decoder.restart(piece)
    guard isMarked else { return true }
    index = 0
    numbers = decoder.run()
    return numbers.map { $0.count > 0 } ?? false
  }

  func next<T: Decodable>(_ type: T.Type) throws -> T {
    do {
      if let numbers { return try decoder.decode(type, index, of: numbers) }
      return try decoder.decode(type)
    } catch {
      failure = error
      throw error
    }
  }
}
