// SPDX-License-Identifier: Apache-2.0
internal import Dispatch
internal import Synchronization

/// One call as its worker sees it: takes the arguments, runs the function, and answers.
///
/// Only for the closure of a ``ProcessFunction``: `{ ProcessCall($0).run(f) }`.
public struct ProcessCall: Sendable {
  private let handle: CallHandle

  /// - Parameter call: what the closure was given.
  public init(_ call: OpaquePointer) {
    handle = CallHandle(call)
  }

  /// Runs the function on the worker's main thread.
  public func run<Result: Codable & Sendable, each Argument: Codable & Sendable>(
    _ function: (repeat each Argument) throws -> Result
  ) -> Int32 {
    serve { arguments in
      let result = try function(repeat try arguments.next((each Argument).self))
      return { try $0.append(result) }
    }
  }

  /// Runs the function on the worker's main thread.
  public func run<each Argument: Codable & Sendable>(
    _ function: (repeat each Argument) throws -> Void
  ) -> Int32 {
    serve { arguments in
      try function(repeat try arguments.next((each Argument).self))
      return { _ in }
    }
  }

  /// Runs the function on the global executor, while the worker's main thread serves the main actor.
  public func run<Result: Codable & Sendable, each Argument: Codable & Sendable>(
    _ function: sending @escaping (repeat each Argument) async throws -> Result
  ) -> Int32 {
    serveAsync { arguments in
      let result = try await function(repeat try arguments.next((each Argument).self))
      return { try $0.append(result) }
    }
  }

  /// Runs the function on the global executor, while the worker's main thread serves the main actor.
  public func run<each Argument: Codable & Sendable>(
    _ function: sending @escaping (repeat each Argument) async throws -> Void
  ) -> Int32 {
    serveAsync { arguments in
      try await function(repeat try arguments.next((each Argument).self))
      return { _ in }
    }
  }
}

extension ProcessCall {
  private func serve(_ body: (ArgumentReader) throws -> EncodeResult) -> Int32 {
    guard CallHandle.isInWorker else { return InlineJob.$call.withValue(handle) { serveHere(handle.input, body) } }
    CallHandle.serve(handle)
    defer { CallHandle.serve(nil) }
    return serveHere(handle.input, body)
  }

  private func serveHere(_ input: UnsafeRawBufferPointer, _ body: (ArgumentReader) throws -> EncodeResult) -> Int32 {
    switch form(of: input) {
    case .call:
      return send(answer(to: arguments(in: input), body))
    case .chunk:
      for piece in pieces(in: input) { sendPiece(answer(to: piece, body)) }
      return 0
    #if Tracing
      case .traced:
        return TracedInput(arguments(in: input)).inContext { serveHere($0, body) }
    #endif
    }
  }

  func serveAsync(_ body: sending @escaping (ArgumentReader) async throws -> EncodeResult) -> Int32 {
    let code = Handover()
    let isHere = !CallHandle.isInWorker
    if !isHere { CallHandle.serve(handle) }
    defer { if !isHere { CallHandle.serve(nil) } }
    let task = Task.detached { [self] in
      let status = await InlineJob.$call.withValue(isHere ? handle : nil) { await answerAll(handle.input, body) }
      code.value.withLock { $0 = status }
      handle.resume(code.resumption)
    }
    handle.suspend(code.resumption, onCancel: task.cancel)
    return code.value.withLock { $0 }
  }

  private func answerAll(
    _ input: UnsafeRawBufferPointer, _ body: (ArgumentReader) async throws -> EncodeResult
  ) async -> Int32 {
    switch form(of: input) {
    case .call:
      return send(await answer(to: arguments(in: input), body))
    case .chunk:
      for piece in pieces(in: input) { sendPiece(await answer(to: piece, body)) }
      return 0
    #if Tracing
      case .traced:
        return await TracedInput(arguments(in: input)).inContext { await answerAll($0, body) }
    #endif
    }
  }

  private func answer(
    to input: UnsafeRawBufferPointer, _ body: (ArgumentReader) throws -> EncodeResult
  ) -> Answer {
    let arguments = ArgumentReader(input)
    let outcome = Result { try body(arguments) }
    return Answer(outcome, badArgument: arguments.failure)
  }

  private func answer(
    to input: UnsafeRawBufferPointer, _ body: (ArgumentReader) async throws -> EncodeResult
  ) async -> Answer {
    let arguments = ArgumentReader(input)
    let outcome: Result<EncodeResult, any Error>
    do {
      outcome = .success(try await body(arguments))
    } catch {
      outcome = .failure(error)
    }
    return Answer(outcome, badArgument: arguments.failure)
  }

  private func form(of input: UnsafeRawBufferPointer) -> InputForm {
    input.first.flatMap(InputForm.init) ?? .call
  }

  private func arguments(in input: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: input.dropFirst())
  }

  private func pieces(in input: UnsafeRawBufferPointer) -> Pieces {
    Pieces(arguments(in: input))
  }

  private func send(_ answer: Answer) -> Int32 {
    answer.bytes.withBytes(handle.write)
    return answer.code
  }

  /// A piece of a chunk's reply: the code, then what the reply would have been.
  private func sendPiece(_ answer: Answer) {
    let piece = Payload()
    withUnsafeBytes(of: answer.code) { code in
      answer.bytes.withBytes { piece.append(pieceOf: code, $0) }
    }
    piece.withBytes(handle.write)
  }
}

/// A number that a task leaves for the thread that waits for it.
private final class Handover: Sendable {
  let value = Mutex<Int32>(0)
  let resumption = DispatchSemaphore(value: 0)
}

/// A job of a pool whose jobs run in this process.
enum InlineJob {
  /// The one that this code is part of.
  @TaskLocal static var call: CallHandle?

  static var isCurrent: Bool { call != nil }
}
