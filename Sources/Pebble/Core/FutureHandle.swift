// SPDX-License-Identifier: Apache-2.0
internal import CPebble

/// A reference to a future of the C library.
///
/// `@unchecked Sendable`: the C object is safe to use from any thread.
final class FutureHandle: @unchecked Sendable {
  private let future: OpaquePointer

  /// The priorities that a job may have.
  static let priorities = -16...Int(PEBBLE_PRIORITY_MAX)

  /// Takes over a reference.
  init(owning future: OpaquePointer) {
    self.future = future
  }

  deinit {
    pebble_future_unref(future)
  }

  var isDone: Bool { pebble_future_outcome(future) != nil }
  var isRunning: Bool { pebble_future_running(future) }

  /// The outcome, once there is one. Its bytes are valid as long as this handle.
  var outcome: Outcome? { pebble_future_outcome(future).map { Outcome($0.pointee, of: self) } }

  /// Whether the outcome came within `timeout` nanoseconds.
  func wait(_ timeout: Int64) -> Bool { pebble_future_wait(future, timeout) == 0 }

  /// Whether, within `timeout` nanoseconds, the outcome came and the process could do no more for it.
  func waitGone(_ timeout: Int64) -> Bool { pebble_future_wait_gone(future, timeout) == 0 }

  func cancel() -> Cancellation { Cancellation(pebble_future_cancel(future)) }

  /// Calls `body` once there is an outcome: on the completing thread, which it must not block, or on the pool's
  /// thread for callbacks.
  func onDone(inline: Bool, _ body: @escaping @Sendable () -> Void) throws(PebbleError) {
    let box = Unmanaged.passRetained(Callback(body))
    let call: pebble_callback = { _, argument in
      Unmanaged<Callback>.fromOpaque(argument!).takeRetainedValue().body()
    }
    let add = inline ? pebble_future_on_done_inline : pebble_future_on_done
    let status = add(future, call, box.toOpaque())
    guard status == 0 else {
      box.release()
      throw PebbleError(errno: -status, while: "adding a callback")
    }
  }
}

private final class Callback: Sendable {
  let body: @Sendable () -> Void

  init(_ body: @escaping @Sendable () -> Void) {
    self.body = body
  }
}

extension Cancellation {
  fileprivate init(_ answer: pebble_cancellation) {
    switch answer {
    case PEBBLE_CANCEL_NEVER_STARTED: self = .neverStarted
    case PEBBLE_CANCEL_WAS_RUNNING: self = .wasRunning
    default: self = .tooLate
    }
  }
}
