// SPDX-License-Identifier: Apache-2.0

/// What answers one call: takes the arguments, and puts the result.
typealias CallBody = (ArgumentReader, ReplyWriter) throws -> Void
typealias AsyncCallBody = (ArgumentReader, ReplyWriter) async throws -> Void

/// What a worker answers, one call after the other.
final class ReplyWriter {
  let bytes: Payload
  /// Why the result could not be encoded.
  private var failure: (any Error)?
  private let isChunk: Bool
  /// Of a chunk: the numbers that the last elements' results are; a type of results that are none; whether this
  /// element's is one, and where its piece begins otherwise.
  private var run: NumberRun?
  private var other: Any.Type?
  private var isNumber = false
  private var element: Int?

  init(to form: InputForm) {
    isChunk = form == .chunk
    bytes = Payload(lends: form == .call)
  }

  /// Writes what a function returned; the last that the body of an answer does.
  func put<Value: Encodable>(_ result: Value) throws {
    if isChunk {
      if extendRun(with: result) { return }
      beginElement()
    }
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

  /// Answers one element of a chunk: a piece that holds the status, then what the reply would have been; or another
  /// number of a run.
  func answerElement(_ arguments: ArgumentReader, _ body: CallBody) {
    isNumber = false
    do {
      try body(arguments, self)
      endElement(0)
    } catch {
      endElement(write(error, badArgument: arguments.failure))
    }
  }

  func answerElement(_ arguments: ArgumentReader, _ body: AsyncCallBody) async {
    isNumber = false
    do {
      try await body(arguments, self)
      endElement(0)
    } catch {
      endElement(write(error, badArgument: arguments.failure))
    }
  }

  private func beginElement() {
    endRun()
    guard element == nil else { return }
    element = bytes.beginPiece()
    bytes.append(raw: Int32(0))
  }

  private func endElement(_ status: Int32) {
    if isNumber { return }
    beginElement()
    guard let begin = element.take() else { return }
    bytes.endPiece(begin)
    bytes.patch(raw: status, at: begin + MemoryLayout<UInt64>.size)
  }

  private func write(_ error: any Error, badArgument: (any Error)?) -> Int32 {
    beginElement()
    guard let element else { return 0 }
    return write(error, badArgument: badArgument, from: element + MemoryLayout<UInt64>.size + MemoryLayout<Int32>.size)
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

/// Results that are numbers of one type, in a marked piece.
private struct NumberRun {
  let type: Any.Type
  let size: Int
  let begin: Int
  var count = 0
}

extension ReplyWriter {
  /// Whether the result is a number, and was added to those before it.
  private func extendRun<Value>(with result: Value) -> Bool {
    if run?.type != Value.self {
      guard other != Value.self, let number = Value.self as? any RawScalar.Type else {
        other = Value.self
        return false
      }
      endRun()
      run = NumberRun(type: Value.self, size: MemoryLayout<Value>.size, begin: bytes.beginNumbers(number))
    }
    withUnsafeBytes(of: result) { bytes.append(raw: $0) }
    run?.count += 1
    isNumber = true
    return true
  }

  /// Ends what results may be added to.
  func endRun() {
    guard let run = run.take() else { return }
    bytes.endNumbers(run.begin, count: run.count, size: run.size)
  }
}
