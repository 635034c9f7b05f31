// SPDX-License-Identifier: Apache-2.0
internal import Dispatch
internal import Synchronization

/// A task of this process: a decorated function that was called inside a worker.
final class TaskSource<Value: Sendable>: FutureSource {
  private struct State {
    var result: Result<Value, any Error>?
    var callbacks: [@Sendable () -> Void] = []
  }

  private let state = Mutex(State())
  private let done = DispatchGroup()
  private let task: Mutex<Task<Void, Never>?> = Mutex(nil)

  init(_ body: @escaping @Sendable () async throws -> Value) {
    done.enter()
    let task = Task.detached { [self] in
      do {
        finish(.success(try await body()))
      } catch {
        finish(.failure(error))
      }
    }
    self.task.withLock { $0 = task }
  }

  private func finish(_ result: Result<Value, any Error>) {
    let callbacks = state.withLock { state in
      state.result = result
      return state.callbacks
    }
    done.leave()
    for callback in callbacks { callback() }
  }

  var isDone: Bool { state.withLock { $0.result != nil } }
  var isRunning: Bool { !isDone }
  var runTime: Duration? { nil }

  func wait(_ timeout: Int64) -> Bool {
    let end: DispatchTime = timeout == .max ? .distantFuture : .now() + .nanoseconds(Int(timeout))
    return done.wait(timeout: end) == .success
  }

  func waitGone(_ timeout: Int64) -> Bool { wait(timeout) }

  /// A task cannot be killed: it is told, and ends when it looks.
  func cancel() -> Cancellation {
    if isDone { return .tooLate }
    task.withLock { $0?.cancel() }
    return .wasRunning
  }

  func onDone(inline: Bool, _ body: @escaping @Sendable () -> Void) {
    let isDone = state.withLock { state in
      if state.result == nil { state.callbacks.append(body) }
      return state.result != nil
    }
    if isDone { body() }
  }

  func outcome() -> Result<Value, any Error> {
    guard let result = state.withLock({ $0.result }) else { preconditionFailure("no outcome yet") }
    return result
  }
}
