// SPDX-License-Identifier: Apache-2.0

/// The arguments as a worker takes them, one after the other.
///
/// Remembers whether it was a bad argument that made a call throw.
final class ArgumentReader {
  private let decoder: BinaryDecoder
  private(set) var failure: (any Error)?

  init(_ bytes: UnsafeRawBufferPointer) {
    decoder = BinaryDecoder(bytes)
  }

  /// Goes on with the arguments of another call.
  func restart(_ bytes: UnsafeRawBufferPointer) {
    decoder.restart(bytes)
    failure = nil
  }

  func next<T: Decodable>(_ type: T.Type) throws -> T {
    do {
      return try decoder.decode(type)
    } catch {
      failure = error
      throw error
    }
  }
}
