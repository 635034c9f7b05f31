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
    serve { arguments, reply in try reply.put(function(repeat try arguments.next((each Argument).self))) }
  }

  /// Runs the function on the worker's main thread.
  public func run<each Argument: Codable & Sendable>(
    _ function: (repeat each Argument) throws -> Void
  ) -> Int32 {
    serve { arguments, _ in try function(repeat try arguments.next((each Argument).self)) }
  }

  /// Runs the function on the global executor, while the worker's main thread serves the main actor.
  public func run<Result: Codable & Sendable, each Argument: Codable & Sendable>(
    _ function: sending @escaping (repeat each Argument) async throws -> Result
  ) -> Int32 {
    serveAsync { arguments, reply in
      try reply.put(await function(repeat try arguments.next((each Argument).self)))
    }
  }

  /// Runs the function on the global executor, while the worker's main thread serves the main actor.
  public func run<each Argument: Codable & Sendable>(
    _ function: sending @escaping (repeat each Argument) async throws -> Void
  ) -> Int32 {
    serveAsync { arguments, _ in try await function(repeat try arguments.next((each Argument).self)) }
  }
}

extension ProcessCall {
  private func serve(_ body: CallBody) -> Int32 {
    guard CallHandle.isInWorker else { return InlineJob.$call.withValue(handle) { serveHere(handle.input, body) } }
    CallHandle.serve(handle)
    defer { CallHandle.serve(nil) }
    return serveHere(handle.input, body)
  }

  private func serveHere(_ input: UnsafeRawBufferPointer, _ body: CallBody) -> Int32 {
    let rest = UnsafeRawBufferPointer(rebasing: input.dropFirst())
    let arguments = ArgumentReader(rest)
    let form = form(of: input)
    let reply = ReplyWriter(to: form)
    switch form {
    case .call:
      return send(reply, reply.answer(arguments, body))
    case .chunk:
      while arguments.nextElement() {
        reply.answerElement(arguments, body)
        sendIfLarge(reply)
      }
      return send(reply, 0)
    #if Tracing
      case .traced:
        return TracedInput(rest).inContext { serveHere($0, body) }
    #endif
    }
  }

  func serveAsync(_ body: sending @escaping AsyncCallBody) -> Int32 {
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

  private func answerAll(_ input: UnsafeRawBufferPointer, _ body: AsyncCallBody) async -> Int32 {
    let rest = UnsafeRawBufferPointer(rebasing: input.dropFirst())
    let arguments = ArgumentReader(rest)
    let form = form(of: input)
    let reply = ReplyWriter(to: form)
    switch form {
    case .call:
      return send(reply, await reply.answer(arguments, body))
    case .chunk:
      while arguments.nextElement() {
        await reply.answerElement(arguments, body)
        sendIfLarge(reply)
      }
      return send(reply, 0)
    #if Tracing
      case .traced:
        return await TracedInput(rest).inContext { await answerAll($0, body) }
    #endif
    }
  }

  private func form(of input: UnsafeRawBufferPointer) -> InputForm {
    input.first.flatMap(InputForm.init) ?? .call
  }

  private func send(_ reply: ReplyWriter, _ status: Int32) -> Int32 {
    reply.endRun()
    if reply.bytes.isWhole {
      reply.bytes.withBytes(handle.write)
    } else {
      reply.bytes.withParts { $0.forEach(handle.write) }
    }
    return status
  }

  private func sendIfLarge(_ reply: ReplyWriter) {
    guard reply.bytes.count >= 65_536 else { return }
    reply.endRun()
    reply.bytes.withBytes(handle.write)
    reply.bytes.truncate(to: 0)
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
