// SPDX-License-Identifier: Apache-2.0
internal import CPebble

/// A reference to a thread of the C library.
///
/// `@unchecked Sendable`: the C object is safe to use from any thread.
final class ThreadHandle: @unchecked Sendable {
  private let thread: OpaquePointer

  /// Starts a thread that runs `body`.
  init(name: String?, _ body: @escaping @Sendable () -> Void) throws(PebbleError) {
    let box = Unmanaged.passRetained(ThreadBody(body))
    let run: pebble_thread_function = { Unmanaged<ThreadBody>.fromOpaque($0!).takeRetainedValue().body() }
    var thread: OpaquePointer?
    let status =
      if let name {
        name.withCString { pebble_thread_start(run, box.toOpaque(), $0, &thread) }
      } else {
        pebble_thread_start(run, box.toOpaque(), nil, &thread)
      }
    guard let thread else {
      box.release()
      throw PebbleError(errno: -status, while: "starting a thread")
    }
    self.thread = thread
  }

  deinit {
    pebble_thread_unref(thread)
  }

  var hasEnded: Bool { pebble_thread_has_ended(thread) }
  var id: Int32 { pebble_thread_tid(thread) }

  /// Which of the threads have ended, waiting for one up to `timeout` nanoseconds.
  static func wait(_ handles: [ThreadHandle], _ timeout: Int64) throws(PebbleError) -> [Bool] {
    guard !handles.isEmpty else { return [] }
    var ended = [Bool](repeating: false, count: handles.count)
    let status = withExtendedLifetime(handles) {
      pebble_wait_threads(handles.map(\.thread), handles.count, timeout, &ended)
    }
    guard status >= 0 else { throw PebbleError(errno: -status, while: "waiting for threads") }
    return ended
  }
}

private final class ThreadBody: Sendable {
  let body: @Sendable () -> Void

  init(_ body: @escaping @Sendable () -> Void) {
    self.body = body
  }
}
