// SPDX-License-Identifier: Apache-2.0
internal import Dispatch
internal import Synchronization

/// One wait for a number of futures to be done, or for anything else that happens so many times.
final class FutureWatch: Sendable {
  private struct State {
    var missing: Int
    var isOver = false
    var continuation: CheckedContinuation<Void, Never>?
  }

  private let state: Mutex<State>
  private let over = DispatchSemaphore(value: 0)

  init(count: Int) {
    state = Mutex(State(missing: count, isOver: count <= 0))
    if count <= 0 { over.signal() }
  }

  func oneIsDone() {
    let isLast = state.withLock { state in
      state.missing -= 1
      return state.missing == 0
    }
    if isLast { end() }
  }

  /// Wakes who waits, whether or not the futures are done.
  func end() {
    let continuation = state.withLock { state in
      if !state.isOver { over.signal() }
      state.isOver = true
      defer { state.continuation = nil }
      return state.continuation
    }
    continuation?.resume()
  }

  /// Waits, blocking the thread.
  func wait(_ timeout: Duration?) {
    _ = over.wait(timeout: timeout.end)
  }

  /// Waits, for as long as the task is not cancelled.
  func waitAsync(_ timeout: Duration?, isolation: isolated (any Actor)?) async {
    let timer = timeout.map { alarm(after: $0) }
    await withTaskCancellationHandler(
      operation: {
        _ = isolation
        await withCheckedContinuation(isolation: isolation) { continuation in
          let isOver = state.withLock { state in
            if !state.isOver { state.continuation = continuation }
            return state.isOver
          }
          if isOver { continuation.resume() }
        }
      },
      onCancel: { end() },
      isolation: isolation)
    timer?.cancel()
  }

  private func alarm(after timeout: Duration) -> any DispatchSourceTimer {
    let timer = DispatchSource.makeTimerSource()
    timer.schedule(deadline: Duration?.some(timeout).end)
    timer.setEventHandler { [weak self] in self?.end() }
    timer.activate()
    return timer
  }
}

extension Duration? {
  /// The moment at which a wait that begins now ends.
  var end: DispatchTime {
    let length = nanosecondsToWait
    return length == .max ? .distantFuture : .now() + .nanoseconds(Int(length))
  }
}
