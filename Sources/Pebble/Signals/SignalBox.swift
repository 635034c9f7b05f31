// SPDX-License-Identifier: Apache-2.0
internal import Synchronization

/// Signals that came and were not taken yet, or the tasks that wait for some.
final class SignalBox: Sendable {
  private struct State {
    var signals: [Int32] = []
    var waiting: [(id: Int, continuation: CheckedContinuation<Int32?, Never>)] = []
    var lastID = 0
    /// Waits that were cancelled before they began.
    var cancelled: Set<Int> = []
  }

  private let state = Mutex(State())

  func put(_ signal: Int32) {
    let waiter = state.withLock { state in
      if state.waiting.isEmpty {
        state.signals.append(signal)
        return nil as CheckedContinuation<Int32?, Never>?
      }
      return state.waiting.removeFirst().continuation
    }
    waiter?.resume(returning: signal)
  }

  /// The next signal, nil when the task is cancelled.
  func next(isolation: isolated (any Actor)?) async -> Int32? {
    let id = state.withLock { state in
      state.lastID += 1
      return state.lastID
    }
    defer { state.withLock { _ = $0.cancelled.remove(id) } }
    return await withTaskCancellationHandler(
      operation: {
        _ = isolation
        return await withCheckedContinuation(isolation: isolation) { wait(id, $0) }
      },
      onCancel: { cancel(id) },
      isolation: isolation)
  }

  private func wait(_ id: Int, _ continuation: CheckedContinuation<Int32?, Never>) {
    let answer = state.withLock { state -> Int32?? in
      if state.cancelled.contains(id) { return .some(nil) }
      if !state.signals.isEmpty { return state.signals.removeFirst() }
      state.waiting.append((id, continuation))
      return nil
    }
    if let answer { continuation.resume(returning: answer) }
  }

  /// A wait may be cancelled before it begins, and after it has got its signal.
  private func cancel(_ id: Int) {
    let waiter = state.withLock { state in
      guard let index = state.waiting.firstIndex(where: { $0.id == id }) else {
        state.cancelled.insert(id)
        return nil as CheckedContinuation<Int32?, Never>?
      }
      return state.waiting.remove(at: index).continuation
    }
    waiter?.resume(returning: nil)
  }
}
