// SPDX-License-Identifier: Apache-2.0

/// What answers one call: takes the arguments, and puts the result.
typealias CallBody = (ArgumentReader, ReplyWriter) throws -> Void
typealias AsyncCallBody = (ArgumentReader, ReplyWriter) async throws -> Void

/// What a worker answers, one call after the other.
final class ReplyWriter {
  let bytes: Payload
  /// Why the result could not be encoded.
  private var failure: (any Error)?

  init(to form: InputForm) {
    bytes = Payload(lends: form == .call)
  }

  /// Writes what a function returned; the last that the body of an answer does.
  func put<Value: Encodable>(_ result: Value) throws {
    do {
      try bytes.append(result)
    } catch {
      failure = error
      throw error
    }
  }

  /// Writes what `body` puts, or why it did not. Returns the status of that.
  func answer(_ arguments: ArgumentReader, _ body: CallBody) -> Int32 {
    let begin = bytes.count
    do {
      try body(arguments, self)
      return 0
    } catch {
      return write(error, badArgument: arguments.failure, from: begin)
    }
  }

  func answer(_ arguments: ArgumentReader, _ body: AsyncCallBody) async -> Int32 {
    let begin = bytes.count
    do {
      try await body(arguments, self)
      return 0
    } catch {
      return write(error, badArgument: arguments.failure, from: begin)
    }
  }

  private func write(_ error: any Error, badArgument: (any Error)?, from begin: Int) -> Int32 {
    bytes.truncate(to: begin)
    if let failure = failure.take() {
      write(String(describing: failure))
      return ReplyCode.badResult.rawValue
    }
    if let badArgument {
      write(String(describing: badArgument))
      return ReplyCode.badArguments.rawValue
    }
    ErrorCoding.encode(error, into: bytes)
    return ReplyCode.thrown.rawValue
  }

  private func write(_ text: String) {
    try! bytes.append(text)  // a String can always be encoded
  }
}
